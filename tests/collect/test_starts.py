"""Starts that fail, hang, flood or are refused, and what the collector makes of them."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from collect.collect_patients import Patient, tree
from keras_doctor.collect import CollectError, Request, collect
from keras_doctor.collect import process as processes
from keras_doctor.collect.process import run_program
from keras_doctor.collect.start import (
    Attempt,
    attempt,
    build_payload,
    find_document,
    start_after,
)
from keras_doctor.model import Snapshot


def started(patient: Patient, mode: str, *options: str) -> Snapshot:
    """The snapshot of one mode, whether or not the normal start works."""
    payload = build_payload(patient.target(), Request(), start_after(mode, None))

    def run(last: Sequence[str], data: bytes, marker: str) -> processes.Completed:
        argv = [patient.python, *options, *last]
        folder = str(patient.project)
        return run_program(argv, data, patient.environ, folder, 30, marker)

    result: Attempt = attempt(payload, run)
    assert result.snapshot is not None, result.failure
    return result.snapshot


def assert_modelled(patient: Patient) -> None:
    """The three starts agree about everything but themselves."""
    normal = started(patient, "normal")
    for mode, options in (("isolated", ["-I"]), ("bare", ["-I", "-S"])):
        other = started(patient, mode, *options)
        assert other.path == normal.path
        assert other._replace(start=normal.start) == normal


def furnish(patient: Patient) -> None:
    """Everything that has a say in the path."""
    for name in ("extra", "lib", "user-extra"):
        (patient.folder / name).mkdir()
    (patient.site / "b.pth").write_text(f"{patient.folder / 'extra'}\n/nowhere\n")
    (patient.site / "sitecustomize.py").write_text("")
    patient.environ["PYTHONPATH"] = f"{patient.folder / 'lib'}{os.pathsep}{patient.site}"
    patient.install("keras", "3.0", requires=("numpy",))
    (patient.project / "numpy.py").write_text("")


def test_modelled_paths_equal_the_real_one(patient: Patient) -> None:
    furnish(patient)
    assert_modelled(patient)


@pytest.mark.parametrize("system", ["true", "false"])
def test_modelled_paths_with_system_and_user_packages(patient: Patient, system: str) -> None:
    furnish(patient)
    settings = patient.folder / "env/pyvenv.cfg"
    text = settings.read_text().replace("packages = false", f"packages = {system}")
    settings.write_text(text)
    version = Path(patient.site).parts[-2]
    user = patient.home / ".local/lib" / version / "site-packages"
    user.mkdir(parents=True)
    (user / "u.pth").write_text(f"{patient.folder / 'user-extra'}\n")
    origins = [entry.origin for entry in started(patient, "normal").path]
    assert ("user-site" in origins) == (system == "true")
    assert_modelled(patient)
    patient.environ["PYTHONNOUSERSITE"] = "1"
    assert "user-site" not in [entry.origin for entry in started(patient, "bare", "-I", "-S").path]
    assert_modelled(patient)


def test_every_python_models_its_path(
    any_python: str, patient_of: Callable[[str], Patient]
) -> None:
    patient = patient_of(any_python)
    furnish(patient)
    assert_modelled(patient)
    # And the base interpreter, with its own site-packages and the user's.
    patient.python = any_python
    assert_modelled(patient)


def test_a_start_that_fails_is_made_isolated(patient: Patient) -> None:
    (patient.project / "encodings.py").write_text("raise RuntimeError('broken')\n")
    patient.environ["PYTHONPATH"] = str(patient.project)
    snapshot = collect(patient.target(), patient.environ)
    assert snapshot.start.mode == "isolated"
    assert snapshot.start.exit_code == 1
    assert snapshot.start.failure
    assert [entry.origin for entry in snapshot.path[:2]] == ["script", "pythonpath"]
    assert [one.name for one in snapshot.local_modules] == ["encodings"]


def test_start_up_code_that_kills_python(patient: Patient) -> None:
    (patient.site / "bad.pth").write_text("import os; os.write(2, b'dying\\n'); os.abort()\n")
    patient.install("keras")
    snapshot = collect(patient.target(), patient.environ)
    assert snapshot.start.mode == "bare"
    assert snapshot.start.exit_code == -6
    assert snapshot.start.failure is not None
    assert "dying" in snapshot.start.failure
    assert [one.name for one in snapshot.distributions] == ["keras"]
    assert snapshot.startup[0].kind == "code"


def test_a_start_that_hangs(patient: Patient) -> None:
    (patient.site / "slow.pth").write_text("import time; time.sleep(60)\n")
    begun = time.monotonic()
    snapshot = collect(patient.target(), patient.environ, timeout=1)
    assert time.monotonic() - begun < 20
    assert snapshot.start.mode == "bare"
    assert snapshot.start.failure is not None
    assert "time limit" in snapshot.start.failure


def test_a_start_that_floods(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_OUTPUT", 1 << 20)
    line = "import os; any(os.write(1, b'x' * 65536) == 0 for _ in iter(int, 1))\n"
    (patient.site / "flood.pth").write_text(line)
    snapshot = collect(patient.target(), patient.environ, timeout=1)
    assert snapshot.start.mode == "bare"
    assert len(snapshot.start.failure or "") < 1 << 17


def test_what_start_up_code_leaves_running(patient: Patient) -> None:
    line = "import subprocess; subprocess.Popen(['sleep', '50'])\n"
    (patient.site / "left.pth").write_text(line)
    begun = time.monotonic()
    assert collect(patient.target(), patient.environ).start.mode == "normal"
    assert time.monotonic() - begun < 20


def test_noise_around_the_document(patient: Patient) -> None:
    (patient.site / "noise.pth").write_text("import sys; print('{' * 9); sys.stdout = None\n")
    assert collect(patient.target(), patient.environ).start.mode == "normal"


def test_an_environment_whose_base_is_gone(patient: Patient) -> None:
    patient.install("keras", "3.0")
    (patient.project / "random.py").write_text("")
    for path in (patient.folder / "env/bin").glob("python*"):
        path.unlink()
    Path(patient.python).symlink_to("/nowhere/bin/python3")
    before = tree(patient.folder)
    snapshot = collect(patient.target(), patient.environ)
    assert tree(patient.folder) == before
    assert snapshot.start.mode == "outside"
    assert snapshot.start.failure is not None
    assert "No such file" in snapshot.start.failure
    assert snapshot.interpreter is not None
    assert snapshot.interpreter.version.startswith("3.")
    assert snapshot.interpreter.prefix == str(patient.folder / "env")
    assert [one.name for one in snapshot.distributions] == ["keras"]
    assert [one.distribution for one in snapshot.files] == ["keras"]
    assert [one.name for one in snapshot.local_modules] == ["random"]
    origins = [entry.origin for entry in snapshot.path]
    assert (origins[0], origins[-1]) == ("script", "site-packages")


def executable(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_targets_that_are_none(patient: Patient, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "plain").write_text("x")
    cases = {
        str(place / "nothing"): "there is no interpreter at ",
        str(place): "is a folder, not an interpreter",
        executable(place / "other", "#!/bin/sh\necho I am none\n"): "not a Python that starts",
        str(place / "plain"): "not a Python that starts: .*Permission denied",
        executable(place / "python3", "#!/bin/sh\nexit 3\n"): "not a Python that starts: no output",
    }
    for python, message in cases.items():
        with pytest.raises(CollectError, match=message) as caught:
            collect(patient.target(python=python), patient.environ)
        assert "\n" not in str(caught.value)
    with pytest.raises(CollectError, match="names no interpreter"):
        collect(patient.target(python=None), patient.environ)
    with pytest.raises(CollectError, match=r"working folder .* does not exist"):
        collect(patient.target(folder=str(place / "nothing")), patient.environ)


def test_python_2(patient: Patient) -> None:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [str(path) for path in root.glob("versions/2.7*/bin/python")]
    python = next(iter(found), None) or shutil.which("python2.7")
    if python is None:
        pytest.skip("no Python 2.7 on this machine")
    with pytest.raises(CollectError, match=r"is Python 2\.7\.\d+; keras-doctor examines 3.6 to"):
        collect(patient.target(python=python), patient.environ)


def test_an_answer_that_is_damaged(patient: Patient, tmp_path: Path) -> None:
    text = (
        "#!/bin/sh\nexec 3<&0\nm=$(head -c 400 <&3 | grep -o -- '--keras-doctor-[0-9a-f]*--')\n"
        "printf '\\n%s\\n{\"path\": 1}\\n%s\\n' $m $m\n"
    )
    fake = executable(tmp_path / "fake", text)
    with pytest.raises(CollectError, match=r"answer is damaged: collector.schema_version: missing"):
        collect(patient.target(python=fake), patient.environ)


def test_options_of_the_user_are_kept(patient: Patient) -> None:
    patient.environ["PYTHONPATH"] = str(patient.folder)
    request = Request(options=("-E",))
    origins = [e.origin for e in collect(patient.target(), patient.environ, request).path]
    assert "pythonpath" not in origins


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there is no safe path before 3.11")
def test_a_safe_path_has_no_script_folder(patient: Patient) -> None:
    patient.environ["PYTHONSAFEPATH"] = "1"
    origins = [entry.origin for entry in collect(patient.target(), patient.environ).path]
    assert origins == ["stdlib"] * 3 + ["site-packages"]


def test_a_machine_that_is_full(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen
    refusals = [errno.EAGAIN, errno.ENOMEM]

    def popen(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        if refusals:
            raise OSError(refusals.pop(), "full")
        return real(*args, **options)

    monkeypatch.setattr(processes, "_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(subprocess, "Popen", popen)
    assert collect(patient.target(), patient.environ).start.mode == "normal"


@pytest.mark.parametrize(
    "text", [b"MARK{}MARK", b"x\r\nMARK\r\n{}\r\nMARK\r\ny", b"MARK\n{}\nMARK"]
)
def test_the_document_is_found_in_any_frame(text: bytes) -> None:
    assert find_document(text, "MARK") == "{}"


@pytest.mark.parametrize("text", [b"", b"MARK{}", b"{}"])
def test_half_a_frame_is_none(text: bytes) -> None:
    assert find_document(text, "MARK") is None
