"""The screens of `check`, compared with golden files.

KERAS_DOCTOR_UPDATE_GOLDEN=1 writes them anew; read the difference before committing it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_doctor.model import Change, Evidence, Fix
from keras_doctor.report.backends import render_backends
from keras_doctor.report.layout import clean
from keras_doctor.report.text import render_check
from keras_doctor.rules.base import sign
from report import report_samples as samples

GOLDEN = Path(__file__).parent / "golden"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("KERAS_DOCTOR_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is not there; see the docstring of this file"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", samples.SAMPLES)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("", {"width": 80}),
        ("-narrow", {"width": 40}),
        ("-quiet", {"width": 80, "quiet": True}),
        ("-verbose", {"width": 100, "verbose": True, "considered": ("PATH: /usr/bin/python",)}),
    ],
)
def test_screen(name: str, kind: str, options: dict[str, object]) -> None:
    text = render_check(samples.SAMPLES[name](), **options)  # type: ignore[arg-type]
    compare(f"{name}{kind}.txt", text)


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    example = samples.SAMPLES[name]()
    plain = render_check(example, verbose=True)
    colored = render_check(example, verbose=True, color=True)
    assert "\x1b[" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    assert colored != plain


@pytest.mark.parametrize("name", samples.SAMPLES)
@pytest.mark.parametrize("width", [40, 60, 80, 100, 500])
def test_widths(name: str, width: int) -> None:
    example = samples.SAMPLES[name]()
    commands = {fix.command for cause in example.diagnosis.causes for fix in cause.fixes}
    asked = {ask.command for ask in example.diagnosis.asks}
    for line in render_check(example, width=width, verbose=width >= 60).splitlines():
        copied = line.strip() in commands | asked or line.strip().startswith("keras-doctor ")
        assert len(line) <= min(width, 100) or copied or "/" in line, line


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_last_line_of_a_traceback_is_whole(width: int) -> None:
    message = " ".join(f"word{i}" for i in range(400)) + "\n" + "x" * 300
    run = samples.outcome("raised", chain=(samples.raised("pkg.mod.StrangeError", message),))
    text = render_check(samples.examination(outcomes=(run,)), width=width)
    assert f"pkg.mod.StrangeError: {message}".split() == [
        word for word in text.split() if word.startswith(("pkg.mod", "word", "x" * 300))
    ]


def test_every_command_is_pasteable_at_any_width() -> None:
    command = "/a/python -m pip install " + " ".join(f"'package{i}==1.0'" for i in range(30))
    fix = Fix(kind="install", summary="x", argv=None, command=command, name=None, value=None)
    example = samples.examination(
        diagnosis=samples.diagnosis(causes=(samples.finding(fixes=(fix,)),))
    )
    for width in (20, 80):
        lines = [line.strip() for line in render_check(example, width=width).splitlines()]
        assert command in lines


def test_what_was_not_tried_is_said() -> None:
    assert "Not tried  the import itself (--no-live)" in render_check(samples.unseen())
    assert "the import itself (facts from a file are only read)" in render_check(
        samples.unseen_cause(), from_file=True
    )
    assert "the machine that the facts are from:" in render_check(
        samples.unseen_cause(), from_file=True
    )
    assert "Not tried  a training step" in render_check(samples.healthy())
    trained = samples.healthy()
    step = samples.outcome(kind="train", what="one training step")
    assert "Not tried" not in render_check(trained._replace(outcomes=(*trained.outcomes, step)))


def test_a_failing_training_step_is_the_verdict() -> None:
    step = samples.outcome(
        "raised",
        kind="train",
        what="one training step",
        chain=(samples.raised("ValueError", "no"),),
    )
    text = render_check(samples.examination(outcomes=(samples.outcome(), step)))
    assert "fails here" in text.splitlines()[0]
    assert "import keras: passed" in text
    assert "ValueError: no" in text


def test_the_experiment_of_one_cause_with_two_changes() -> None:
    one = Change(kind="unset-variable", name="PYTHONPATH", value=None)
    two = Change(kind="hide-module", name="/p/random.py", value=None)
    cause = samples.finding(confidence="proven", changes=(one, two))
    runs = (samples.outcome("raised"), samples.outcome(changes=(one, two)))
    text = render_check(
        samples.examination(outcomes=runs, diagnosis=samples.diagnosis(causes=(cause,)))
    )
    assert (
        "As it is, `import keras` fails; with these 2 changes, it passes: PYTHONPATH unset, "
        "/p/random.py out of the way" in " ".join(text.split())
    )


def test_the_experiment_behind_another_cause() -> None:
    one = Change(kind="unset-variable", name="PYTHONPATH", value=None)
    two = Change(kind="config-text", name="/h/keras.json", value="{}")
    first = samples.finding(confidence="certain", changes=(one,))
    second = samples.finding(confidence="proven", changes=(two,))
    runs = (
        samples.outcome("raised"),
        samples.outcome("raised", changes=(one,)),
        samples.outcome(changes=(one, two)),
    )
    text = render_check(
        samples.examination(outcomes=runs, diagnosis=samples.diagnosis(causes=(first, second)))
    )
    assert (
        "With the causes above removed, `import keras` still fails; with this one change more, "
        "it passes: a mended copy of /h/keras.json" in " ".join(text.split())
    )


def test_certain_says_what_it_rests_on() -> None:
    """A failure that a cause did not predict is not said to show it."""
    predicted = sign("ModuleNotFoundError", module="torch")
    cause = samples.finding(confidence="certain", signs=(predicted,), changes=())
    for name, words in (
        ("torch", "the failure that was seen is the one that this leads to"),
        ("numpy", "there is no other way for it to end"),
    ):
        error = samples.raised("ModuleNotFoundError", f"No module named '{name}'", name=name)
        text = render_check(
            samples.examination(
                outcomes=(samples.outcome("raised", chain=(error,)),),
                diagnosis=samples.diagnosis(causes=(cause,)),
            )
        )
        assert words in " ".join(text.split())


def test_a_command_that_passes_on_another_backend() -> None:
    """The command itself does not say its backend; the run of its imports does."""
    script = samples.target(command=("python", "train.py"), script="/p/train.py")
    change = Change(kind="set-variable", name="KERAS_BACKEND", value="jax")
    imports = samples.outcome(
        what="; ".join(f"import module{i}" for i in range(9)), backend="tensorflow"
    )
    command = samples.outcome(kind="command", what="python train.py")
    text = render_check(
        samples.examination(
            wish="jax",
            snapshot=samples.snapshot(target=script),
            outcomes=(command, imports, imports._replace(backend="jax", changes=(change,))),
            diagnosis=samples.diagnosis(causes=(samples.finding(changes=(change,)),)),
        )
    )
    flat = " ".join(text.split())
    assert flat.startswith(
        "`python train.py` works here, but with the tensorflow backend instead of jax."
    )
    assert "the imports of train.py: passed in 3.2 s" in flat
    assert (
        "As it is, `python train.py` does not do what was asked; with this one change, it gets "
        "jax: KERAS_BACKEND=jax" in flat
    )


def test_imports_that_pass_are_shown_beside_a_command_that_fails() -> None:
    command = samples.outcome("raised", kind="command", what="python train.py", exit_code=1)
    text = render_check(samples.examination(outcomes=(command, samples.outcome())))
    assert "Ran        python train.py: failed after 3.2 s" in text
    assert "           import keras: passed in 3.2 s" in text


def test_unclaimed_consequences_are_not_lost() -> None:
    stray = samples.follower()._replace(key="other:thing", title="A stray thing.")
    example = samples.examination(
        diagnosis=samples.diagnosis(
            causes=(samples.finding(),), consequences=(samples.follower(), stray)
        )
    )
    text = " ".join(render_check(example).split())
    assert (
        "2 other messages follow from this: No module named torch is on the path; A stray" in text
    )


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_hostile_strings_everywhere(text: str) -> None:
    """Every string that the patient can choose, at once."""
    hostile = "\x1b[2J\x9b31m\x07" + text
    cause = samples.finding(
        title=hostile,
        why=hostile,
        culprit=hostile,
        evidence=(Evidence(text=hostile, where=hostile),),
        changes=(Change(kind="set-variable", name=hostile, value=hostile),),
        fixes=(
            Fix(kind="delete", summary=hostile, argv=None, command=hostile, name=None, value=None),
        ),
    )
    run = samples.outcome(
        "raised",
        what=hostile,
        chain=(samples.raised(hostile, hostile),),
        output=hostile,
        failed_statement=hostile,
        signal=hostile,
        backend=hostile,
    )
    example = samples.examination(
        snapshot=samples.snapshot(
            target=samples.target(python=hostile, folder=hostile, command=(hostile, hostile)),
            problems=(hostile,),
        ),
        wish=hostile,
        outcomes=(run, run._replace(status="died", chain=(), changes=cause.changes)),
        diagnosis=samples.diagnosis(
            causes=(cause,),
            consequences=(cause,),
            notes=(cause,),
            selection=samples.selection(hostile),
            backends=(samples.backend(hostile, hostile, importable=True, reason=hostile),),
            results=(samples.result(hostile, "crashed", hostile),),
        ),
    )
    for page in (
        render_check(example, verbose=True, considered=(hostile,)),
        render_check(example, quiet=True),
        render_backends(example, verbose=True),
    ):
        assert not CONTROL.search(page)
        assert page == clean(page)
        page.encode("utf-8")
    assert render_check(example, unicode=False).isascii()


@pytest.mark.parametrize("kind", ["", "-verbose"])
def test_backends_screen(kind: str) -> None:
    states = (
        samples.backend(
            "tensorflow",
            "2.18.0",
            importable=False,
            reason="ImportError: libtensorflow_framework.so.2: file too short",
        ),
        samples.backend("jax", "0.5.0", importable=True, trains=True, device="cpu", seconds=1.25),
        samples.backend("torch"),
        samples.backend("numpy", "2.1.0", importable=True, trains=False, seconds=0.11),
        samples.backend("openvino", "2025.1"),
    )
    example = samples.healthy()
    example = example._replace(diagnosis=example.diagnosis._replace(backends=states))
    compare(f"backends{kind}.txt", render_backends(example, verbose=bool(kind), width=90))


def test_backends_without_keras() -> None:
    example = samples.examination(diagnosis=samples.diagnosis(selection=None, backends=()))
    assert render_backends(example).startswith("No Keras is found here.\n")
