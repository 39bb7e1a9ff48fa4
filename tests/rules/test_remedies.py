"""The ways out: commands that can be pasted, for the shell and the manager of the user."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_doctor.model import Fix, StartupLine
from keras_doctor.rules.context import Context
from keras_doctor.rules.remedies import (
    choose_backend,
    install,
    quoted,
    reinstall,
    set_variable,
    uninstall,
)
from rules.factory import (
    JAX_STACK,
    KERAS_JSON,
    PYTHON,
    SCRIPT,
    TENSORFLOW_STACK,
    automatic,
    dist,
    script,
    setting,
    without,
    world,
)

NO_PIP = world(without(JAX_STACK, "pip"))
WINDOWS = world(platform="win32")


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=9), min_size=1))
def test_the_shell_reads_what_was_quoted(words: list[str]) -> None:
    assert shlex.split(quoted(tuple(words))) == words


@pytest.mark.parametrize(
    ("word", "posix", "windows"),
    [
        ("keras==3.8.0", "keras==3.8.0", "keras==3.8.0"),
        ("numpy<2", "'numpy<2'", '"numpy<2"'),
        ("C:\\My Env\\python.exe", "'C:\\My Env\\python.exe'", '"C:\\My Env\\python.exe"'),
        ("C:\\env\\python.exe", "'C:\\env\\python.exe'", "C:\\env\\python.exe"),
        ("it's", "'it'\"'\"'s'", '"it\'s"'),
        ("~x", "'~x'", '"~x"'),
        ("", "''", '""'),
        ("$HOME", "'$HOME'", '"$HOME"'),
        ("a\n", "'a\n'", '"a\n"'),
    ],
)
def test_quoting(word: str, posix: str, windows: str) -> None:
    assert quoted((word,)) == posix
    assert quoted((word,), windows=True) == windows


@pytest.mark.parametrize(
    ("fix", "command"),
    [
        (install(world(), "keras"), f"{PYTHON} -m pip install keras"),
        (install(world(), "a", "b<2"), f"{PYTHON} -m pip install a 'b<2'"),
        (install(NO_PIP, "keras"), f"uv pip install --python {PYTHON} keras"),
        (
            reinstall(world(), dist("numpy", "2.2.1")),
            f"{PYTHON} -m pip install --force-reinstall --no-deps numpy==2.2.1",
        ),
        (
            reinstall(NO_PIP, dist("numpy", "2.2.1")),
            f"uv pip install --python {PYTHON} --reinstall-package numpy --no-deps numpy==2.2.1",
        ),
        (uninstall(world(), "a", "x"), f"{PYTHON} -m pip uninstall -y a"),
        (uninstall(NO_PIP, "a", "x"), f"uv pip uninstall --python {PYTHON} a"),
    ],
)
def test_installers(fix: Fix, command: str) -> None:
    assert fix.command == command
    assert fix.argv == tuple(shlex.split(command))


@pytest.mark.parametrize(
    ("context", "value", "command", "kind"),
    [
        (world(), "jax", "export KERAS_BACKEND=jax", "set-env"),
        (world(), "a b", "export KERAS_BACKEND='a b'", "set-env"),
        (world(), None, "unset KERAS_BACKEND", "unset-env"),
        (WINDOWS, "jax", "set KERAS_BACKEND=jax", "set-env"),
        (WINDOWS, None, "set KERAS_BACKEND=", "unset-env"),
    ],
)
def test_variables(context: Context, value: str | None, command: str, kind: str) -> None:
    fix = set_variable(context, "KERAS_BACKEND", value, "Do it.")
    assert (fix.kind, fix.command, fix.argv) == (kind, command, None)
    assert (fix.name, fix.value) == ("KERAS_BACKEND", value)


CUSTOMIZED = world(
    variables={"KERAS_BACKEND": "torch"},
    keras_json=automatic("jax"),
    set_by={"KERAS_BACKEND": "/site/sitecustomize.py:3"},
    startup=(
        StartupLine(path="/site/sitecustomize.py", line=0, text="sitecustomize", kind="customize"),
    ),
)
LINE = StartupLine(path="/env/a.pth", line=1, text="import os; os.environ[...]", kind="code")
OF_A_PTH = world(
    variables={"KERAS_BACKEND": "torch"},
    set_by={"KERAS_BACKEND": "/env/a.pth:1"},
    startup=(LINE,),
)


@pytest.mark.parametrize("value", ["jax", None])
@pytest.mark.parametrize(
    ("context", "kind", "place"),
    [
        (CUSTOMIZED, "edit-code", "/site/sitecustomize.py:3"),
        (OF_A_PTH, "edit-config", "/env/a.pth:1"),
    ],
)
def test_what_start_up_code_sets_is_changed_there(
    context: Context, kind: str, place: str, value: str | None
) -> None:
    fix = set_variable(context, "KERAS_BACKEND", value, "Do it.")
    assert (fix.kind, fix.name, fix.value, fix.command) == (kind, place, value, None)
    assert "each time that this Python starts" in fix.summary
    assert set_variable(context, "KERAS_HOME", value, "Do it.").command is not None


UNSET = ("unset-env", "KERAS_BACKEND", None)


def export(backend: str) -> tuple[str, str, str]:
    return ("set-env", "KERAS_BACKEND", backend)


@pytest.mark.parametrize(
    ("context", "backend", "expected"),
    [
        (world(), "jax", [export("jax")]),
        (world(variables={"KERAS_BACKEND": "torch"}), "jax", [export("jax")]),
        (
            world(variables={"KERAS_BACKEND": "torch"}),
            "tensorflow",
            [UNSET, export("tensorflow")],
        ),
        (
            world(variables={"KERAS_BACKEND": "torch"}, keras_json=automatic("jax")),
            "jax",
            [UNSET, export("jax")],
        ),
        (
            world(variables={"KERAS_BACKEND": "torch"}, keras_json=automatic("jax")),
            "tensorflow",
            [export("tensorflow")],
        ),
        (
            world(variables={"KERAS_BACKEND": "torch"}, set_by={"KERAS_BACKEND": "/x.sh"}),
            "jax",
            [export("jax"), ("edit-config", "/x.sh", None)],
        ),
        (
            CUSTOMIZED,
            "jax",
            [
                ("edit-code", "/site/sitecustomize.py:3", None),
                ("edit-code", "/site/sitecustomize.py:3", "jax"),
            ],
        ),
        (
            world(keras_json=automatic("torch")),
            "jax",
            [("edit-config", KERAS_JSON, "jax"), export("jax")],
        ),
        (
            world(program=script(setting("torch", line=4))),
            "jax",
            [("edit-code", f"{SCRIPT}:4", "jax")],
        ),
        (world(TENSORFLOW_STACK), "jax", [export("jax")]),
    ],
)
def test_where_the_asking_is_done(
    context: Context, backend: str, expected: list[tuple[str, str, str | None]]
) -> None:
    assert context.choice.source is not None
    fixes = choose_backend(context, backend, context.choice.source)
    assert [(f.kind, f.name, f.value) for f in fixes] == expected


def test_a_fix_names_the_distribution_that_it_acts_on() -> None:
    assert install(world(), "numpy<2,>=1.26").name == "numpy"


def test_commands_of_windows() -> None:
    from rules.factory import judge, remnant

    stack = without(JAX_STACK, "keras")
    context = world(stack, modules=[remnant("keras")], platform="win32")
    (found,) = judge("KD207", context)
    assert not (found.fixes[0].command or "").startswith("rm ")


def test_what_is_closed_to_installers_gets_an_environment_beside() -> None:
    context = world()
    assert context.snapshot.interpreter is not None
    interpreter = context.snapshot.interpreter._replace(externally_managed=True)
    closed = Context(context.snapshot._replace(interpreter=interpreter))
    fix = install(closed, "keras")
    assert (fix.kind, fix.targets) == ("install", ("keras",))
    assert fix.argv == ("keras-doctor", "fix", "--python", PYTHON)
    assert "PEP 668" in fix.summary
    assert "PEP 668" not in install(context, "keras").summary
