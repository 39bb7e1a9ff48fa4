"""Hand-made repairs, each as a real one of its kind would end."""

from __future__ import annotations

from typing import Any

from report import report_samples as samples

from fixes.repairing import a_step
from keras_doctor.fixes.plans import nothing_yet
from keras_doctor.model import Examination
from keras_doctor.model.plan import (
    Alternative,
    Command,
    DistributionChange,
    Rehearsal,
    Repair,
)

JOURNAL = "20260131-120000-123456-0a1b2c3d"
PYTHON = f"{samples.ENV}/bin/python"
PIP = Command(
    "pip", (PYTHON, "-m", "pip", "install", "numpy<2"), f"{PYTHON} -m pip install 'numpy<2'"
)
INSTALL = a_step(
    "install", "numpy<2", summary="Install numpy below 2, which fits.", commands=(PIP,)
)
DELETE = a_step(
    "delete",
    risk="safe",
    summary="then delete what an interrupted uninstall has left,",
    paths=(f"{samples.SITE}/~eras",),
    commands=(Command("shell", ("rm", "-r", "x"), f"rm -r {samples.SITE}/~eras"),),
)
SET_ENV = a_step(
    "set-env",
    summary="Set KERAS_BACKEND to jax in your shell.",
    name="KERAS_BACKEND",
    value="jax",
    commands=(Command("shell", None, "export KERAS_BACKEND=jax"),),
)
RENAME = a_step(
    "rename-file",
    risk="consent",
    summary="Rename random.py.",
    path="/home/ada/project/random.py",
    to="/home/ada/project/my_random.py",
    commands=(Command("shell", None, "mv random.py my_random.py"),),
)
EDIT = a_step(
    "edit-code",
    summary="tensorflow.keras is not there; keras is",
    path="/home/ada/project/train.py",
    line=3,
    old="from tensorflow.keras import layers",
    new="import keras\nfrom keras import layers",
)
NEW_ENV = a_step(
    "use-env",
    risk="safe",
    summary="Make a new environment, /home/ada/project/.venv-jax, with Python 3.12: keras jax.",
    path="/home/ada/project/.venv-jax",
    commands=(
        Command("uv", ("uv", "venv"), "uv venv --python 3.12 /home/ada/project/.venv-jax"),
        Command("uv", ("uv", "pip"), "uv pip install --python /home/ada/project/.venv-jax keras"),
    ),
)
REHEARSAL = Rehearsal(
    rung="overlay",
    attempts=1,
    passed=True,
    distributions=(
        DistributionChange(name="numpy", before="2.2.1", after="1.26.4", again=False),
        DistributionChange(name="keras", before="3.8.0", after="3.8.0", again=True),
        DistributionChange(name="ml_dtypes", before=None, after="0.5.1", again=False),
        DistributionChange(name="tensorflow-gpu", before="2.10.0", after=None, again=False),
    ),
    files=1234,
    newly_broken=("pandas needs numpy>=2",),
    untouched=True,
    failure=None,
    seconds=12.3456,
    install_seconds=2.3456,
)
CLASH = (
    "/home/ada/project/requirements.txt:3 asks for numpy>=2, which would bring the trouble back: "
    "write numpy==1.26.4 there"
)
OTHER = Alternative(steps=(INSTALL, SET_ENV), why_not="another way did")


def a_repair(examination: Examination | None = None, **fields: Any) -> Repair:
    """One of which nothing came."""
    blank = nothing_yet(examination or samples.two_causes())
    return blank._replace(**fields)


def nothing_to_repair() -> Repair:
    return a_repair(samples.healthy(), verified=True)


def works_now() -> Repair:
    return a_repair(
        steps=(DELETE, INSTALL),
        alternatives=(OTHER,),
        rehearsal=REHEARSAL,
        applied=True,
        verified=True,
        journal=JOURNAL,
        remarks=(
            "the Jupyter kernel 12: restart it",
            "process 4711 (python ../train.py …): start it again",
            CLASH,
            "An earlier repair was interrupted.",
        ),
    )


def planned() -> Repair:
    return a_repair(steps=(DELETE, INSTALL), alternatives=(OTHER,) * 5, rehearsal=REHEARSAL)


def steps_left() -> Repair:
    return a_repair(
        manual=(SET_ENV, RENAME, EDIT),
        rehearsal=REHEARSAL._replace(distributions=(), newly_broken=()),
    )


def refused() -> Repair:
    return a_repair(
        steps=(INSTALL,),
        rehearsal=REHEARSAL,
        refusal="it is not for installers to change, as /usr/lib/python3.11/EXTERNALLY-MANAGED "
        "says (PEP 668)",
    )


def new_environment() -> Repair:
    failed_rehearsal = REHEARSAL._replace(passed=False, failure="numpy<2 does not resolve")
    activate = NEW_ENV._replace(
        risk="shown",
        summary="Use the new environment: it was tried, and trains.",
        commands=(Command("shell", None, "source /home/ada/project/.venv-jax/bin/activate"),),
    )
    return a_repair(
        steps=(NEW_ENV,),
        manual=(activate,),
        rehearsal=failed_rehearsal,
        environment="/home/ada/project/.venv-jax",
        applied=True,
    )


def offered_environment() -> Repair:
    return new_environment()._replace(manual=(), applied=False)


def failed_search() -> Repair:
    return a_repair(
        steps=(INSTALL,),
        manual=(a_step("system-package", summary="Install libgomp1 with your system's manager."),),
        alternatives=(Alternative(steps=(DELETE,), why_not="the same cause was still there"),),
        rehearsal=REHEARSAL._replace(
            passed=False,
            attempts=3,
            failure="KERAS_BACKEND asks for torch, which is not installed here.",
            distributions=(),
            newly_broken=(),
            rung="hard links",
        ),
    )


def no_place() -> Repair:
    return a_repair(refusal="no copy could be made to rehearse in (unshare: Not permitted.)")


def taken_back() -> Repair:
    return planned()._replace(
        verified=False, refusal="it did not work in the real environment and was taken back"
    )


REPAIRS = {
    "nothing-to-repair": nothing_to_repair,
    "works-now": works_now,
    "planned": planned,
    "steps-left": steps_left,
    "refused": refused,
    "new-environment": new_environment,
    "offered-environment": offered_environment,
    "failed-search": failed_search,
    "no-place": no_place,
    "taken-back": taken_back,
}
"""Every repair by the name of its golden file."""
