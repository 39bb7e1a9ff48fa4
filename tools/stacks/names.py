"""Which import names a distribution provides: the file list of one of its released wheels.

``python -m tools.stacks names --cache DIR`` asks the index that pip is configured with, two or
three small questions for each distribution that no earlier run has answered; of a wheel only the
list of its files is fetched. ``sources/import_names.toml`` has what people know beyond that.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from keras_doctor.knowledge.stacks import load_stack, stacks
from keras_doctor.registry import RegistryError
from keras_doctor.registry.address import find_index
from keras_doctor.registry.answers import Answers
from keras_doctor.registry.client import Client
from keras_doctor.registry.listing import File
from keras_doctor.registry.metadata import NoMetadataError, remote_file
from keras_doctor.registry.project import read_listing
from tools.compile_knowledge import KNOWLEDGE
from tools.knowledge.archives import place
from tools.stacks import results
from tools.stacks.plan import named

SHIPPED = KNOWLEDGE / "compiled" / "import_files.json"
WHEELS = results.RESULTS.with_name("wheels.json")
SHARED = (
    "google",
    "mpl_toolkits",
    "sphinxcontrib",
    "zope",
    "ruamel",
    "jaraco",
    "backports",
    "nvidia",
    "scikits",
)
"""Folders that several distributions put packages into: the name below them tells more."""
_NOISE = re.compile(
    r"_.*|tests?|testing|docs?|documentation|examples?|samples?|demos?|setup|benchmarks?|scripts?|bin|"
    r"build|dist|tools|licenses?|include|share|etc|lib|data|conftest|site|ci|utils|integration|validate|"
    r"base|build_tools|doctests"
)
_SDIST = re.compile(r"\.tar\.(?:gz|bz2)$")
_LARGEST_SDIST = 30_000_000
_MODULE = re.compile(r"(?P<name>[^/.]+)(?:\.[\w-]+)?\.(?:py|so|pyd)")


def names_in(files: Iterable[str]) -> tuple[str, ...]:
    """The import names that a wheel with these members provides, noise left out."""
    found: dict[str, None] = {}
    for raw in files:
        path = place(raw)
        parts = path.split("/") if path else []
        if not parts or not _MODULE.fullmatch(parts[-1]):
            continue
        match = _MODULE.fullmatch(parts[-1])
        parts[-1] = match["name"] if match else parts[-1]
        if parts[0] in SHARED and parts[1:] == ["__init__"]:
            continue
        told = parts[:2] if parts[0] in SHARED else parts[:1]
        if all(part.isidentifier() and not _NOISE.fullmatch(part) for part in told):
            found.setdefault(".".join(told))
    return tuple(found)


def names_in_sdist(raw: bytes) -> tuple[str, ...]:
    """The import names that a source archive tells (top_level.txt), else its packages."""
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        members = archive.getmembers()
        for member in members:
            if member.name.endswith(".egg-info/top_level.txt") and member.isfile():
                file = archive.extractfile(member)
                words = file.read(10_000).decode("utf-8", "replace").split() if file else []
                return names_in(f"{word}/__init__.py" for word in words if word.isidentifier())
    inner = (member.name.partition("/")[2].removeprefix("src/") for member in members)
    return names_in(path for path in inner if re.fullmatch(r"[^/]+/__init__\.py", path))


def read_names(cache: str) -> int:
    """Ask for what is not known, and write what is shipped; return the exit code."""
    versions = pinned()
    for name in named():
        versions.setdefault(name, Counter())
    known: dict[str, Any] = results.read(WHEELS) if WHEELS.exists() else {}
    answers = Answers(Client(find_index()), cache or None)
    for count, name in enumerate(sorted(versions)):
        if name in known and "gap" not in known[name]:
            continue
        try:
            known[name] = _ask(answers, name, versions[name])
        except (
            RegistryError,
            NoMetadataError,
            zipfile.BadZipFile,
            tarfile.TarError,
            OSError,
        ) as error:
            known[name] = {"gap": str(error)[:200]}
        if count % 20 == 0:
            results.write(known, WHEELS)
    results.write(known, WHEELS)
    return write_names(known)


def pinned() -> dict[str, Counter[str]]:
    """How many stacks pin each version of each distribution."""
    found: dict[str, Counter[str]] = {}
    for row in stacks():
        for pin in load_stack(row.id).pins.values():
            found.setdefault(pin.name, Counter())[pin.version.partition("+")[0]] += 1
    return found


def write_names(known: Mapping[str, Any]) -> int:
    """Write the shipped file of what is known; return 0."""
    versions = pinned()
    providers: dict[str, list[tuple[int, str, str]]] = {}
    for name, row in known.items():
        for module in row.get("names", ()):
            if _NOISE.fullmatch(module):
                continue
            used = sum(versions.get(name, Counter()).values())
            providers.setdefault(module, []).append((-used, name, row["file"]))
    data = {
        "about": {
            "what": "Import names and the distributions whose wheels hold them, most used first",
            "how": "The file list of one released wheel or sdist of each distribution that a stack "
            "pins, or that tools/stacks/stacks.toml names",
            "command": "python -m tools.stacks names",
        },
        "names": {
            module: [[name, file] for _, name, file in sorted(rows)]
            for module, rows in sorted(providers.items())
        },
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False) + "\n"
    SHIPPED.write_text(text, encoding="utf-8")
    print(f"{len(providers)} names, {len(text) / 1000:.0f} kB")
    return 0


def _ask(answers: Answers, name: str, used: Mapping[str, int]) -> dict[str, Any]:
    listing = read_listing(answers, name)
    if listing is None:
        return {"gap": "the index does not know it"}
    wheels = [file for file in listing.files if file.filename.endswith(".whl")]
    wheel = _choose(wheels, used)
    if wheel is None:
        return _ask_sdist(
            answers, [one for one in listing.files if _SDIST.search(one.filename)], used
        )
    with zipfile.ZipFile(remote_file(answers, wheel.url)) as archive:
        return {"file": wheel.filename, "names": list(names_in(archive.namelist()))}


def _ask_sdist(answers: Answers, files: list[File], used: Mapping[str, int]) -> dict[str, Any]:
    if not files:
        return {"gap": "it has no files that can be read"}
    of_used = [
        file for file in files if any(f"-{version}.tar" in file.filename for version in used)
    ]
    file = (of_used or files)[-1]
    answer = answers.get(file.url, largest=_LARGEST_SDIST)
    if answer.refused:
        return {"gap": f"the index refuses it ({answer.status})"}
    return {"file": file.filename, "names": list(names_in_sdist(answer.body))}


def _choose(wheels: list[File], used: Mapping[str, int]) -> File | None:
    """A wheel of the version that most stacks pin and that has one, for Linux where there is."""
    for version in sorted(used, key=lambda version: -used[version]):
        of_version = [file for file in wheels if file.filename.split("-")[1] == version]
        for text in ("none-any", "manylinux", ""):
            for file in of_version:
                if text in file.filename and "aarch64" not in file.filename:
                    return file
    return wheels[-1] if wheels else None
