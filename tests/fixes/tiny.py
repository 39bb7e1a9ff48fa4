"""Small real environments and hand-made wheels, and what the tests of copies ask of them."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from environments.builder import run_uv, uv

from keras_doctor.fixes.installer import Installed, Installer, install
from keras_doctor.fixes.rehearse.copies import Copies
from keras_doctor.fixes.rehearse.place import NoPlaceError
from keras_doctor.fixes.request import Request
from keras_doctor.fixes.transaction.states import FileChange
from keras_doctor.fixes.tree import Seen, listing

UV = Installer("uv", (uv(),))
NOTHING = Request(requirements=(), reinstall=(), uninstall=(), constraints=(), overrides=())


class Patient(NamedTuple):
    """An environment, a HOME and a project of their own."""

    folder: Path
    site: Path

    @property
    def prefix(self) -> Path:
        return self.folder / "env"

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def variables(self) -> dict[str, str]:
        """The user's variables, as far as an installer wants them."""
        kept = {n: v for n, v in os.environ.items() if n.startswith(("PIP_", "UV_", "SSL_"))}
        return {
            **kept,
            "PATH": f"{self.prefix}/bin:{os.environ['PATH']}",
            "HOME": str(self.home),
            "VIRTUAL_ENV": str(self.prefix),
            "UV_CACHE_DIR": str(self.folder / "cache"),
        }

    def copies(self, rung: str = "hard links") -> Copies:
        """The environment and the project in a copy; skips where there is no such copy."""
        try:
            return Copies(rung, [str(self.prefix)], [str(self.project)], str(self.home))
        except NoPlaceError as error:
            if rung == "reflink":
                pytest.skip(f"no reflinks on this file system ({error})")
            raise

    def seen(self) -> Seen:
        """Everything of the user's."""
        return listing([str(self.prefix), str(self.project), str(self.home)])


def make_patient(folder: Path, *, python: str = sys.executable, seed: bool = False) -> Patient:
    """A patient with an empty environment, or one that has pip."""
    folder = folder.resolve()
    folder.mkdir(exist_ok=True)
    run_uv(
        *("venv", "--quiet", "--no-project", "--python", python),
        *(("--seed",) if seed else ()),
        str(folder / "env"),
    )
    (folder / "home").mkdir()
    (folder / "project").mkdir()
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    return Patient(folder, site)


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: dict[str, str],
    *,
    program: str | None = None,
) -> str:
    """A wheel with some files and, if asked, a console script; returns its path."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if program:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{program} = {name}:main\n"
    rows = [f"{path},{_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return str(path)


def demo(folder: Path, version: str) -> str:
    """A wheel of one module and one program."""
    text = f"version = {version!r}\ndef main():\n    print(version)\n"
    return make_wheel(folder, "demo", version, {"demo.py": text}, program="demo")


def put_in(patient: Patient, *wheels: str) -> None:
    """Install wheels into the real environment."""
    run_uv(
        *("pip", "install", "--quiet", "--no-index", "--no-deps", "--cache-dir"),
        *(str(patient.folder / "cache"), "--python", str(patient.python), *wheels),
    )


def install_there(
    place: Copies, patient: Patient, *wheels: str, installer: Installer = UV
) -> Installed:
    """Install wheels in a copy, as a search does."""
    return place.call(
        install,
        installer,
        NOTHING._replace(requirements=wheels),
        str(patient.python),
        str(patient.prefix),
        {**patient.variables(), "UV_NO_INDEX": "1", "PIP_NO_INDEX": "1"},
    )


def uninstall_there(
    place: Copies, patient: Patient, name: str, installer: Installer = UV
) -> Installed:
    """Remove a distribution in a copy."""
    return place.call(
        install,
        installer,
        NOTHING._replace(uninstall=(name,)),
        str(patient.python),
        str(patient.prefix),
        patient.variables(),
    )


def run_there(place: Copies, patient: Patient, code: str) -> str:
    """What the copy's Python prints."""
    done = subprocess.run(
        [place.there(str(patient.python)), "-I", "-B", "-c", code],
        capture_output=True,
        text=True,
        cwd=place.there(str(patient.project)),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def by_name(changes: tuple[FileChange, ...], patient: Patient) -> dict[str, FileChange]:
    """Changes by their paths relative to the patient's folder."""
    found = {os.path.relpath(change.path, patient.folder): change for change in changes}
    assert all(path == os.path.normpath(path) for path in found)
    return found


def kinds(changes: tuple[FileChange, ...], patient: Patient) -> dict[str, str]:
    """`before>after` of every change of a file or link, by its name."""
    return {
        os.path.basename(path): f"{change.before.kind}>{change.after.kind}"
        for path, change in by_name(changes, patient).items()
        if "folder" not in (change.before.kind, change.after.kind)
    }


def carry_over(changes: tuple[FileChange, ...]) -> None:
    """Do to the real environment what a rehearsal did to its copy, as apply does."""
    for change in sorted(changes, key=lambda one: one.path, reverse=True):
        if change.after.kind in ("absent", "file", "link"):
            if change.before.kind in ("file", "link"):
                os.unlink(change.path)
            elif change.before.kind == "folder":
                os.rmdir(change.path)
    for change in changes:
        if change.after.kind == "folder" and change.before.kind != "folder":
            os.mkdir(change.path)
        if change.staged is not None:
            os.rename(change.staged, change.path)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter and write to, as pytest's own ones are not."""
    folder = tempfile.mkdtemp(prefix="keras-doctor-nobody-")
    os.chmod(folder, 0o777)  # noqa: S103
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder)


def as_nobody(function: Callable[[], None]) -> None:
    """Run a test as a user who is nobody; what it imports must be imported already."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            function()
            status = 0
        except Exception:  # noqa: BLE001 (this process ends here)
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
