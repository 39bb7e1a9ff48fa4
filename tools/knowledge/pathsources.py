"""Where the wheels lie: unpacked in uv's cache, or fetched by pip, one at a time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from keras_doctor.knowledge.releases import releases_of
from keras_doctor.names import normalize
from keras_doctor.versions import compare_key, minor, parse_version

_NAME = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)(?:-.*\.whl|\.dist-info|\.tar\.gz|\.zip)")


class Sources:
    """Finds the files of releases."""

    def __init__(self, downloads: Path, unpacked: Iterable[Path], *, fetch: bool) -> None:
        self.downloads = downloads
        self.fetch = fetch
        self._found: dict[tuple[str, str], Path] = {}
        for folder in unpacked:
            for info in sorted(folder.glob("*/*.dist-info")):
                self._add(info.name, info.parent)
        if downloads.is_dir():
            for file in sorted(downloads.iterdir()):
                self._add(file.name, file)

    def _add(self, text: str, where: Path) -> None:
        match = _NAME.fullmatch(text)
        if match:
            self._found.setdefault((normalize(match["name"]), match["version"]), where)

    def versions(self, *names: str) -> dict[str, Path]:
        """The final releases that are here, oldest first."""
        found: dict[str, Path] = {}
        for name in names:
            for (known, version), path in self._found.items():
                if known == name and not _is_preview(version):
                    found.setdefault(version, path)
        return dict(sorted(found.items(), key=lambda pair: compare_key(pair[0])))

    def newest_of_minor(self, number: str, *names: str) -> tuple[Path, str] | None:
        """The newest release that is here of a minor (``2.15``), and its version."""
        rows = [(p, v) for v, p in self.versions(*names).items() if minor(v) == minor(number)]
        return rows[-1] if rows else None

    def nearest_minor(self, number: str, name: str) -> tuple[Path, str] | None:
        """The newest release that is here and older than a minor, else the oldest newer one."""
        rows = [(path, version) for version, path in self.versions(name).items()]
        older = [row for row in rows if minor(row[1]) < minor(number)]
        return older[-1] if older else next(iter(rows), None)

    def find(self, name: str, version: str) -> Path | None:
        """The files of a release, asking pip for them if that is wanted."""
        key = (normalize(name), version)
        if key not in self._found and self.fetch:
            self._download(name, version)
        return self._found.get(key)

    def _download(self, name: str, version: str) -> None:
        self.downloads.mkdir(parents=True, exist_ok=True)
        before = set(self.downloads.iterdir())
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--dest", str(self.downloads)]
        # Where there is a wheel nothing of the release's own code runs.
        for kind in (["--only-binary", ":all:"], ["--no-binary", ":all:"]):
            done = subprocess.run(
                [*command, *kind, f"{name}=={version}"], check=False, capture_output=True
            )
            if not done.returncode:
                break
        for file in sorted(set(self.downloads.iterdir()) - before):
            self._add(file.name, file)


def final_releases(name: str, since: str = "0") -> list[str]:
    """The final releases of a package that the shipped index knows, oldest first."""
    key = compare_key(since)
    return [
        row.version
        for row in releases_of(name)
        if not _is_preview(row.version) and compare_key(row.version) >= key
    ]


def write_json(path: Path, data: dict[str, object]) -> int:
    """Write a file that depends on the data alone; return its size."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return len(text.encode())


def minors(versions: Sequence[str]) -> list[str]:
    """The minors of versions, in their order."""
    return list(dict.fromkeys(".".join(version.split(".")[:2]) for version in versions))


def _is_preview(version: str) -> bool:
    parsed = parse_version(version)
    return parsed is None or parsed.is_prerelease
