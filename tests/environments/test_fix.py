"""`fix` in real environments: repaired, verified, undone to the byte, or left as it was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from environments.builder import Environment, keras_doctor, run_uv, runs
from keras_doctor.fixes import trial
from keras_doctor.fixes.judged import works
from keras_doctor.fixes.repair import repair
from keras_doctor.fixes.search import Options, Search
from keras_doctor.model import Examination
from keras_doctor.model.plan import Consent, Repair

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]
SAY = "import keras; print('on', keras.backend.backend())"


@pytest.fixture(autouse=True)
def cache(request: pytest.FixtureRequest) -> None:
    """Installers keep what they fetch where this machine keeps it: not in the private HOME."""
    for name in ("jax_environment", "theano_environment"):
        if name in request.fixturenames:
            environment: Environment = request.getfixturevalue(name)
            usual = os.path.join(os.path.expanduser("~"), ".cache", "uv")
            environment.variables["UV_CACHE_DIR"] = os.environ.get("UV_CACHE_DIR", usual)


def command_line(*words: str) -> list[str]:
    return [sys.executable, "-m", "keras_doctor", *words]


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every file, link and folder: kind, mode, time, content."""
    found: dict[str, tuple[object, ...]] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".local")]
        for name in (*folders, *files):
            path = Path(place, name)
            info = path.lstat()
            content = ""
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            time_of = info.st_mtime_ns if stat.S_ISREG(info.st_mode) else 0
            found[str(path)] = (stat.S_IFMT(info.st_mode), info.st_mode, time_of, content)
    return found


def fix(environment: Environment, *words: str) -> dict[str, Any]:
    done = keras_doctor(environment, "fix", "--format", "json", *words)
    assert done.stdout, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    assert data["exit_code"] == done.returncode, done.stderr
    return data


def break_optree(environment: Environment) -> None:
    """Keras 3 needs it, and asks for it while it is imported."""
    run_uv("pip", "uninstall", "-q", "--python", str(environment.python), "optree")


def test_an_environment_that_works_is_left_alone(jax_environment: Environment) -> None:
    jax_environment.keras_json(backend="jax")
    before = tree(jax_environment.folder)
    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert (data["exit_code"], data["verified"], data["applied"]) == (0, True, False)
    assert data["plan"] == []
    assert data["journal"] is None
    assert tree(jax_environment.folder) == before


def test_a_lost_package_comes_back_and_undo_takes_it_away(jax_environment: Environment) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    before = tree(jax_environment.folder)

    dry = fix(jax_environment, "--dry-run", "--backend", "jax")
    assert (dry["exit_code"], dry["applied"], dry["rehearsal"]["passed"]) == (1, False, True)
    assert dry["rehearsal"]["untouched"] is True
    assert tree(jax_environment.folder) == before

    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert (data["exit_code"], data["applied"], data["verified"]) == (0, True, True)
    assert [d["name"] for d in data["rehearsal"]["distributions"]] == ["optree"]
    assert data["causes"][0]["confidence"] == "proven"
    assert runs(jax_environment, "-c", SAY).stdout.strip() == "on jax"

    assert keras_doctor(jax_environment, "undo").returncode == 0
    assert tree(jax_environment.folder) == before


def test_a_damaged_file_and_a_wrong_setting_are_mended_together(
    jax_environment: Environment,
) -> None:
    path = jax_environment.keras_json(backend="torch")
    jax_environment.replace(
        jax_environment.site / "keras" / "src" / "models" / "sequential.py", b""
    )
    before = tree(jax_environment.folder)
    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert (data["exit_code"], data["verified"]) == (0, True)
    assert {cause["code"] for cause in data["causes"]} == {"KD102", "KD302"}
    assert json.loads(path.read_text())["backend"] == "jax"
    # The reinstall brings back what differs, and nothing else.
    assert data["rehearsal"]["files"] < 10
    assert keras_doctor(jax_environment, "undo", data["journal"]).returncode == 0
    assert tree(jax_environment.folder) == before


def test_what_only_the_user_can_do_is_given_as_typed_steps(jax_environment: Environment) -> None:
    jax_environment.keras_json(backend="jax")
    jax_environment.variables["KERAS_BACKEND"] = "JAX"
    shadow = jax_environment.project / "random.py"
    shadow.write_text("value = 1\n")
    before = tree(jax_environment.folder)
    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert (data["exit_code"], data["applied"], data["verified"]) == (1, False, None)
    assert data["rehearsal"]["passed"] is True
    kinds = {step["kind"]: step for step in data["manual"]}
    assert set(kinds) == {"set-env", "rename-file"}
    assert kinds["set-env"]["name"] == "KERAS_BACKEND"
    assert kinds["rename-file"]["path"] == str(shadow)
    assert tree(jax_environment.folder) == before

    moved = fix(jax_environment, "--yes", "--backend", "jax", "--move", str(shadow))
    assert [step["kind"] for step in moved["manual"]] == ["set-env"], moved["manual"]
    assert not shadow.exists()
    assert Path(kinds["rename-file"]["to"]).read_text() == "value = 1\n"
    assert keras_doctor(jax_environment, "undo").returncode == 0
    assert tree(jax_environment.folder) == before


def test_the_users_own_program_must_work_too(jax_environment: Environment) -> None:
    jax_environment.keras_json(backend="jax")
    program = jax_environment.project / "train.py"
    program.write_text("import os\nfrom keras.layers import Dnse\nopen('ran', 'a').write('x')\n")
    before = tree(jax_environment.folder)
    data = fix(jax_environment, "--yes", "--backend", "jax", "--", "python", "train.py")
    steps = data["manual"]
    assert [(s["kind"], s["line"], s["old"]) for s in steps] == [
        ("edit-code", 2, "from keras.layers import Dnse")
    ]
    assert steps[0]["new"] == "from keras.layers import Dense as Dnse"
    # It was run in the rehearsal, where what it writes is thrown away.
    assert tree(jax_environment.folder) == before


def test_without_a_network_nothing_is_changed(jax_environment: Environment) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    jax_environment.variables.update(UV_OFFLINE="1", UV_CACHE_DIR=str(jax_environment.folder / "c"))
    before = tree(jax_environment.folder / "env")
    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert (data["exit_code"], data["applied"], data["rehearsal"]["passed"]) == (1, False, False)
    assert "optree" in data["rehearsal"]["failure"]
    assert tree(jax_environment.folder / "env") == before


def test_a_hostile_record_touches_nothing_outside(
    jax_environment: Environment, request: pytest.FixtureRequest
) -> None:
    jax_environment.keras_json(backend="jax")
    # Not below the temporary folder: what lies there is shielded anyway.
    outside = Path(tempfile.mkdtemp(prefix="keras-doctor-outside-", dir=Path.home()))
    request.addfinalizer(lambda: shutil.rmtree(outside))
    precious = outside / "precious.txt"
    precious.write_text("keep me\n")
    site = jax_environment.site
    (site / "way_out").symlink_to(outside)
    folder = next(site.glob("keras-*.dist-info"))
    record = folder / "RECORD"
    hostile = (
        f"../../../../outside/precious.txt,,\n{precious},,\nway_out/precious.txt,,\n"
        '"bad\x1b[31m\nname.py",,\n'
    )
    jax_environment.replace(record, record.read_bytes() + hostile.encode())
    jax_environment.replace(site / "keras" / "src" / "models" / "sequential.py", b"")
    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert precious.read_text() == "keep me\n", data
    assert (site / "way_out").is_symlink()


def test_a_line_that_brings_in_another_pythons_packages_goes(
    jax_environment: Environment,
) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    foreign = jax_environment.folder / "old" / "lib" / "python3.6" / "site-packages"
    (foreign / "optree").mkdir(parents=True)
    (foreign / "optree" / "__init__.py").write_text("raise ImportError('of another Python')\n")
    path = jax_environment.site / "zz_old.pth"
    path.write_text(f"# kept\n{foreign}\n")
    before = tree(jax_environment.folder)
    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert (data["exit_code"], data["verified"]) == (0, True), {
        k: data[k] for k in ("plan", "manual", "rehearsal", "refusal")
    }
    assert path.read_text() == "# kept\n"
    assert [step["kind"] for step in data["plan"]] == ["drop-line", "install"]
    assert keras_doctor(jax_environment, "undo").returncode == 0
    assert tree(jax_environment.folder) == before


def test_what_changed_since_is_not_undone(jax_environment: Environment) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    data = fix(jax_environment, "--yes", "--backend", "jax")
    changed = next((jax_environment.site / "optree").glob("__init__.py"))
    jax_environment.replace(changed, changed.read_bytes() + b"# mine\n")
    done = keras_doctor(jax_environment, "undo", data["journal"])
    assert done.returncode == 1
    assert "__init__.py" in done.stdout
    assert changed.read_text().endswith("# mine\n")


def test_two_at_once_do_not_mix(jax_environment: Environment) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    argv = command_line("fix", "--yes", "--format", "json", "--backend", "jax")
    both = [
        subprocess.Popen(
            argv,
            env=jax_environment.variables,
            cwd=jax_environment.project,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    reports = [json.loads(each.communicate(timeout=300)[0]) for each in both]
    assert sum(report["applied"] for report in reports) == 1, reports
    assert runs(jax_environment, "-c", SAY).stdout.strip() == "on jax"


@pytest.mark.parametrize("delay", [0.3, 1.5, 3.0, 4.5, 6.0])
def test_killed_at_any_time_it_recovers(jax_environment: Environment, delay: float) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    process = subprocess.Popen(
        command_line("fix", "--yes", "--backend", "jax"),
        env=jax_environment.variables,
        cwd=jax_environment.project,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    data = fix(jax_environment, "--yes", "--backend", "jax")
    assert (data["exit_code"], data["verified"]) == (0, True)
    # What the killed one left may still be in use for all that can be told; later it is not.
    for path in jax_environment.folder.glob(".keras-doctor-stage-*"):
        os.utime(path, (0, 0))
    fix(jax_environment, "--yes", "--backend", "jax")
    assert list(jax_environment.folder.glob(".keras-doctor-stage-*")) == []


def repair_here(environment: Environment) -> Repair:
    """As `fix --yes --backend jax`, in this process."""
    asked = trial.Asked(
        python=str(environment.python),
        kernel=None,
        project=None,
        command=(),
        wish="jax",
        timeout=120.0,
        environ=dict(environment.variables),
        folder=str(environment.folder),
    )
    return repair(asked, Options(), lambda _: Consent(apply=True), lambda _: None)


def test_the_first_attempt_is_made_beside_the_first_look(
    jax_environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    resumed = []

    def resume(search: Search, *arguments: Any) -> None:
        resumed.append(search.ahead)
        usual(search, *arguments)

    usual = Search.resume
    monkeypatch.setattr(Search, "resume", resume)
    done = repair_here(jax_environment)
    assert (done.applied, done.verified) == (True, True)
    assert done.rehearsal is not None
    assert done.rehearsal.attempts == 1
    assert 0 < done.rehearsal.install_seconds < done.rehearsal.seconds
    (ahead,) = resumed
    assert ahead is not None
    assert works(ahead[1])


def test_an_attempt_that_was_not_needed_is_ended_at_once(
    jax_environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    false_alarm = trial.Look.read_closer
    alarms = []

    def read_closer(look: trial.Look) -> Examination:
        alarms.append(false_alarm(look))
        return alarms[-1]

    def install_optree_and_wait(search: Search) -> None:
        run_uv("pip", "install", "-q", "--python", str(jax_environment.python), "optree")
        with pytest.raises(OSError, match="ended unexpectedly"):
            search.bench.place.call(time.sleep, 600)

    monkeypatch.setattr(trial.Look, "read_closer", read_closer)
    monkeypatch.setattr(Search, "try_ahead", install_optree_and_wait)
    look = trial.Look.run

    def run_late(self: trial.Look, **how: bool) -> Examination:
        while is_missing(jax_environment, "optree"):
            time.sleep(0.1)
        return look(self, **how)

    monkeypatch.setattr(trial.Look, "run", run_late)
    began = time.monotonic()
    done = repair_here(jax_environment)
    assert time.monotonic() - began < 120
    assert alarms[0].diagnosis.causes
    assert (done.applied, done.verified, done.steps) == (False, True, ())
    assert list(jax_environment.folder.glob(".keras-doctor-stage-*")) == []


def is_missing(environment: Environment, name: str) -> bool:
    return not (environment.site / name / "__init__.py").exists()


def statuses(environment: Environment) -> list[str]:
    done = keras_doctor(environment, "history", "--format", "json")
    return [repair["status"] for repair in json.loads(done.stdout)["repairs"]]


def test_what_was_applied_and_not_verified_is_looked_at_again(
    jax_environment: Environment,
) -> None:
    path = jax_environment.keras_json(backend="jax")
    break_optree(jax_environment)
    data = fix(jax_environment, "--yes", "--backend", "jax")
    # As if the power had gone before the verification was over.
    journal = next(jax_environment.home.rglob(f"{data['journal']}.json"))
    journal.write_text(journal.read_text().replace('"verified"', '"applied"'))
    assert fix(jax_environment, "--yes", "--backend", "jax")["verified"] is True
    assert statuses(jax_environment) == ["verified"]

    journal.write_text(journal.read_text().replace('"verified"', '"applied"'))
    path.write_text(path.read_text().replace('"jax"', '"JAX"'))
    again = fix(jax_environment, "--yes", "--backend", "jax")
    assert (again["exit_code"], again["verified"]) == (0, True)
    assert statuses(jax_environment) == ["verified", "undone"]


def test_a_setting_that_was_never_tried_is_not_taken_back(jax_environment: Environment) -> None:
    path = jax_environment.keras_json(backend="numpy")
    assert keras_doctor(jax_environment, "use", "jax", "--no-live").returncode == 0
    break_optree(jax_environment)
    assert fix(jax_environment, "--yes", "--backend", "jax")["verified"] is True
    assert json.loads(path.read_text())["backend"] == "jax"
    assert statuses(jax_environment) == ["verified", "applied"]


def test_an_old_keras_gets_its_files_back(theano_environment: Environment) -> None:
    theano_environment.keras_json(backend="theano")
    theano_environment.replace(theano_environment.site / "theano" / "configdefaults.py", b"")
    before = tree(theano_environment.folder)
    data = fix(theano_environment, "--yes", "--backend", "theano")
    assert (data["exit_code"], data["verified"]) == (0, True)
    assert keras_doctor(theano_environment, "undo").returncode == 0
    assert tree(theano_environment.folder) == before
