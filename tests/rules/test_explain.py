"""Which setting decides, for each generation of Keras: the table of the reference, row by row."""

from __future__ import annotations

import pytest

from keras_doctor.knowledge.selection import generation_of
from keras_doctor.model import ConfigFile
from keras_doctor.rules.context import Context
from keras_doctor.rules.selection.explain import Choice
from rules.factory import (
    JAX,
    KERAS_JSON,
    SCRIPT,
    Stack,
    automatic,
    config,
    dist,
    of_keras,
    script,
    setting,
    without,
    world,
)

# The generations of the reference: version, default, whether the variable, the backend in
# keras.json and KERAS_HOME are obeyed, and whether /tmp/.keras stands in for a HOME that cannot
# be written.
GENERATIONS = [
    ("0.2.0", "theano", False, False, False, False),
    ("0.3.0", "theano", False, True, False, False),
    ("0.3.1", "theano", True, True, False, True),
    ("1.0.8", "theano", True, True, False, True),
    ("1.1.0", "tensorflow", True, True, False, True),
    ("1.1.2", "tensorflow", True, True, False, True),
    ("1.2.2", "tensorflow", True, True, False, True),
    ("2.0.2", "tensorflow", True, True, False, True),
    ("2.0.4", "tensorflow", True, True, False, True),
    ("2.0.8", "tensorflow", True, True, False, True),
    ("2.1.6", "tensorflow", True, True, False, True),
    ("2.2.0", "tensorflow", True, True, True, True),
    ("2.3.1", "tensorflow", True, True, True, True),
    ("2.4.0", "tensorflow", True, True, True, True),
    ("2.4.2", "tensorflow", True, True, True, True),
    ("2.4.3", "tensorflow", False, False, True, False),
    ("2.5.0rc0", "tensorflow", False, False, True, False),
    ("2.10.0", "tensorflow", False, False, True, False),
    ("2.15.0", "tensorflow", False, False, True, False),
    ("3.0.0", "tensorflow", True, True, True, True),
    ("3.7.0", "tensorflow", True, True, True, True),
    ("3.15.1", "tensorflow", True, True, True, True),
]
ROWS = pytest.mark.parametrize(
    ("version", "default", "variable", "file", "home", "tmp"),
    GENERATIONS,
    ids=[row[0] for row in GENERATIONS],
)


def another(version: str, default: str) -> str:
    """A backend that this release knows and does not take by itself."""
    generation = generation_of(version)
    assert generation is not None
    others = [name for name in generation.names if name != default]
    return others[0] if others else {"theano": "tensorflow", "tensorflow": "theano"}[default]


def chosen(context: Context) -> tuple[str | None, str]:
    """The backend, and the kind of the source that decides."""
    choice = context.choice
    assert choice.source is not None
    assert [s for s in choice.sources if s.wins] == [choice.source]
    return choice.backend, choice.source.kind


@ROWS
def test_default(
    version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool
) -> None:
    assert chosen(world(of_keras(version))) == (default, "default")


@ROWS
def test_variable(
    version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool
) -> None:
    asked = another(version, default)
    context = world(of_keras(version), variables={"KERAS_BACKEND": asked})
    assert chosen(context) == ((asked, "environment") if variable else (default, "default"))


@ROWS
def test_keras_json(
    version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool
) -> None:
    asked = another(version, default)
    context = world(of_keras(version), keras_json=automatic(asked))
    assert chosen(context) == ((asked, "config") if file else (default, "default"))


@ROWS
def test_the_variable_beats_keras_json(
    version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool
) -> None:
    asked = another(version, default)
    context = world(
        of_keras(version),
        variables={"KERAS_BACKEND": default},
        keras_json=automatic(asked),
    )
    if variable:
        assert chosen(context) == (default, "environment")
    else:
        assert chosen(context) == ((asked, "config") if file else (default, "default"))


@ROWS
def test_keras_home(
    version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool
) -> None:
    asked = another(version, default)
    files = [config(automatic(asked), source="KERAS_HOME"), config(automatic(default))]
    context = world(of_keras(version), variables={"KERAS_HOME": "/conf"}, configs=files)
    choice = context.choice
    if home:
        assert choice.config is not None
        assert choice.config.where == "/conf/keras.json"
    assert chosen(context)[0] == (asked if home and file else default)


@ROWS
def test_tmp(version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool) -> None:
    asked = another(version, default)
    files = [config(state="absent", writable=False), config(automatic(asked), source="tmp")]
    assert chosen(world(of_keras(version), configs=files))[0] == (asked if tmp else default)


@ROWS
def test_malformed(
    version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool
) -> None:
    """Whether it stops Keras or is ignored, no backend is taken from it."""
    context = world(of_keras(version), keras_json='{"backend": "theano",}')
    assert chosen(context) == (default, "default")


@ROWS
def test_the_project_folder_is_never_read(
    version: str, default: str, variable: bool, file: bool, home: bool, tmp: bool
) -> None:
    files = [
        config(state="absent"),
        config(automatic(another(version, default)), source="project"),
    ]
    assert chosen(world(of_keras(version), configs=files)) == (default, "default")


@pytest.mark.parametrize(
    ("version", "backend"),
    [
        ("1.0.8", "theano"),
        ("1.1.0", "tensorflow"),
        ("1.1.1", "theano"),
        ("1.1.2", "theano"),
        ("1.2.0", "tensorflow"),
        ("2.3.1", "tensorflow"),
        ("3.8.0", "tensorflow"),
    ],
)
def test_default_of_windows(version: str, backend: str) -> None:
    assert chosen(world(of_keras(version), platform="win32")) == (backend, "default")
    assert chosen(world(of_keras(version), platform="win32", keras_json="{}"))[0] == backend


@pytest.mark.parametrize(
    ("version", "obeyed"),
    [
        ("0.3.0", False),
        ("0.3.1", True),
        ("2.0.4", True),
        ("2.1.6", True),
        ("2.2.0", True),
        ("2.2.1", False),
        ("2.3.1", False),
        ("2.10.0", False),
        ("3.0.0", False),
    ],
)
def test_an_empty_variable(version: str, obeyed: bool) -> None:
    """Up to 2.2.0 it is a name, and no backend has it; later it is not set."""
    context = world(of_keras(version), variables={"KERAS_BACKEND": ""})
    kind = chosen(context)[1]
    assert kind == ("environment" if obeyed else "default")


STACK = of_keras("3.8.0", *JAX)


def program(*settings: object, variables: dict[str, str] | None = None) -> Choice:
    parts = [s for s in settings if s is not None]
    return world(STACK, variables=variables, program=script(*parts, "keras")).choice  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("choice", "backend", "kind"),
    [
        (program(setting("jax")), "jax", "code"),
        (program(setting("jax"), variables={"KERAS_BACKEND": "torch"}), "jax", "code"),
        (program(setting("jax", line=2), setting("torch", line=3)), "torch", "code"),
        (program(setting("jax", before=False)), "tensorflow", "default"),
        (
            program(setting("jax", before=False), variables={"KERAS_BACKEND": "torch"}),
            "torch",
            "environment",
        ),
        (program(setting("jax", default_only=True)), "jax", "code"),
        (
            program(setting("jax", default_only=True), variables={"KERAS_BACKEND": "torch"}),
            "torch",
            "environment",
        ),
        (program(setting(None)), None, "code"),
        (program(setting("1", variable="TF_USE_LEGACY_KERAS")), "tensorflow", "default"),
        (
            program(setting("jax", before=False, text='keras.config.set_backend("jax")')),
            "jax",
            "code",
        ),
        (program(setting("")), "tensorflow", "default"),
        (
            program(setting(""), variables={"KERAS_BACKEND": "jax"}),
            "tensorflow",
            "default",
        ),
    ],
)
def test_lines_of_the_program(choice: Choice, backend: str | None, kind: str) -> None:
    assert choice.source is not None
    assert (choice.backend, choice.source.kind) == (backend, kind)


def test_setdefault_after_an_assignment() -> None:
    choice = program(setting("jax", line=2), setting("torch", line=3, default_only=True))
    assert choice.backend == "jax"


def test_setdefault_of_an_empty_variable() -> None:
    choice = program(setting("jax", default_only=True), variables={"KERAS_BACKEND": ""})
    assert choice.backend == "tensorflow"


def test_every_source_is_listed_with_what_became_of_it() -> None:
    context = world(
        STACK,
        variables={"KERAS_BACKEND": "torch", "KERAS_HOME": "/conf"},
        set_by={"KERAS_BACKEND": "/env/etc/activate.d/keras.sh"},
        configs=[
            config(automatic("jax"), source="KERAS_HOME"),
            config(automatic()),
            config(automatic("jax"), source="project"),
        ],
        program=script("keras", setting("numpy", line=9, before=False)),
    )
    assert [(s.kind, s.where, s.value, s.wins, bool(s.remark)) for s in context.choice.sources] == [
        ("code", f"{SCRIPT}:9", "numpy", False, True),
        (
            "environment",
            "environment variable KERAS_BACKEND, set by /env/etc/activate.d/keras.sh",
            "torch",
            True,
            False,
        ),
        ("config", "/conf/keras.json", "jax", False, False),
        ("config", KERAS_JSON, "tensorflow", False, True),
        ("config", "/home/ada/project/keras.json", "jax", False, True),
        ("default", "the default of Keras 3.8 and later", "tensorflow", False, False),
    ]


@pytest.mark.parametrize(
    ("version", "file", "remark"),
    [
        ("3.8.0", config("{"), "not valid JSON"),
        ("3.8.0", config(state="unreadable", mode=0), "cannot be read"),
        ("3.8.0", config("{}"), "names no backend"),
        ("3.8.0", config(automatic("jax"), source="project"), "no Keras reads a file there"),
        ("2.10.0", config(automatic("jax")), "tensorflow only"),
    ],
)
def test_remarks(version: str, file: ConfigFile, remark: str) -> None:
    files = [file] if file.source == "home" else [config(state="absent"), file]
    (source,) = [
        s for s in world(of_keras(version), configs=files).choice.sources if s.kind == "config"
    ]
    assert remark in (source.remark or "")
    assert not source.counts


def test_what_keras_writes_is_nobodys_request() -> None:
    explicit = {
        backend: world(STACK, keras_json=automatic(backend)).choice.sources[0].explicit
        for backend in ("tensorflow", "jax")
    }
    assert explicit == {"tensorflow": False, "jax": True}


def test_without_keras_nothing_is_chosen() -> None:
    choice = world(without(STACK, "keras"), variables={"KERAS_BACKEND": "jax"}).choice
    assert choice == Choice(backend=None, source=None, sources=(), config=None)


def test_an_invalid_file_leaves_the_backend_unknown() -> None:
    assert world(STACK, keras_json="[]").choice.backend is None


def test_keras_nightly_is_a_keras() -> None:
    nightly = dist("keras-nightly", "3.9.0.dev1", imports=("keras",))
    context = world(
        Stack("3.12.7", (nightly, *JAX, dist("numpy", "2.2.1"))),
        variables={"KERAS_BACKEND": "jax"},
    )
    assert context.keras_version == "3.9.0.dev1"
    assert chosen(context) == ("jax", "environment")


def test_the_first_keras_of_the_path_decides() -> None:
    old = dist("keras", "2.15.0", site="/first")
    context = world(STACK, beside=[old], variables={"KERAS_BACKEND": "jax"})
    assert context.keras_version == "2.15.0"
    assert chosen(context) == ("tensorflow", "default")


# What is named is what a release knows; the reference lists every generation.
@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("0.3.0", {"theano", "tensorflow"}),
        ("1.2.2", {"theano", "tensorflow"}),
        ("2.0.4", {"theano", "tensorflow"}),
        ("2.0.5", {"theano", "tensorflow", "cntk"}),
        ("2.3.1", {"theano", "tensorflow", "cntk"}),
        ("2.4.2", {"theano", "tensorflow", "cntk"}),
        ("2.4.3", {"tensorflow"}),
        ("2.15.0", {"tensorflow"}),
        ("3.0.0", {"tensorflow", "jax", "torch", "numpy"}),
        ("3.7.0", {"tensorflow", "jax", "torch", "numpy"}),
        ("3.8.0", {"tensorflow", "jax", "torch", "numpy", "openvino"}),
        ("3.15.1", {"tensorflow", "jax", "torch", "numpy", "openvino"}),
    ],
)
def test_names(version: str, names: set[str]) -> None:
    generation = generation_of(version)
    assert generation is not None
    assert set(generation.names) == names
    assert generation.external is ("2.2.0" <= version < "2.4.3")
    assert (generation.malformed == "error") is (version in ("0.3.0", "1.2.2"))
