"""A real conda, and a channel of packages that it installs from, all made from PyPI.

No channel has to be reached: conda's release on PyPI (4.3.16, for Python 3.6) runs from a virtual
environment, and packages for it are made from distributions, with a Python of this machine as the
package ``python``. Their layout is that of conda-build: ``info/index.json``, ``info/files`` and
``info/paths.json`` in a .tar.bz2, listed in the channel's ``repodata.json``.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from environments.builder import run_uv

PLATFORM = "linux-64"
_OF_ITS_DAY = ("requests==2.13.0", "ruamel.yaml<0.15")
"""What that conda was made for; it does not run with what came later."""
_LEFT_OUT = ("test", "tests", "ensurepip", "idlelib", "lib2to3", "__pycache__", "site-packages")
"""Of the standard library: what no program here needs, and what is no part of it."""


def make_conda(folder: Path, python: str, channel: str) -> Path:
    """Install conda's release of PyPI in a virtual environment of Python 3.6.

    Args:
        folder: Of the environment, which is made.
        python: The Python 3.6.
        channel: The address of the only channel that it knows.

    Returns:
        The program ``conda``.
    """
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "--upgrade", "pip<22"], check=True)
    subprocess.run([*pip, "conda==4.3.16", *_OF_ITS_DAY], check=True)
    (folder / ".condarc").write_text(
        f"channels: [{channel}]\ndefault_channels: []\nadd_pip_as_python_dependency: false\n"
    )
    conda = folder / "condabin" / "conda"
    conda.parent.mkdir()
    # The script that pip makes for it refuses to work; the module does not.
    conda.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m conda "$@"\n')
    conda.chmod(0o755)
    return conda


class Channel:
    """A channel in a folder.

    Args:
        folder: Where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index: dict[str, dict[str, object]] = {}
        (folder / PLATFORM).mkdir(parents=True)
        (folder / "noarch").mkdir()

    @property
    def address(self) -> str:
        return self.folder.as_uri()

    def add_python(self, prefix: Path, version: str) -> None:
        """Add a Python of this machine; it finds its library beside itself, wherever it lies."""
        short = ".".join(version.split(".")[:2])
        files: dict[str, bytes | str | Path] = {
            f"bin/python{short}": prefix / "bin" / f"python{short}"
        }
        files["bin/python"] = f"python{short}"
        library = prefix / "lib" / f"python{short}"
        for place, folders, names in os.walk(library):
            folders[:] = [
                name for name in folders if name not in _LEFT_OUT and "config-" not in name
            ]
            for name in names:
                path = Path(place, name)
                files[path.relative_to(prefix).as_posix()] = path
        include = prefix / "include"
        files.update({p.relative_to(prefix).as_posix(): p for p in include.rglob("*.h")})
        for path in (prefix / "lib").glob("libpython*.so*"):
            files[f"lib/{path.name}"] = os.readlink(path) if path.is_symlink() else path
        files[f"lib/python{short}/site-packages/README.txt"] = b"for packages\n"
        self.add("python", version, files, ())

    def add_distribution(self, requirement: str, python: Path, depends: Sequence[str] = ()) -> None:
        """Add the files of a distribution, as conda-build leaves them: its INSTALLER is conda."""
        with tempfile.TemporaryDirectory() as folder:
            target = ("--python", str(python), "--target", folder)
            run_uv("pip", "install", "-q", "--no-deps", *target, requirement)
            short = python.resolve().name.removeprefix("python")
            root = Path(folder)
            shutil.rmtree(root / "bin", ignore_errors=True)  # scripts: nothing here starts them
            record = next(root.glob("*.dist-info/RECORD"))
            lines = record.read_text().splitlines(keepends=True)
            record.write_text("".join(line for line in lines if not line.startswith("bin/")))
            files: dict[str, bytes | str | Path] = {
                f"lib/python{short}/site-packages/{path.relative_to(root).as_posix()}": path
                for path in sorted(root.rglob("*"))
                if path.is_file() and path.name not in (".lock", "INSTALLER")
            }
            metadata = next(root.glob("*.dist-info"))
            name, version = metadata.name.removesuffix(".dist-info").split("-")
            files[f"lib/python{short}/site-packages/{metadata.name}/INSTALLER"] = b"conda\n"
            conda_name = name.lower().replace("_", "-")
            self.add(conda_name, version, files, (f"python {short}*", *depends))

    def add(
        self,
        name: str,
        version: str,
        files: Mapping[str, bytes | str | Path],
        depends: Sequence[str],
    ) -> None:
        """Add a package: a file's content, the target of a link, or a file to be taken."""
        build = f"py_{len(self._index)}"
        index = {
            "name": name,
            "version": version,
            "build": build,
            "build_number": 0,
            "depends": list(depends),
            "subdir": PLATFORM,
            "arch": "x86_64",
            "platform": "linux",
        }
        archive = self.folder / PLATFORM / f"{name}-{version}-{build}.tar.bz2"
        with tarfile.open(archive, "w:bz2", compresslevel=1) as tar:
            for path, content in _with_info(index, files):
                _add(tar, path, content)
        data = archive.read_bytes()
        checked = {"size": len(data), "md5": hashlib.md5(data, usedforsecurity=False).hexdigest()}
        self._index[archive.name] = {**index, **checked}
        self._write()

    def _write(self) -> None:
        for platform, packages in ((PLATFORM, self._index), ("noarch", {})):
            text = json.dumps({"info": {"subdir": platform}, "packages": packages}).encode()
            (self.folder / platform / "repodata.json").write_bytes(text)
            (self.folder / platform / "repodata.json.bz2").write_bytes(bz2.compress(text))


def _with_info(
    index: Mapping[str, object], files: Mapping[str, bytes | str | Path]
) -> Iterator[tuple[str, bytes | str | Path]]:
    yield "info/index.json", json.dumps(index).encode()
    yield "info/files", "".join(f"{path}\n" for path in files).encode()
    yield from files.items()


def _add(tar: tarfile.TarFile, path: str, content: bytes | str | Path) -> None:
    if isinstance(content, Path):
        tar.add(content, path, recursive=False)
        return
    entry = tarfile.TarInfo(path)
    entry.mode = 0o644
    if isinstance(content, str):
        entry.type, entry.linkname = tarfile.SYMTYPE, content
        tar.addfile(entry)
    else:
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
