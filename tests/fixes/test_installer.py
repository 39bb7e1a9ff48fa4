"""Running an installer: its command lines, its files, its variables, and how it may end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from keras_doctor.fixes import installer as module
from keras_doctor.fixes import pipsettings
from keras_doctor.fixes.installer import (
    Installed,
    Installer,
    commands,
    find_installer,
    install,
)
from keras_doctor.fixes.request import Request

PYTHON = "/env/bin/python"
UV = Installer("uv", ("/bin/uv",))
PIP = Installer("pip", (PYTHON, "-I", "-m", "pip"))
NOTHING = Request(requirements=(), reinstall=(), uninstall=(), constraints=(), overrides=())
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake installers are shell scripts")


def request(**fields: Any) -> Request:
    return NOTHING._replace(**fields)


def executable(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    path.chmod(0o755)
    return str(path)


# -- which one


@pytest.fixture
def no_own_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "own" / "bin" / "python"))


def test_our_own_uv_comes_first(
    no_own_uv: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_path = executable(tmp_path / "bin" / "uv", "#!/bin/sh\n")
    environ = {"PATH": str(tmp_path / "bin")}
    assert find_installer(PYTHON, environ, has_pip=True) == Installer("uv", (on_path,))
    own = executable(tmp_path / "own" / "bin" / "uv", "#!/bin/sh\n")
    assert find_installer(PYTHON, environ, has_pip=True) == Installer("uv", (own,))


def test_without_uv_a_pip_does_it(
    no_own_uv: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environ = {"PATH": str(tmp_path)}
    assert find_installer(PYTHON, environ, has_pip=True) == PIP
    monkeypatch.setattr(module, "_has_own_pip", lambda: True)
    ours = (sys.executable, "-I", "-m", "pip", "--python", PYTHON)
    assert find_installer(PYTHON, environ, has_pip=False) == Installer("pip", ours)
    monkeypatch.setattr(module, "_has_own_pip", lambda: False)
    assert find_installer(PYTHON, environ, has_pip=False) is None


# -- command lines


def test_commands_of_uv(tmp_path: Path) -> None:
    asked = request(
        requirements=("numpy<2", "keras==3.8.0"),
        reinstall=("keras",),
        uninstall=("a", "b"),
        constraints=("scipy==1.15.0", "h5py<4"),
        overrides=('tensorflow; python_version < "0"',),
    )
    head = ("/bin/uv", "pip")
    assert commands(UV, asked, PYTHON, str(tmp_path), ("--no-index",)) == [
        (*head, "uninstall", "--python", PYTHON, "a", "b"),
        (
            *(*head, "install", "--python", PYTHON),
            *("--constraints", str(tmp_path / "constraints.txt")),
            *("--overrides", str(tmp_path / "overrides.txt")),
            *("--no-index", "--reinstall-package", "keras", "numpy<2", "keras==3.8.0"),
        ),
    ]
    assert (tmp_path / "constraints.txt").read_text() == "scipy==1.15.0\nh5py<4\n"
    assert (tmp_path / "overrides.txt").read_text() == 'tensorflow; python_version < "0"\n'


def test_commands_of_pip(tmp_path: Path) -> None:
    """What is new needs its requirements: it has a command of its own."""
    asked = request(
        requirements=("numpy<2", "Keras==3.8.0"),
        reinstall=("keras",),
        uninstall=("a", "b"),
        constraints=("scipy==1.15.0",),
        overrides=("tensorflow",),
    )
    constraint = ("--constraint", str(tmp_path / "constraints.txt"))
    assert commands(PIP, asked, PYTHON, str(tmp_path)) == [
        (*PIP.argv, "uninstall", "-y", "a", "b"),
        (*PIP.argv, "install", *constraint, "numpy<2"),
        (*PIP.argv, "install", *constraint, "--force-reinstall", "--no-deps", "Keras==3.8.0"),
    ]


@pytest.mark.parametrize("installer", [UV, PIP], ids=["uv", "pip"])
def test_only_what_is_asked_for(installer: Installer, tmp_path: Path) -> None:
    assert commands(installer, NOTHING, PYTHON, str(tmp_path)) == []
    (line,) = commands(installer, request(uninstall=("a",)), PYTHON, str(tmp_path))
    assert "uninstall" in line
    (line,) = commands(installer, request(requirements=("a",)), PYTHON, str(tmp_path))
    assert "install" in line
    assert not any(word.startswith(("--constraint", "--override")) for word in line)
    (line,) = commands(
        installer, request(requirements=("a==1",), reinstall=("a",)), PYTHON, str(tmp_path)
    )
    assert line[-1] == "a==1"
    assert os.listdir(tmp_path) == []


# -- a run

FAKE = """\
    #!{python} -IS
    import json, os, sys
    with open({log!r}, "a") as log:
        files = [open(w).read() for w in sys.argv if w.endswith(".txt")]
        row = [sys.argv[1:], dict(os.environ), os.getcwd(), files]
        log.write(json.dumps(row) + "\\n")
    print("said", sys.argv[-1])
    print("and on stderr", file=sys.stderr)
    {more}
    """


class Fake:
    """An installer that writes down how it was started."""

    def __init__(self, folder: Path, name: str, more: str = "") -> None:
        self.log = folder / "log"
        text = FAKE.format(python=sys.executable, log=str(self.log), more=more)
        path = executable(folder / f"fake-{name}", text)
        self.installer = Installer(name, (path,))

    def run(
        self, asked: Request, environ: dict[str, str] | None = None, timeout: float = 60.0
    ) -> Installed:
        return install(self.installer, asked, PYTHON, None, environ or {}, timeout=timeout)

    def rows(self) -> list[tuple[list[str], dict[str, str], str, list[str]]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture(autouse=True)
def nothing_from_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pipsettings, "_ETC", str(tmp_path / "etc"))


ASKED = request(requirements=("numpy",), uninstall=("scipy",), constraints=("h5py<4",))


@pytest.mark.parametrize("name", ["uv", "pip"])
def test_a_run_that_succeeds(tmp_path: Path, name: str) -> None:
    fake = Fake(tmp_path, name)
    done = fake.run(ASKED)
    assert done.ok
    assert "said numpy" in done.output
    first, second = fake.rows()
    assert "uninstall" in first[0]
    assert second[3] == ["h5py<4\n"]
    # The folder of its files is gone, and was not the user's.
    assert not os.path.exists(second[2])
    assert second[2] not in (os.getcwd(), str(tmp_path))


def test_after_a_failure_nothing_more_is_done(tmp_path: Path) -> None:
    fake = Fake(tmp_path, "pip", "sys.exit(3)")
    done = fake.run(ASKED)
    assert not done.ok
    assert "said scipy" in done.output
    assert "on stderr" in done.output
    assert len(fake.rows()) == 1


def test_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    more = "import subprocess; subprocess.run(['sleep', '600'])"
    fake = Fake(tmp_path, "uv", more)
    began = time.monotonic()
    done = fake.run(request(requirements=("numpy",)), timeout=0.7)
    assert time.monotonic() - began < 10
    assert not done.ok
    assert done.output.endswith("uv did not end within 1 s")


@pytest.mark.parametrize("kind", ["absent", "not executable", "a folder"])
def test_one_that_cannot_be_started_has_failed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "uv"
    if kind == "not executable":
        path.write_text("")
    elif kind == "a folder":
        path.mkdir()
    done = install(Installer("uv", (str(path),)), ASKED, PYTHON, None, {})
    assert not done.ok
    assert f"{path} cannot be started" in done.output


LEADING_ELSEWHERE = {
    "PYTHONPATH": "/x",
    "PYTHONHOME": "/x",
    "PYTHONSTARTUP": "/x",
    "PIP_TARGET": "/x",
    "PIP_USER": "1",
    "PIP_PREFIX": "/x",
    "PIP_ROOT": "/x",
    "PIP_PYTHON": "/x",
}
KEPT = {"HTTPS_PROXY": "http://proxy.invalid", "NETRC": "/n", "KEEP": "1", "PIP_PROXY": "p"}


@pytest.mark.parametrize("name", ["uv", "pip"])
def test_variables_that_lead_elsewhere_stay_here(tmp_path: Path, name: str) -> None:
    fake = Fake(tmp_path, name)
    environ = LEADING_ELSEWHERE | KEPT | {"VIRTUAL_ENV": "/other"}
    assert fake.run(request(requirements=("numpy",)), environ).ok
    ((_, seen, _, _),) = fake.rows()
    assert seen.pop("PIP_USER", "0") == "0"
    assert not set(LEADING_ELSEWHERE) & set(seen)
    assert {k: seen[k] for k in KEPT} == KEPT
    assert seen["NO_COLOR"] == "1"
    assert ("VIRTUAL_ENV" in seen) is (name == "pip")
    assert (seen.get("PIP_NO_INPUT") == "1") is (name == "pip")


def test_uv_gets_what_pip_is_told(tmp_path: Path) -> None:
    fake = Fake(tmp_path, "uv")
    environ = {
        "HOME": str(tmp_path),
        "PIP_INDEX_URL": "https://mine.invalid/simple",
        "PIP_NO_INDEX": "1",
    }
    assert fake.run(request(requirements=("numpy",), uninstall=("scipy",)), environ).ok
    (uninstall, _, _, _), (line, seen, _, _) = fake.rows()
    assert seen["UV_DEFAULT_INDEX"] == "https://mine.invalid/simple"
    assert "--no-index" in line
    assert "--no-index" not in uninstall


def test_only_the_end_of_a_flood_is_kept(tmp_path: Path) -> None:
    fake = Fake(tmp_path, "pip", "print('x' * 100_000); print('last words')")
    done = fake.run(request(requirements=("numpy",)))
    assert len(done.output) <= 20_000
    assert done.output.rstrip().endswith(("last words", "on stderr"))


def test_the_real_uv_takes_these_options(tmp_path: Path) -> None:
    found = find_installer(PYTHON, dict(os.environ), has_pip=False)
    if found is None or found.name != "uv":
        pytest.skip("there is no uv here")
    environment = tmp_path / "env"
    subprocess.run(
        [*found.argv, "venv", "-q", "--no-project", "--python", sys.executable, environment],
        check=True,
        capture_output=True,
    )
    python = str(environment / "bin" / "python")
    asked = request(
        requirements=("absent-1==1",),
        reinstall=("absent-1",),
        uninstall=("absent-2",),
        constraints=("absent-3<4",),
        overrides=('absent-4; python_version < "0"',),
    )
    environ = {
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_ONLY_BINARY": ":all:",
        "PIP_FIND_LINKS": str(tmp_path),
        "PYTHONPATH": "/x",
    }
    done = install(found, asked, python, str(environment), environ)
    assert not done.ok
    assert "absent-1 was not found in the provided package locations" in " ".join(
        done.output.split()
    )


def test_what_a_request_would_change_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Would install 2 packages\n - numpy==2.1\n + numpy==1.26\n + x==1\n"
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/told\nprintf '{said}'\n")
    uv.chmod(0o755)
    asked = request(requirements=("numpy<2", "x"), uninstall=("gone",))
    count = module.count_changes(Installer("uv", (str(uv),)), asked, "/env/python", None, {})
    assert count == 3
    assert "--dry-run" in (tmp_path / "told").read_text()
    uv.write_text("#!/bin/sh\nexit 1\n")
    assert module.count_changes(Installer("uv", (str(uv),)), asked, "/p", None, {}) is None
    assert module.count_changes(Installer("pip", (str(uv),)), asked, "/p", None, {}) is None
