"""From the fixes of a finding to typed steps: kind, risk, grouping, and what they act on."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules.factory import HOME, KERAS_JSON, automatic, config, entry, world

from fixes.repairing import PROJECT, SCRIPT, SITE, a_finding, a_fix
from keras_doctor.fixes.ways import distributions_of, is_ours, key_of, ways_of, with_backend
from keras_doctor.model import Fix
from keras_doctor.model.outcome import Change
from keras_doctor.model.plan import Step, Way
from keras_doctor.rules.context import Context

WORLD = world()
MISPLACED = f"{PROJECT}/keras.json"


def nothing(_path: str) -> str | None:
    return None


def only_step(fix: Fix, context: Context = WORLD, *changes: Change) -> Step:
    """The one step that a finding with one fix gives."""
    (way,) = ways_of(a_finding(fix, changes=changes), context, nothing)
    (step,) = way.steps
    return step


class Case(NamedTuple):
    id: str
    fix: Fix
    kind: str
    risk: str
    fields: dict[str, object]


CASES = [
    Case(
        "a variable to set",
        a_fix("set-env", "KERAS_BACKEND", "jax", command="export KERAS_BACKEND=jax"),
        "set-env",
        "shown",
        {"name": "KERAS_BACKEND", "value": "jax"},
    ),
    Case(
        "a variable to unset",
        a_fix("unset-env", "KERAS_BACKEND", command="unset KERAS_BACKEND"),
        "set-env",
        "shown",
        {"name": "KERAS_BACKEND", "value": None},
    ),
    Case(
        "an install",
        a_fix("install", "numpy", targets=("numpy<2", "scipy")),
        "install",
        "safe",
        {"requirements": ("numpy<2", "scipy")},
    ),
    Case(
        "a reinstall",
        a_fix("reinstall", "numpy", targets=("numpy==2.2.1",)),
        "reinstall",
        "safe",
        {"requirements": ("numpy==2.2.1",)},
    ),
    Case(
        "an uninstall",
        a_fix("uninstall", "numpy", targets=("numpy",)),
        "uninstall",
        "safe",
        {"requirements": ("numpy",)},
    ),
    Case(
        "an install of what is not said",
        a_fix("install", "numpy"),
        "other",
        "shown",
        {"requirements": ()},
    ),
    Case(
        "a file of the environment",
        a_fix("delete", f"{SITE}/keras.py", targets=(f"{SITE}/keras.py", f"{SITE}/~eras")),
        "delete",
        "safe",
        {"paths": (f"{SITE}/keras.py", f"{SITE}/~eras")},
    ),
    Case(
        "a file of the environment, by its name alone",
        a_fix("delete", f"{SITE}/keras.py", targets=(f"{SITE}/keras.py",)),
        "delete",
        "safe",
        {"paths": (f"{SITE}/keras.py",)},
    ),
    Case(
        "a file of the user's",
        a_fix("delete", f"{PROJECT}/keras.py", targets=(f"{PROJECT}/keras.py",)),
        "delete",
        "shown",
        {"paths": (f"{PROJECT}/keras.py",)},
    ),
    Case(
        "one file of the environment and one of the user's",
        a_fix("delete", "x", targets=(f"{SITE}/keras.py", f"{PROJECT}/keras.py")),
        "delete",
        "shown",
        {},
    ),
    Case(
        "a path that leads out of the environment",
        a_fix("delete", "x", targets=(f"{SITE}/../../../home/ada/x",)),
        "delete",
        "shown",
        {},
    ),
    Case("the environment itself", a_fix("delete", "x", targets=("/env",)), "delete", "shown", {}),
    Case(
        "a neighbour of the environment",
        a_fix("delete", "x", targets=("/env2/x",)),
        "delete",
        "shown",
        {},
    ),
    Case("nothing to delete", a_fix("delete"), "other", "shown", {"paths": ()}),
    Case(
        "words about a folder are no order to delete it",
        a_fix("delete", f"{SITE}/keras"),
        "other",
        "shown",
        {"paths": ()},
    ),
    Case(
        "rights in the environment",
        a_fix("chmod", f"{SITE}/keras", "u+rX", targets=(f"{SITE}/keras",)),
        "chmod",
        "safe",
        {"value": "u+rX", "paths": (f"{SITE}/keras",)},
    ),
    Case(
        "rights that are not said",
        a_fix("chmod", f"{SITE}/keras", targets=(f"{SITE}/keras",)),
        "chmod",
        "shown",
        {"value": None},
    ),
    Case(
        "rights of a keras.json",
        a_fix("chmod", KERAS_JSON, "0644", targets=(KERAS_JSON,)),
        "chmod",
        "safe",
        {"value": "0644"},
    ),
    Case(
        "a file of the user's gets another name",
        a_fix("rename-file", f"{PROJECT}/random.py", f"{PROJECT}/my_random.py"),
        "rename-file",
        "consent",
        {"path": f"{PROJECT}/random.py", "to": f"{PROJECT}/my_random.py"},
    ),
    Case(
        "a new name that is not said",
        a_fix("rename-file", f"{PROJECT}/random.py"),
        "other",
        "shown",
        {"path": None},
    ),
    Case(
        "another Python",
        a_fix("use-env", "/other/bin/python", argv=("/other/bin/python", "-c", "import keras")),
        "use-env",
        "consent",
        {"path": "/other/bin/python"},
    ),
    Case(
        "a package of the system",
        a_fix("system-package", "libgomp1", argv=("apt", "install"), command="apt install"),
        "system-package",
        "shown",
        {"name": "libgomp1"},
    ),
    Case(
        "a line of a shell's start file",
        a_fix("edit-config", f"{HOME}/.bashrc:12"),
        "other",
        "shown",
        {"path": f"{HOME}/.bashrc"},
    ),
    Case("a kind that is not known", a_fix("pray"), "other", "shown", {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_step_of_a_fix(case: Case) -> None:
    step = only_step(case.fix)
    assert (step.kind, step.risk) == (case.kind, case.risk)
    assert {name: getattr(step, name) for name in case.fields} == case.fields
    assert (step.summary, step.code) == (case.fix.summary, "KD999")
    assert (step.cause, step.culprit) == ("some-cause", "numpy")


def test_lines_for_the_shell_come_along() -> None:
    steps = [
        only_step(a_fix("set-env", "A", "1", command="export A=1")),
        only_step(a_fix("system-package", "x", argv=("apt", "x"), command="apt x")),
    ]
    assert [(c.manager, c.argv, c.text) for s in steps for c in s.commands] == [
        ("shell", None, "export A=1"),
        ("shell", ("apt", "x"), "apt x"),
    ]


def test_fixes_that_continue_are_one_way() -> None:
    found = a_finding(
        a_fix("delete", f"{SITE}/keras", targets=(f"{SITE}/keras",), continues=True),
        a_fix("install", "keras", targets=("keras==3.8.0",)),
        a_fix("set-env", "A", "1"),
        a_fix("uninstall", "b", targets=("b",), continues=True),
    )
    ways = ways_of(found, WORLD, nothing)
    assert [[step.kind for step in way.steps] for way in ways] == [
        ["delete", "install"],
        ["set-env"],
    ]
    assert {way.key for way in ways} == {key_of(found)} == {"KD999:some-cause:numpy"}


def test_no_fixes_give_no_ways() -> None:
    assert ways_of(a_finding(), WORLD, nothing) == ()


# -- keras.json


@pytest.mark.parametrize(
    "name", [KERAS_JSON, f"{KERAS_JSON}:3"], ids=["the file", "a line of the file"]
)
def test_another_backend_in_keras_json(name: str) -> None:
    context = world(keras_json=automatic("tensorflow", image_data_format="channels_first"))
    step = only_step(a_fix("edit-config", name, "jax"), context)
    assert (step.kind, step.risk, step.path) == ("write-file", "safe", KERAS_JSON)
    assert json.loads(step.value or "") == automatic("jax", image_data_format="channels_first")


def test_a_whole_text_of_keras_json_is_taken_as_it_is() -> None:
    text = '\n  {"backend": "jax", "mine": 1}'
    step = only_step(a_fix("edit-config", KERAS_JSON, text), world(keras_json=automatic()))
    assert step.value == text


def test_the_text_that_was_tried_is_the_one_that_is_written() -> None:
    tried = Change(kind="config-text", name=KERAS_JSON, value='{"tried": 1}')
    other = Change(kind="config-text", name="/other/keras.json", value='{"other": 1}')
    step = only_step(a_fix("edit-config", KERAS_JSON, "jax"), WORLD, other, tried)
    assert step.value == '{"tried": 1}'


def test_a_keras_json_without_a_value_is_the_users_to_mend() -> None:
    step = only_step(a_fix("edit-config", KERAS_JSON))
    assert (step.kind, step.risk, step.path) == ("other", "shown", KERAS_JSON)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"jax"', "[" * 100_000, "\ufeff{}"])
def test_what_is_no_json_object_becomes_what_keras_writes(text: str) -> None:
    assert json.loads(with_backend(text, "jax")) == automatic("jax")


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()),
    st.sampled_from(["jax", "torch"]),
)
def test_all_other_keys_stay(keys: dict[str, object], backend: str) -> None:
    text = with_backend(json.dumps(keys), backend)
    assert json.loads(text) == keys | {"backend": backend}
    assert text.endswith("}\n")


def test_a_misplaced_keras_json_is_copied_where_nothing_is() -> None:
    context = world(configs=[config(state="absent")])
    found = a_finding(a_fix("rename-file", MISPLACED, KERAS_JSON))
    (way,) = ways_of(found, context, {MISPLACED: '\ufeff{"backend": "jax"}'}.get)
    (step,) = way.steps
    assert (step.kind, step.risk, step.path) == ("write-file", "safe", KERAS_JSON)
    assert step.value == '{"backend": "jax"}'


@pytest.mark.parametrize(
    ("state", "text"),
    [("read", '{"backend": "jax"}'), ("unreadable", '{"backend": "jax"}'), ("absent", None)],
    ids=["one is there", "one is there that cannot be read", "the misplaced one cannot be read"],
)
def test_else_a_misplaced_keras_json_is_moved_only_when_the_user_says_so(
    state: str, text: str | None
) -> None:
    context = world(configs=[config("{}", state=state)])
    found = a_finding(a_fix("rename-file", MISPLACED, KERAS_JSON))
    (way,) = ways_of(found, context, lambda _: text)
    assert [(s.kind, s.risk, s.to) for s in way.steps] == [("rename-file", "consent", KERAS_JSON)]


# -- programs


def ways_with_source(fix: Fix, source: str | None) -> tuple[Way, ...]:
    return ways_of(a_finding(fix), WORLD, lambda path: source if path == SCRIPT else None)


def test_a_line_of_a_program_is_edited_exactly() -> None:
    source = 'import os\nos.environ["KERAS_BACKEND"] = "torch"\nimport keras\n'
    (way,) = ways_with_source(a_fix("edit-code", f"{SCRIPT}:2", "jax"), source)
    (step,) = way.steps
    assert (step.kind, step.risk, step.path, step.line) == ("edit-code", "shown", SCRIPT, 2)
    assert (step.old, step.new) == (
        'os.environ["KERAS_BACKEND"] = "torch"',
        'os.environ["KERAS_BACKEND"] = "jax"',
    )


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (f"{SCRIPT}:2", None),
        (f"{SCRIPT}:2", "import keras\n"),
        (f"{SCRIPT}:1", "def broken(:\n"),
        ("train.ipynb", "import keras\n"),
    ],
    ids=["unreadable", "no such line", "no Python", "no place"],
)
def test_without_an_honest_edit_there_are_only_words(name: str, source: str | None) -> None:
    (way,) = ways_with_source(a_fix("edit-code", name, "jax"), source)
    assert [(s.kind, s.risk, s.summary) for s in way.steps] == [("other", "shown", "Do edit-code.")]


# -- what belongs to the environment


def test_the_users_site_packages_belong_to_it() -> None:
    user = f"{HOME}/.local/lib/python3.12/site-packages"
    context = world(entries=[entry(user, "user-site")])
    assert is_ours(context, f"{user}/keras.py")
    assert not is_ours(WORLD, f"{user}/keras.py")
    assert not is_ours(context, user)


def test_without_a_folder_of_an_environment_the_prefix_is_it() -> None:
    context = world()
    target = context.snapshot.target._replace(environment=None)
    plain = Context(context.snapshot._replace(target=target))
    assert is_ours(plain, f"{SITE}/keras")


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("keras", "keras"),
        ("Tensor_Flow.CPU==2.10", "tensor-flow-cpu"),
        ("tensorflow[and-cuda]>=2", "tensorflow"),
        ("keras~=3.0", "keras"),
        ("numpy ; python_version<'3'", "numpy"),
    ],
)
def test_which_distribution_a_step_changes(requirement: str, name: str) -> None:
    install = only_step(a_fix("install", "x", targets=(requirement,)))
    assert distributions_of(install) == {name}
    assert distributions_of(install._replace(kind="use-env")) == frozenset()
