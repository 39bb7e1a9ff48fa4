"""Whether an environment may be changed, and who uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rules.factory import PYTHON

from fixes.owning import DEFAULT, placed
from keras_doctor.fixes import owner

# -- refusal


def test_a_virtual_environment_may_be_changed(tmp_path: Path) -> None:
    assert owner.refusal(placed(tmp_path)) is None


def test_what_does_not_start_may_not() -> None:
    assert "does not start" in (owner.refusal(DEFAULT._replace(interpreter=None)) or "")


def test_externally_managed(tmp_path: Path) -> None:
    (tmp_path / "stdlib").mkdir()
    (tmp_path / "stdlib" / "EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    said = owner.refusal(placed(tmp_path, virtual=False)) or ""
    assert str(tmp_path / "stdlib" / "EXTERNALLY-MANAGED") in said
    assert "PEP 668" in said


def test_a_virtual_environment_of_an_externally_managed_python(tmp_path: Path) -> None:
    (tmp_path / "stdlib").mkdir()
    (tmp_path / "stdlib" / "EXTERNALLY-MANAGED").touch()
    assert owner.refusal(placed(tmp_path)) is None


@pytest.mark.parametrize(
    ("prefix", "refused"),
    [
        ("/usr", True),
        ("/usr/local", False),
        ("/opt/python", False),
        ("/System/Library/Frameworks/Python.framework/Versions/2.7", True),
        ("/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework", True),
        ("/Applications/Xcode.app/Contents/Developer/Library/Frameworks/P.framework", True),
    ],
)
def test_the_python_of_the_operating_system(tmp_path: Path, prefix: str, refused: bool) -> None:
    facts = placed(tmp_path, virtual=False)
    assert facts.interpreter is not None
    interpreter = facts.interpreter._replace(prefix=prefix, base_prefix=prefix)
    said = owner.refusal(facts._replace(interpreter=interpreter))
    assert (said is not None and prefix in said) is refused


@pytest.mark.parametrize("virtual", [True, False])
def test_frozen_by_conda(tmp_path: Path, virtual: bool) -> None:
    facts = placed(tmp_path, virtual=virtual)
    (tmp_path / "env" / "conda-meta").mkdir()
    assert owner.refusal(facts) is None
    (tmp_path / "env" / "conda-meta" / "frozen").touch()
    assert "frozen" in (owner.refusal(facts) or "")


def test_read_only_site_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = placed(tmp_path)
    site = str(tmp_path / "env" / "site")
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: p != site and real(p, mode))
    assert owner.refusal(facts) == f"you may not write to {site}"


def test_read_only_site_packages_of_another_python_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = placed(tmp_path)
    outside = facts.path[0]._replace(path="/usr/lib/python3/dist-packages")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert owner.refusal(facts._replace(path=(outside,))) is None


# -- who uses it


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc")
def test_who_has_files_of_an_environment_loaded(tmp_path: Path) -> None:
    library = tmp_path / "env" / "data"
    library.parent.mkdir()
    library.write_bytes(b"x" * 4096)
    code = (
        "import mmap, sys; f = open(sys.argv[1], 'rb');"
        "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); print(1, flush=True); input()"
    )
    argv = [sys.executable, "-I", "-S", "-c", code, str(library), "x" * 100]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (found,) = owner.users_of(str(tmp_path / "env"))
        assert owner.users_of(str(tmp_path / "en")) == ()
        process.communicate(b"\n")
    assert found.startswith(f"process {process.pid} (")
    assert found.endswith("…): start it again")
    assert owner.users_of(str(tmp_path / "env")) == ()


def test_kernels_are_called_kernels() -> None:
    words = [PYTHON, "-m", "ipykernel_launcher", "-f", "x.json"]
    assert owner._shown(12, words) == "the Jupyter kernel 12: restart it"
