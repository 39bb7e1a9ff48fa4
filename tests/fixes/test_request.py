"""The joint request to an installer: what is wanted, what moves along, and what must stay."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules.factory import (
    JAX_STACK,
    KERAS_3,
    KERAS_210_STACK,
    NUMPY2,
    TENSORFLOW_STACK,
    Stack,
    dist,
    with_,
    without,
    world,
)

from fixes.repairing import a_step
from keras_doctor.fixes.request import Request, newly_broken, request_of
from keras_doctor.model import Distribution
from keras_doctor.model.plan import Step
from keras_doctor.names import normalize
from keras_doctor.requirements import parse_requirement
from keras_doctor.rules.context import Context

NOTHING = 'python_version < "0"'


def asked(
    context: Context,
    *steps: Step,
    keep: tuple[str, ...] = (),
    constraints: tuple[str, ...] = (),
    loose: bool = False,
) -> Request:
    found = request_of(steps, context, keep=keep, constraints=constraints, loose=loose)
    assert found is not None
    return found


def pins_of(distributions: tuple[Distribution, ...], *without_: str) -> set[str]:
    return {f"{d.name}=={d.version}" for d in distributions if normalize(d.name) not in without_}


def test_steps_that_install_nothing_ask_for_nothing() -> None:
    steps = [a_step("set-env", name="A"), a_step("delete"), a_step("use-env", "numpy")]
    assert request_of(steps, world()) is None
    assert request_of([], world()) is None


def test_all_steps_are_asked_for_jointly() -> None:
    request = asked(
        world(),
        a_step("install", "numpy<2", "scipy"),
        a_step("delete", paths=("/env/x",)),
        a_step("reinstall", "Keras==3.8.0"),
        a_step("uninstall", "Optree"),
        a_step("install", "scipy"),
    )
    assert request.requirements == ("numpy<2", "scipy", "Keras==3.8.0")
    assert request.reinstall == ("keras",)
    assert request.uninstall == ("optree",)


def test_everything_else_stays() -> None:
    context = world()
    request = asked(context, a_step("install", "scipy==1.14.0"))
    assert pins_of(JAX_STACK.distributions, "scipy") <= set(request.constraints)
    assert not any(line.startswith("scipy=") for line in request.constraints)


def test_what_is_uninstalled_is_not_held() -> None:
    request = asked(world(), a_step("uninstall", "optree"))
    assert request.requirements == ()
    assert not any(line.startswith("optree") for line in request.constraints)


@pytest.mark.parametrize(
    "odd",
    [
        dist("mine", "1.0", origin_url="file:///home/ada/mine"),
        dist("mine", "1.0", editable=True),
        dist("mine", "unknown"),
        dist("mine", ""),
    ],
    ids=["from a folder", "editable", "no version", "an empty version"],
)
def test_what_no_index_can_have_is_no_constraint(odd: Distribution) -> None:
    request = asked(world(with_(JAX_STACK, odd)), a_step("install", "scipy==1.14.0"))
    assert not any(line.startswith("mine") for line in request.constraints)


# -- who moves along

USER = dist("needs-scipy", "1.0", "scipy<1.20,>=1.15")
ALREADY = dist("broken-already", "1.0", "scipy<1.0")
TOLERANT = dist("tolerant", "1.0", "scipy")
ELSEWHERE = dist("elsewhere", "1.0", "scipy>=1.15; sys_platform == 'win32'")


def test_who_would_lose_a_requirement_moves_along() -> None:
    context = world(with_(JAX_STACK, USER, ALREADY, TOLERANT, ELSEWHERE))
    request = asked(context, a_step("install", "scipy==1.14.0"))
    assert request.requirements == ("scipy==1.14.0", "needs-scipy")
    held = {line.partition("==")[0] for line in request.constraints}
    assert "needs-scipy" not in held
    assert {"broken-already", "tolerant", "elsewhere"} <= held


def test_who_is_named_is_asked_for_once() -> None:
    context = world(with_(JAX_STACK, USER))
    request = asked(context, a_step("install", "scipy==1.14.0", "needs-scipy==0.9"))
    assert request.requirements == ("scipy==1.14.0", "needs-scipy==0.9")


def test_keras_and_its_backend_do_not_move_along() -> None:
    context = world(TENSORFLOW_STACK)
    request = asked(context, a_step("install", "numpy==2.2.1"))
    assert request.requirements == ("numpy==2.2.1",)
    assert "tensorflow==2.18.1" in request.constraints


def test_a_bound_that_is_no_pin_displaces_nobody() -> None:
    request = asked(world(with_(JAX_STACK, USER)), a_step("install", "scipy<1.15"))
    assert request.requirements == ("scipy<1.15",)


# -- loose


def test_when_loose_only_keras_and_its_backend_stay() -> None:
    context = world(with_(JAX_STACK, USER), wish="jax")
    request = asked(context, a_step("install", "scipy==1.14.0"), loose=True)
    assert request.requirements == ("scipy==1.14.0",)
    held = {line for line in request.constraints if "==" in line}
    assert held == {"keras==3.8.0", "jax==0.5.0"}


# -- what was measured


def measured_lines(request: Request) -> set[str]:
    return {line for line in request.constraints if "==" not in line}


def test_what_stays_needs_no_measured_bound() -> None:
    request = asked(world(KERAS_210_STACK), a_step("install", "h5py==3.9.0"))
    names = {line.partition("<")[0] for line in measured_lines(request)}
    assert "numpy" not in names
    assert "protobuf" not in names


def test_what_may_change_obeys_what_was_measured() -> None:
    request = asked(world(KERAS_210_STACK), a_step("install", "h5py==3.9.0"), loose=True)
    assert {"numpy<2.0.0", "protobuf<4.21.1"} <= measured_lines(request)
    assert not any(line.startswith("keras<") for line in request.constraints)


def test_what_is_new_obeys_what_was_measured() -> None:
    context = world(without(KERAS_210_STACK, "protobuf"))
    request = asked(context, a_step("install", "protobuf"))
    assert "protobuf<4.21.1" in request.constraints
    assert "numpy<2.0.0" not in request.constraints


def test_bounds_of_another_release_of_keras_do_not_matter() -> None:
    request = asked(world(KERAS_210_STACK), a_step("install", "tensorflow==2.18.1"), loose=True)
    assert "numpy<2.0.0" not in request.constraints


# -- twins


def cpu_only() -> Stack:
    """TensorFlow by way of tensorflow-cpu."""
    return with_(
        without(TENSORFLOW_STACK, "tensorflow"),
        dist("tensorflow-cpu", "2.18.1", "keras>=3.5.0", imports=("tensorflow",)),
    )


def test_the_twin_of_what_is_installed_is_left_out() -> None:
    request = asked(world(cpu_only()), a_step("install", "tf-keras==2.18.0"))
    assert f"tensorflow; {NOTHING}" in request.overrides
    assert f"tf-keras-nightly; {NOTHING}" in request.overrides
    assert not any(line.startswith("tensorflow-cpu;") for line in request.overrides)


def test_a_twin_that_is_asked_for_is_not_left_out() -> None:
    request = asked(
        world(cpu_only()),
        a_step("uninstall", "tensorflow-cpu"),
        a_step("install", "tensorflow==2.18.1"),
    )
    names = {line.partition(";")[0] for line in request.overrides}
    assert not {"tensorflow", "tensorflow-cpu"} & names
    assert "tf-nightly" in names


def test_the_twins_of_what_goes_may_come() -> None:
    request = asked(world(cpu_only()), a_step("uninstall", "tensorflow-cpu"))
    assert not any(line.startswith("tensorflow") for line in request.overrides)


# -- constraints of the user and of the project


def test_constraints_are_obeyed() -> None:
    request = asked(
        world(),
        a_step("install", "scipy==1.14.0"),
        constraints=("scipy>=1.10", "pandas<2", "mine @ file:///mine", "numpy<3; os_name == 'nt'"),
    )
    lines = set(request.constraints)
    assert {"scipy>=1.10", "pandas<2", "mine @ file:///mine"} <= lines
    assert "numpy<3; os_name == 'nt'" in lines


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("scipy==1.14.0", "scipy>=1.15"),
        ("SciPy==1.14.0", "scipy==1.15.0"),
        ("scipy<1.15", "scipy==1.15.0"),
    ],
)
def test_a_constraint_that_the_plan_contradicts_is_dropped(wanted: str, line: str) -> None:
    request = asked(world(), a_step("install", wanted), constraints=(line,))
    assert line not in request.constraints
    assert not any(c.startswith("scipy") for c in request.constraints)


def test_a_constraint_has_no_extras() -> None:
    """Pip refuses them in constraints."""
    request = asked(world(), a_step("install", "scipy"), constraints=("torch[opt]>=2 ; 'a'=='b'",))
    assert "torch>=2; 'a'=='b'" in request.constraints


def test_what_must_be_kept_is_said_even_when_the_plan_contradicts_it() -> None:
    """The installer refuses then, and the way is dismissed."""
    request = asked(world(), a_step("install", "scipy==1.14.0"), keep=("scipy==1.15.0",))
    assert request.constraints[0] == "scipy==1.15.0"


def test_what_must_be_kept_by_its_name_stays_at_its_release() -> None:
    kept = asked(world(), a_step("install", "keras"), keep=("Scipy", "absent"), loose=True)
    assert kept.constraints[:2] == ("scipy==1.15.0", "absent")
    free = asked(world(), a_step("install", "keras"), loose=True)
    assert "scipy==1.15.0" not in free.constraints


# -- properties

NAMES = sorted({normalize(d.name) for d in (*KERAS_3, NUMPY2)} | {"pandas", "torch"})
STEPS = st.lists(
    st.builds(
        lambda kind, name, tail: a_step(kind, name if kind == "uninstall" else name + tail),
        st.sampled_from(["install", "reinstall", "uninstall", "delete"]),
        st.sampled_from(NAMES),
        st.sampled_from(["", "==1.0", ">=1", "<3"]),
    ),
    max_size=5,
    unique_by=lambda step: normalize(step.requirements[0]),
)


def as_sets(request: Request | None) -> tuple[frozenset[str], ...] | None:
    """Its lists, without their order."""
    return None if request is None else tuple(map(frozenset, request[:5]))


@given(steps=STEPS, loose=st.booleans(), order=st.randoms(use_true_random=False))
def test_the_order_of_steps_does_not_matter(
    steps: list[Step], loose: bool, order: random.Random
) -> None:
    shuffled = list(steps)
    order.shuffle(shuffled)
    context = world()
    assert as_sets(request_of(steps, context, loose=loose)) == as_sets(
        request_of(shuffled, context, loose=loose)
    )


@given(steps=STEPS, loose=st.booleans())
def test_nothing_is_wanted_and_held_at_once(steps: list[Step], loose: bool) -> None:
    request = request_of(steps, world(), loose=loose)
    if request is None:
        return
    wanted = {normalize(r.name) for one in request.requirements if (r := parse_requirement(one))}
    held = {normalize(line.partition("==")[0]) for line in request.constraints if "==" in line}
    assert not (wanted | set(request.uninstall)) & held
    assert set(request.reinstall) <= wanted


# -- what is broken afterwards


def test_requirements_that_are_lost_are_told() -> None:
    before = world()
    after = world(with_(without(JAX_STACK, "h5py"), dist("scipy", "1.10.0")))
    assert newly_broken(before, after) == (
        "jaxlib needs scipy>=1.11.1",
        "keras needs h5py",
    )


def test_requirements_of_what_is_new_are_told_without_their_markers() -> None:
    new = dist("new", "1.0", "absent>=2; python_version >= '3'", "nowhere; python_version < '3'")
    assert newly_broken(world(), world(with_(JAX_STACK, new))) == ("new needs absent>=2",)


def test_what_was_broken_before_is_not_new() -> None:
    broken = world(with_(JAX_STACK, ALREADY))
    assert newly_broken(broken, broken) == ()
    assert newly_broken(broken, world()) == ()


def test_what_a_first_look_has_not_read_is_told_by_the_other_side() -> None:
    lacking = dist("extra", "1", "absent>=2", "optree>=0.14")
    unread = dist("extra", "1")._replace(record="unread")
    older = dist("optree", "0.13.0")
    # It came on the way of the import: what it lacks, it has lacked all along.
    assert newly_broken(world(with_(JAX_STACK, unread)), world(with_(JAX_STACK, lacking))) == ()
    # It lies off the way by now: what it has lost is lost all the same.
    assert newly_broken(
        world(with_(JAX_STACK, lacking)), world(with_(JAX_STACK, unread, older))
    ) == ("extra needs optree>=0.14",)
