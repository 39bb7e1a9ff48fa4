"""What is run, in which order and with which changes, against a patient that only pretends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from rules.factory import (
    BARE_STACK,
    JAX,
    JAX_STACK,
    KERAS_210_STACK,
    PROJECT,
    TENSORFLOW,
    TENSORFLOW_STACK,
    TORCH,
    automatic,
    copy,
    died,
    dist,
    failed,
    local,
    missing,
    module,
    of_keras,
    passed,
    printed,
    raised,
    remnant,
    script,
    set_backend,
    with_,
    without,
    world,
)

from keras_doctor.experiment import MAX_COUNTERFACTUALS, MAX_WAYS_OUT, Experiment
from keras_doctor.model import BackendState, Change, Outcome, Start
from keras_doctor.rules.context import Context
from keras_doctor.swallowed import swallowed_imports
from keras_doctor.targets import Found

HIDE_KERAS = Change(kind="hide-module", name=f"{PROJECT}/keras.py", value=None)
HIDE_RANDOM = Change(kind="hide-module", name=f"{PROJECT}/random.py", value=None)


class Run(NamedTuple):
    """One call of the live part."""

    kind: str
    changes: tuple[Change, ...] = ()
    options: Mapping[str, Any] = MappingProxyType({})


class Patient:
    """Fails with the first fault that no change removes; else it passes."""

    def __init__(self, *faults: tuple[Change | None, Outcome], backend: str = "tensorflow") -> None:
        self.faults = faults
        self.backend = backend
        self.command: Outcome = printed("", status="passed", exit_code=0)
        self.runs: list[Run] = []

    def run_imports(
        self,
        target: object,
        environ: object,
        statements: Sequence[Any] = (),
        *,
        changes: Sequence[Change] = (),
        **options: Any,
    ) -> Outcome:
        made = tuple(changes)
        self.runs.append(Run("imports", made, {"statements": statements, **options}))
        for change, outcome in self.faults:
            if change is None or change not in made:
                return outcome._replace(changes=made)
        asked = [c.value for c in made if c.name == "KERAS_BACKEND"]
        return passed(asked[-1] if asked else self.backend, changes=made)

    def run_command(self, argv: Sequence[str], *_args: object, **options: Any) -> Outcome:
        self.runs.append(Run("command", (), {"argv": tuple(argv), **options}))
        return self.command

    @property
    def tried(self) -> list[tuple[Change, ...]]:
        return [run.changes for run in self.runs]


class Lab:
    """Makes experiments with one patient."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.said: list[str] = []

    def experiment(
        self, patient: Patient, context: Context, command: tuple[str, ...] = ()
    ) -> Experiment:
        import keras_doctor.live

        self.monkeypatch.setattr(keras_doctor.live, "run_imports", patient.run_imports)
        self.monkeypatch.setattr(keras_doctor.live, "run_command", patient.run_command)
        snapshot = context.snapshot
        found = Found(
            target=snapshot.target,
            environ={"A": "1"},
            argv=command,
            set_by={},
            considered=(),
            options=("-O",),
            module=None,
            code=None,
            arguments=(),
            run=command,
            run_folder=PROJECT,
            run_environ={"A": "1"},
        )
        return Experiment(
            found, snapshot, wish=context.wish, timeout=7.0, progress=self.said.append
        )


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(monkeypatch)


STALE = world(TENSORFLOW_STACK, variables={"KERAS_BACKEND": "torch"}, keras_json=automatic())
NO_TORCH = failed(missing("torch", "keras/src/backend.py"))
TO_TENSORFLOW = set_backend("tensorflow")


def shadowed(*names: str, **more: Any) -> Context:
    """A project with files that hide packages."""
    rows = [local(name) for name in names]
    return world(
        variables={"KERAS_BACKEND": "jax"},
        locals_=rows,
        modules=[module(n, copy(n, PROJECT, "module"), copy(n)) for n in names],
        **more,
    )


def shadow(name: str) -> Outcome:
    return failed(raised("AttributeError", f"module '{name}' has no attribute 'x'"))


def test_what_works_is_run_once(lab: Lab) -> None:
    patient = Patient()
    diagnosis = lab.experiment(patient, world(TENSORFLOW_STACK)).examine(train=False)
    assert patient.tried == [()]
    assert diagnosis.healthy is True


def test_the_only_cause_is_removed_and_proven(lab: Lab) -> None:
    patient = Patient((TO_TENSORFLOW, NO_TORCH))
    experiment = lab.experiment(patient, STALE)
    diagnosis = experiment.examine(train=False)
    assert patient.tried == [(), (TO_TENSORFLOW,)]
    (cause,) = diagnosis.causes
    assert (cause.cause, cause.confidence) == ("backend-not-installed", "proven")
    assert diagnosis.healthy is False
    assert len(experiment.outcomes) == 2


def test_causes_that_hide_each_other_are_peeled_off_one_by_one(lab: Lab) -> None:
    patient = Patient((HIDE_KERAS, shadow("keras")), (HIDE_RANDOM, shadow("random")))
    context = shadowed("keras", "random")
    diagnosis = lab.experiment(patient, context).examine(train=False)
    assert patient.tried == [(), (HIDE_KERAS,), (HIDE_KERAS, HIDE_RANDOM)]
    assert [(c.culprit, c.confidence) for c in diagnosis.causes] == [
        (f"{PROJECT}/keras.py", "certain"),
        (f"{PROJECT}/random.py", "proven"),
    ]


def test_an_innocent_suspect_is_let_go(lab: Lab) -> None:
    """The import passes while random.py is still there."""
    patient = Patient((HIDE_KERAS, shadow("keras")))
    diagnosis = lab.experiment(patient, shadowed("keras", "random")).examine(train=False)
    assert [c.culprit for c in diagnosis.causes] == [f"{PROJECT}/keras.py"]
    assert [n.culprit for n in diagnosis.notes] == [f"{PROJECT}/random.py"]


def test_what_waits_behind_a_removable_cause(lab: Lab) -> None:
    boom = failed(raised("ValueError", "boom", "keras/src/x.py"))
    patient = Patient((HIDE_KERAS, shadow("keras")), (None, boom))
    diagnosis = lab.experiment(patient, shadowed("keras")).examine(train=False)
    assert [c.cause for c in diagnosis.causes] == ["shadowed-module", "unknown"]
    assert "ValueError: boom" in diagnosis.causes[1].title


UNSEEN = failed(
    raised("ImportError", "To use Keras, you need to have `optree` installed.", "keras/src/tree.py")
)


def test_what_is_called_absent_and_is_there_is_imported_alone(lab: Lab) -> None:
    """Why it does not load was swallowed by who says so."""
    patient = Patient((None, UNSEEN))
    experiment = lab.experiment(patient, world(variables={"KERAS_BACKEND": "jax"}))
    experiment.examine(train=True)
    assert [run.options["statements"][0].text for run in patient.runs] == [
        "import keras",
        "import optree",
    ]
    assert patient.runs[1].options.get("train", False) is False
    assert len(experiment.outcomes) == 2


def test_what_passes_alone_is_not_kept(lab: Lab) -> None:
    patient = Patient((HIDE_KERAS, UNSEEN))
    experiment = lab.experiment(patient, world(variables={"KERAS_BACKEND": "jax"}))
    patient.faults = ((None, UNSEEN),)
    first = patient.run_imports

    def run(*args: Any, **named: Any) -> Outcome:
        outcome = first(*args, **named)
        return passed("jax") if len(patient.runs) > 1 else outcome

    lab.monkeypatch.setattr("keras_doctor.live.run_imports", run)
    experiment.examine(train=False)
    assert len(patient.runs) == 2
    assert len(experiment.outcomes) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        failed(missing("optree", "keras/src/tree.py")),
        failed(raised("ImportError", "you need to install nothing", "keras/src/tree.py")),
        failed(raised("ImportError", "optree is odd", "keras/src/tree.py")),
        failed(raised("ImportError", "you need optree", "/env/lib/optree/__init__.py")),
        failed(raised("ImportError", "you need to install keras", "/env/lib/keras/src/a.py")),
    ],
)
def test_what_hides_nothing_is_not_imported_alone(outcome: Outcome) -> None:
    stack = JAX_STACK if outcome.chain[0].name is None else without(JAX_STACK, "optree")
    context = world(stack, variables={"KERAS_BACKEND": "jax"}, outcomes=(outcome,))
    assert swallowed_imports(context) == ()


def test_a_cause_in_the_files_cannot_be_removed(lab: Lab) -> None:
    context = world(without(JAX_STACK, "keras"), modules=[remnant("keras")])
    empty = failed(raised("AttributeError", "module 'keras' has no attribute 'layers'"))
    patient = Patient((None, empty))
    diagnosis = lab.experiment(patient, context).examine(train=False)
    assert patient.tried == [()]
    assert [c.cause for c in diagnosis.causes] == ["namespace-remnant"]


def test_peeling_ends(lab: Lab) -> None:
    names = ["keras", "jax", "numpy", "h5py", "rich", "namex", "scipy"]
    faults = [
        (Change(kind="hide-module", name=f"{PROJECT}/{name}.py", value=None), shadow(name))
        for name in names
    ]
    patient = Patient(*faults)
    diagnosis = lab.experiment(patient, shadowed(*names)).examine(train=False)
    assert len(patient.runs) == 1 + MAX_COUNTERFACTUALS
    assert [len(changes) for changes in patient.tried] == [0, 1, 2, 3, 4]
    assert {c.culprit for c in diagnosis.causes} == {f"{PROJECT}/{n}.py" for n in names}


def test_one_thing_is_never_changed_twice(lab: Lab) -> None:
    """Two causes would both set KERAS_BACKEND, and nothing helps."""
    boom = failed(missing("torch", "keras/src/backend.py"), missing("tensorflow", "x.py"))
    patient = Patient((None, boom))
    context = world(TENSORFLOW_STACK, variables={"KERAS_BACKEND": "torch"}, wish="jax")
    lab.experiment(patient, context).examine(train=False)
    for changes in patient.tried:
        assert len({(c.kind, c.name) for c in changes}) == len(changes)


def test_train_and_limits_are_handed_on(lab: Lab) -> None:
    patient = Patient((TO_TENSORFLOW, NO_TORCH))
    context = world(
        TENSORFLOW_STACK,
        variables={"KERAS_BACKEND": "torch"},
        program=script("numpy", "keras"),
        wish="tensorflow",
    )
    lab.experiment(patient, context).examine(train=True)
    for run in patient.runs:
        assert run.options["train"] is True
        assert run.options["timeout"] == 7.0
        assert run.options["options"] == ("-O",)
        assert run.options["wish"] == "tensorflow"
        assert [s.text for s in run.options["statements"]] == ["import numpy", "import keras"]


def test_every_run_is_announced(lab: Lab) -> None:
    lab.experiment(Patient((TO_TENSORFLOW, NO_TORCH)), STALE).examine(train=False)
    assert lab.said == [
        "Importing Keras in /env/bin/python",
        "Importing Keras with the cause removed in /env/bin/python",
    ]


# -- the user's own command

COMMAND = ("python", "train.py")


def test_a_command_that_works_is_all_that_is_run(lab: Lab) -> None:
    patient = Patient()
    diagnosis = lab.experiment(patient, world(TENSORFLOW_STACK), COMMAND).examine(train=False)
    assert [(run.kind, run.options["argv"]) for run in patient.runs] == [("command", COMMAND)]
    assert diagnosis.healthy is True


def test_a_command_that_works_says_nothing_about_the_wish(lab: Lab) -> None:
    patient = Patient(backend="tensorflow")
    context = world(with_(TENSORFLOW_STACK, *JAX), wish="jax")
    diagnosis = lab.experiment(patient, context, COMMAND).examine(train=False)
    assert [run.kind for run in patient.runs] == ["command", "imports", "imports"]
    assert patient.tried[-1] == (set_backend("jax"),)
    assert [c.cause for c in diagnosis.causes] == ["backend-source-conflict"]


def test_a_wish_that_is_met_ends_it(lab: Lab) -> None:
    patient = Patient(backend="jax")
    context = world(variables={"KERAS_BACKEND": "jax"}, wish="jax")
    diagnosis = lab.experiment(patient, context, COMMAND).examine(train=False)
    assert [run.kind for run in patient.runs] == ["command", "imports"]
    assert diagnosis.healthy is True


def test_a_command_is_never_run_again(lab: Lab) -> None:
    patient = Patient((TO_TENSORFLOW, NO_TORCH))
    patient.command = printed("ModuleNotFoundError: No module named 'torch'", exit_code=1)
    diagnosis = lab.experiment(patient, STALE, COMMAND).examine(train=False)
    assert [run.kind for run in patient.runs] == ["command", "imports", "imports"]
    assert [c.confidence for c in diagnosis.causes] == ["proven"]


def test_a_command_that_fails_by_itself(lab: Lab) -> None:
    patient = Patient()
    patient.command = printed("KeyError: 'data'", exit_code=1)
    diagnosis = lab.experiment(patient, world(TENSORFLOW_STACK), COMMAND).examine(train=False)
    assert [run.kind for run in patient.runs] == ["command", "imports"]
    (cause,) = diagnosis.causes
    assert (cause.cause, diagnosis.healthy) == ("unknown", False)
    assert "The imports work" in cause.title


# -- a Python that does not start

NOT_STARTED = failed(status="not-started", exit_code=None)


def test_no_cause_is_removed_where_nothing_starts(lab: Lab) -> None:
    patient = Patient((None, NOT_STARTED))
    context = world(TENSORFLOW_STACK, variables={"KERAS_BACKEND": "torch"}, wish="tensorflow")
    lab.experiment(patient, context).examine(train=False)
    assert patient.tried == [()]


def test_no_way_out_is_looked_for_where_nothing_starts(lab: Lab) -> None:
    patient = Patient((None, NOT_STARTED))
    lab.experiment(patient, STALE).examine(train=False)
    assert patient.tried == [()]


def test_a_start_that_a_setting_breaks_is_tried_without_it(lab: Lab) -> None:
    unset = Change(kind="unset-variable", name="PYTHONHOME", value=None)
    patient = Patient((unset, NOT_STARTED))
    context = world(
        TENSORFLOW_STACK,
        variables={"PYTHONHOME": "/old"},
        start=Start(mode="isolated", failure="No module named 'encodings'", exit_code=1),
    )
    diagnosis = lab.experiment(patient, context).examine(train=False)
    assert patient.tried == [(), (unset,)]
    assert [(c.cause, c.confidence) for c in diagnosis.causes] == [("foreign-path", "proven")]


# -- ways out, and every backend


def states(rows: tuple[BackendState, ...]) -> dict[str, BackendState]:
    return {state.name: state for state in rows}


BROKEN_TF = of_keras("3.8.0", TENSORFLOW[0], *JAX, *TORCH, dist("openvino", "2025.0"))
BOOM = failed(raised("ValueError", "boom", "tensorflow/x.py"))


class OnlyOthers(Patient):
    """Fails on TensorFlow, works on every other backend."""

    def run_imports(self, *args: Any, changes: Sequence[Change] = (), **options: Any) -> Outcome:
        self.faults = () if changes else ((None, BOOM),)
        return super().run_imports(*args, changes=changes, **options)


def test_backends_that_work_are_found_when_nothing_does(lab: Lab) -> None:
    patient = OnlyOthers()
    experiment = lab.experiment(patient, world(BROKEN_TF))
    found = states(experiment.examine(train=False).backends)
    assert patient.tried == [(), (set_backend("jax"),), (set_backend("torch"),)]
    assert len(patient.tried) == 1 + MAX_WAYS_OUT
    assert [name for name, state in found.items() if state.importable] == ["jax", "torch"]
    assert found["tensorflow"].importable is None
    # They say nothing about the causes.
    assert len(experiment.outcomes) == 1


@pytest.mark.parametrize(
    "context",
    [
        world(BROKEN_TF, wish="tensorflow"),
        world(with_(KERAS_210_STACK, *JAX)),
        world(TENSORFLOW_STACK),
    ],
    ids=["another one is wished", "this Keras has one backend only", "there is no other"],
)
def test_no_way_out_is_looked_for(lab: Lab, context: Context) -> None:
    patient = Patient((None, BOOM))
    lab.experiment(patient, context).examine(train=False)
    assert patient.tried == [()]


def test_a_way_out_that_was_proven_is_not_looked_for_again(lab: Lab) -> None:
    patient = Patient((TO_TENSORFLOW, NO_TORCH))
    context = world(with_(TENSORFLOW_STACK, *JAX), variables={"KERAS_BACKEND": "torch"})
    lab.experiment(patient, context).examine(train=False)
    assert len(patient.runs) == 2


def test_every_backend_is_tried(lab: Lab) -> None:
    patient = Patient()
    experiment = lab.experiment(patient, world(with_(JAX_STACK, dist("openvino", "2025.0"))))
    found = states(experiment.try_backends())
    assert list(found) == ["tensorflow", "jax", "torch", "numpy", "openvino"]
    asked = [set_backend(name) for name in ("jax", "numpy", "openvino")]
    assert patient.tried == [(change,) for change in asked]
    assert all(run.options["train"] is True for run in patient.runs)
    assert (found["jax"].importable, found["jax"].trains, found["jax"].reason) == (True, True, None)
    assert (found["torch"].installed, found["torch"].reason) == (False, "not installed")
    assert (found["torch"].importable, found["torch"].trains) == (False, False)
    assert (found["numpy"].importable, found["numpy"].trains) == (True, False)
    assert "does not train" in (found["numpy"].reason or "")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (failed(raised("OSError", "no"), raised("ImportError", "libx")), "ImportError: libx"),
        (died("SIGILL"), "SIGILL"),
        (failed(status="hung", exit_code=None), "hung"),
    ],
)
def test_why_a_backend_does_not_work(lab: Lab, outcome: Outcome, reason: str) -> None:
    patient = Patient((None, outcome))
    found = states(lab.experiment(patient, world()).try_backends())
    assert found["jax"].reason == reason
    assert (found["jax"].importable, found["jax"].trains) == (False, False)


def test_a_backend_that_is_replaced_by_another_is_not_importable(lab: Lab) -> None:
    """Keras 2.15 runs on TensorFlow whatever is asked for."""
    patient = Patient()
    monkey = passed("tensorflow")
    patient.run_imports = lambda *_a, **_k: monkey  # type: ignore[method-assign]
    found = states(lab.experiment(patient, world()).try_backends())
    assert found["jax"].importable is False


def test_no_keras_no_backends(lab: Lab) -> None:
    context = world(without(BARE_STACK, "keras"))
    assert lab.experiment(Patient(), context).try_backends() == ()
