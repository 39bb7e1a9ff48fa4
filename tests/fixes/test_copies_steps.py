"""What steps of ours, and the user's own files, do in a copied world."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fixes.tiny import Patient, by_name, demo, kinds, make_patient, put_in
from keras_doctor.fixes import trial
from keras_doctor.fixes.rehearse.copies import Copies
from keras_doctor.fixes.rehearse.copying import RUNGS
from keras_doctor.fixes.transaction.states import FileChange
from keras_doctor.model.plan import Step

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the layout of POSIX environments")


def step(kind: str, **named: Any) -> Step:
    blank = Step(kind=kind, risk="safe", summary="", code="", cause="", culprit="")
    return blank._replace(**named)


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """An environment with demo, a program beside a module that hides one, and a keras.json."""
    patient = make_patient(tmp_path / "patient")
    put_in(patient, demo(tmp_path, "1.0"))
    (patient.project / "train.py").write_text("import sys\nprint(sys.path[0])\n")
    (patient.project / "keras.py").write_text("hidden = 1\n")
    (patient.project / "package").mkdir()
    (patient.project / "package" / "keras.py").write_text("deep = 1\n")
    (patient.project / "data.bin").write_bytes(b"\0" * 100)
    (patient.home / ".keras").mkdir()
    (patient.home / ".keras" / "keras.json").write_text("{}")
    (patient.home / ".bashrc").write_text("")
    return patient


def make(patient: Patient, rung: str = "hard links", *more: Path) -> Copies:
    scratch = [patient.project, patient.home / ".keras", *more]
    return Copies(rung, [str(patient.prefix)], [str(one) for one in scratch], str(patient.home))


def after(
    place: Copies, patient: Patient, steps: Sequence[Step]
) -> tuple[dict[str, str], dict[str, FileChange]]:
    """The changes of steps, in a copy, that leave the user's own files as they are."""
    before = patient.seen()
    place.call(trial.perform, steps)
    paths = [path for one in steps for path in (one.path, one.to, *one.paths) if path]
    changes = place.difference(also=paths)
    assert patient.seen() == before
    for change in changes:
        if change.staged is not None:
            assert not os.path.islink(change.staged)
            assert change.staged.startswith(place.stage)
    return kinds(changes, patient), by_name(changes, patient)


@pytest.mark.parametrize("rung", RUNGS[1:])
def test_chmod(patient: Patient, rung: str) -> None:
    module = patient.site / "demo.py"
    module.chmod(0o000)
    place = make(patient, rung)
    found, changes = after(place, patient, [step("chmod", paths=(str(module),), value="644")])
    assert found == {"demo.py": "file>file"}
    (change,) = changes.values()
    assert (change.before.mode, change.after.mode) == (0o000, 0o644)
    assert module.stat().st_mode & 0o777 == 0
    place.close()
    assert module.stat().st_mode & 0o777 == 0


def test_chmod_of_a_tree(patient: Patient) -> None:
    package = patient.site / "package"
    (package / "inner").mkdir(parents=True)
    for name in ("one.py", "inner/two.py", "inner/three.py"):
        (package / name).write_text("")
    (package / "one.py").chmod(0o200)
    (package / "inner" / "two.py").chmod(0o000)
    (package / "inner").chmod(0o300)
    place = make(patient)
    steps = [step("chmod", paths=(str(package),), value="u+rX")]
    found, changes = after(place, patient, steps)
    assert found == {"one.py": "file>file", "two.py": "file>file"}
    assert [c.after.mode for c in changes.values() if c.after.kind == "folder"] == [0o700]
    place.close()


def test_delete_and_move_inside(patient: Patient) -> None:
    leftover = patient.site / "~emo"
    leftover.mkdir()
    (leftover / "one.py").write_text("")
    steps = [
        step("delete", paths=(str(leftover),)),
        step("rename-file", path=str(patient.site / "demo.py"), to=str(patient.site / "x.py")),
    ]
    place = make(patient)
    found, _ = after(place, patient, steps)
    assert found == {"one.py": "file>absent", "demo.py": "file>absent", "x.py": "absent>file"}
    place.close()


def test_a_configuration_file(patient: Patient) -> None:
    path = str(patient.home / ".keras" / "keras.json")
    place = make(patient)
    steps = [step("write-file", path=path, value='{"backend": "jax"}')]
    assert os.path.isfile(os.path.join(place.there(str(patient.home)), ".keras", "keras.json"))
    found, changes = after(place, patient, steps)
    assert found == {"keras.json": "file>file"}
    assert changes["home/.keras/keras.json"].after.size == 18
    place.close()


def test_a_configuration_file_that_is_not_there(patient: Patient) -> None:
    (patient.home / ".keras" / "keras.json").unlink()
    (patient.home / ".keras").rmdir()
    path = str(patient.home / ".keras" / "keras.json")
    place = Copies("copy", [str(patient.prefix)], [str(patient.home)], str(patient.home))
    found, changes = after(place, patient, [step("write-file", path=path, value="{}")])
    assert found == {"keras.json": "absent>file"}
    assert changes["home/.keras"].after.kind == "folder"
    place.close()


@pytest.mark.parametrize("folder", ["project", "project/package"])
def test_a_file_of_the_project_gets_another_name(patient: Patient, folder: str) -> None:
    path = patient.folder / folder / "keras.py"
    place = make(patient)
    steps = [step("rename-file", path=str(path), to=str(path.with_name("my_keras.py")))]
    found, changes = after(place, patient, steps)
    assert found == {"keras.py": "file>absent", "my_keras.py": "absent>file"}
    assert changes[f"{folder}/my_keras.py"].after.size == path.stat().st_size
    place.close()


def test_a_folder_of_the_project_gets_another_name(patient: Patient) -> None:
    path = patient.project / "package"
    place = make(patient)
    steps = [step("rename-file", path=str(path), to=str(patient.project / "mine"))]
    _, changes = after(place, patient, steps)
    assert {name: change.after.kind for name, change in changes.items()} == {
        "project/package": "absent",
        "project/package/keras.py": "absent",
        "project/mine": "folder",
        "project/mine/keras.py": "file",
    }
    place.close()


@pytest.mark.parametrize("name", ["train.py", "package/keras.py"])
def test_an_edit(patient: Patient, name: str) -> None:
    path = patient.project / name
    old = path.read_text().splitlines()[0]
    place = make(patient)
    steps = [step("edit-code", path=str(path), line=1, old=old, new="import os")]
    found, _ = after(place, patient, steps)
    assert found == {path.name: "file>file"}
    place.close()


def test_only_wanted_changes_of_the_project(patient: Patient) -> None:
    place = make(patient)
    Path(place.there(str(patient.project)), "made.txt").write_text("")
    assert place.difference() == ()
    place.close()


def test_steps_outside_are_refused(patient: Patient, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "one.py").write_text("1")
    (patient.site / "escape").symlink_to(outside)
    place = make(patient)
    for path in (outside / "one.py", tmp_path / "two.py"):
        with pytest.raises(PermissionError, match="outside of what was copied") as caught:
            place.call(trial.perform, [step("write-file", path=str(path), value="2")])
        assert place.stage not in str(caught.value)
    # A link of the environment's that leads out becomes a folder of links.
    place.call(
        trial.perform,
        [step("write-file", path=str(patient.site / "escape" / "one.py"), value="2")],
    )
    assert (outside / "one.py").read_text() == "1"
    place.close()


def test_python_sees_the_copied_project(patient: Patient) -> None:
    """`sys.path[0]` is where the program lies when links are resolved."""
    place = make(patient)
    project = place.there(str(patient.project))
    done = subprocess.run(
        [place.there(str(patient.python)), "-B", "train.py"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == project
    assert place.back(done.stdout.strip()) == str(patient.project)
    assert os.path.islink(os.path.join(project, "data.bin"))
    assert os.path.islink(os.path.join(project, "package"))
    place.close()


def test_environment_inside_of_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    patient = make_patient(project)
    (project / "train.py").write_text("")
    place = Copies("hard links", [str(patient.prefix)], [str(project)])
    inside = os.path.join(place.there(str(project)), "env")
    assert place.there(str(patient.prefix)) == inside
    assert not os.path.islink(inside)
    assert os.path.basename(place.stage) not in os.listdir(place.there(str(project)))
    assert place.difference(also=[str(project)]) == ()
    place.close()


def test_a_link_beside_the_program_that_leads_to_the_environment(patient: Patient) -> None:
    (patient.project / ".venv").symlink_to(patient.prefix)
    place = make(patient)
    assert os.path.realpath(place.there(str(patient.project / ".venv"))) == place.there(
        str(patient.prefix)
    )
    place.close()


def test_project_inside_of_the_environment(patient: Patient) -> None:
    project = patient.prefix / "work"
    project.mkdir()
    (project / "keras.py").write_text("")
    (project / "other.py").write_text("")
    place = Copies("hard links", [str(patient.prefix)], [str(project)])
    os.unlink(place.there(str(project / "other.py")))
    steps = [
        step("rename-file", path=str(project / "keras.py"), to=str(project / "mine.py")),
    ]
    found, _ = after(place, patient, steps)
    assert found == {"keras.py": "file>absent", "mine.py": "absent>file"}
    place.close()


def test_user_site_and_kernels_in_home(patient: Patient) -> None:
    site = patient.home / ".local" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (site / "one.py").write_text("")
    (patient.home / ".local" / "bin").mkdir()
    kernel = patient.home / ".local" / "share" / "jupyter" / "kernels" / "mine"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(f'{{"argv": ["{patient.python}", "-m"]}}')
    roots = [str(patient.prefix), str(site)]
    place = Copies("hard links", roots, [str(patient.project)], str(patient.home))
    home = Path(place.there(str(patient.home)))
    inside = site.relative_to(patient.home)
    assert (home / inside).samefile(place.there(str(site)))
    assert not (home / inside).samefile(site)
    assert (home / ".local" / "bin").is_symlink()
    assert (home / ".bashrc").is_symlink()
    assert place.there(str(patient.home / ".bashrc")) == str(patient.home / ".bashrc")
    text = (home / kernel.relative_to(patient.home) / "kernel.json").read_text()
    assert text == f'{{"argv": ["{place.there(str(patient.python))}", "-m"]}}'
    assert place.difference() == ()
    place.close()


def test_answers_name_the_real_paths(patient: Patient) -> None:
    place = make(patient)
    copy = place.there(str(patient.project / "nowhere.py"))
    assert place.call(trial.read_source, copy) is None
    with pytest.raises(FileNotFoundError) as caught:
        place.call(os.stat, copy)
    assert caught.value.filename == str(patient.project / "nowhere.py")
    place.close()
