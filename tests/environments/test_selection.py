"""Which backend real releases of Keras take, beside what the rules say about the same folders.

Bare releases, without any backend: the exception names the module of the backend that was taken,
or what was wrong with the settings. Each row of settings is tried in a fork of one process of the
release's own Python, in which everything but Keras is already imported.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from environments.builder import old_python, run_uv
from keras_doctor.api import take_snapshot
from keras_doctor.diagnosis import diagnose
from keras_doctor.knowledge.selection import backends, generation_of
from keras_doctor.model import Finding, Outcome, Raised, Snapshot
from keras_doctor.rules.context import Context
from keras_doctor.rules.selection.config_text import read_config

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the rows are tried in forks"),
]
OLD = ("1.0.8", "1.2.2", "2.0.8", "2.2.0", "2.3.1")
NEW = ("2.15.0", "3.10.0", "3.15.1")
OLD_NEEDS = ("numpy==1.18.5", "six==1.17.0", "pyyaml==6.0.1")
NEW_NEEDS = (
    *("numpy<2.6", "absl-py<3", "h5py<3.17", "rich<16", "namex<1", "optree<0.21", "ml-dtypes<0.7"),
    *("packaging<27", "markdown-it-py<5", "mdurl<1", "pygments<3", "typing-extensions<5"),
)


def content(backend: str = "tensorflow", **values: object) -> str:
    written = {"floatx": "float32", "epsilon": 1e-07, "backend": backend}
    return json.dumps({**written, "image_data_format": "channels_last", **values})


class Row(NamedTuple):
    """Settings: KERAS_BACKEND, the home folder's keras.json, and that of KERAS_HOME."""

    name: str
    variable: str | None = None
    home: str | None = None
    moved: str | None = None
    """The file in the folder of KERAS_HOME; "" for a folder without one; None: not set."""


ROWS = (
    Row("nothing"),
    Row("empty variable", ""),
    Row("theano", "theano"),
    Row("cntk", "cntk"),
    Row("jax", "jax"),
    Row("numpy", "numpy"),
    Row("capitals", "TensorFlow"),
    Row("a space", "jax "),
    Row("some module", "json"),
    Row("file: theano", home=content("theano")),
    Row("file: torch", home=content("torch")),
    Row("file: no backend", home="{}"),
    Row("file: null", home='{"backend": null}'),
    Row("file: empty name", home='{"backend": ""}'),
    Row("file: malformed", home='{"backend": "theano",}'),
    Row("file: byte order mark", home="\ufeff" + content("theano")),
    Row("file: empty", home=""),
    Row("file: a list", home="[]"),
    Row("file: epsilon", home=content(epsilon=1)),
    Row("file: bfloat16", home=content(floatx="bfloat16")),
    Row("file: format of Keras 1", home=content(image_data_format="th")),
    Row("file: ordering of Keras 1", home=content(image_dim_ordering="x")),
    Row("variable and file", "tensorflow", content("theano")),
    Row("variable and malformed file", "theano", "{"),
    Row("variable and a file for another release", "theano", content("jax")),
    Row("KERAS_HOME", home=content("theano"), moved=content("torch")),
    Row("KERAS_HOME without a file", home=content("theano"), moved=""),
)

DRIVER = """\
import importlib, json, os, sys
for name in ("numpy", "scipy", "h5py", "six", "yaml", "rich", "optree"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
for row in json.load(sys.stdin):
    read, write = os.pipe()
    if os.fork() == 0:
        os.environ.update(row["variables"])
        os.chdir(row["folder"])
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        answer = ["passed", "", None]
        try:
            import keras
        except BaseException as error:
            answer = [type(error).__name__, str(error), getattr(error, "name", None)]
        os.write(write, json.dumps(answer).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        print(file.read())
    os.wait()
"""


class Tried(NamedTuple):
    """One row under one release: what was read, and what happened."""

    snapshot: Snapshot
    type: str
    message: str
    module: str | None

    @property
    def outcome(self) -> Outcome:
        raised = Raised(
            type=self.type, message=self.message, frames=(), link=None, name=self.module, path=None
        )
        return Outcome(
            kind="imports",
            what="import keras",
            status="raised",
            exit_code=1,
            signal=None,
            chain=(raised,),
            crash_frames=(),
            failed_statement="import keras",
            failed_line=1,
            backend=None,
            keras_version=None,
            keras_file=None,
            device=None,
            imports=(),
            seconds=0.1,
            output="",
            changes=(),
        )


class Bench:
    """Two environments, one for old and one for new releases; one Keras lies in it at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, version: str) -> str:
        """Put a bare Keras in place of the one before; gives the interpreter."""
        old = version in OLD
        environment = self.folder / ("old" if old else "new")
        python = str(environment / "bin" / "python")
        needs: tuple[str, ...] = ()
        if not environment.exists():
            base = old_python() if old else getattr(sys, "_base_executable", sys.executable)
            if base is None:
                pytest.skip("no Python 3.8 or 3.7 on this machine (pyenv, PATH)")
            run_uv("venv", "--quiet", "--no-project", "--python", base, str(environment))
            needs = OLD_NEEDS if old else NEW_NEEDS
        run_uv(
            *("pip", "install", "--quiet", "--no-deps", "--python", python),
            *(f"keras=={version}", *needs),
        )
        return python


class Release:
    """The answers of a bare release of Keras to all rows."""

    def __init__(self, bench: Bench, version: str) -> None:
        self.folder = bench.folder / version
        self.version = version
        self.python = bench.install(version)
        self.tried = self._try()

    def home(self, row: Row) -> Path:
        return self.folder / str(ROWS.index(row)) / "home"

    def _variables(self, row: Row) -> dict[str, str]:
        """Lay out the folders of a row, and say its variables."""
        folder = self.home(row).parent
        for name in ("home/.keras", "conf", "project"):
            (folder / name).mkdir(parents=True)
        variables = {"PATH": "/usr/bin:/bin", "HOME": str(folder / "home")}
        if row.home is not None:
            (folder / "home/.keras/keras.json").write_text(row.home, encoding="utf-8")
        if row.variable is not None:
            variables["KERAS_BACKEND"] = row.variable
        if row.moved is not None:
            variables["KERAS_HOME"] = str(folder / "conf")
        if row.moved:
            (folder / "conf/keras.json").write_text(row.moved, encoding="utf-8")
        return variables

    def _try(self) -> dict[str, Tried]:
        variables = [self._variables(row) for row in ROWS]
        folders = [str(self.home(row).parent / "project") for row in ROWS]

        def collected(number: int) -> Snapshot:
            return take_snapshot(
                python=self.python, environ=variables[number], folder=folders[number]
            )

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            snapshots = list(pool.map(collected, range(len(ROWS))))
        asked = [
            {"variables": values, "folder": folder}
            for values, folder in zip(variables, folders, strict=True)
        ]
        done = subprocess.run(
            [self.python, "-c", DRIVER],
            input=json.dumps(asked),
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        return {
            row.name: Tried(snapshot, *answer)
            for row, snapshot, answer in zip(ROWS, snapshots, answers, strict=True)
        }


Releases = Callable[[str], Release]


@pytest.fixture(scope="module")
def releases() -> Iterator[Releases]:
    """The releases, each made when it is first asked for."""
    folder = Path(tempfile.mkdtemp(prefix="keras-doctor-releases-"))
    bench = Bench(folder)
    yield functools.cache(lambda version: Release(bench, version))
    shutil.rmtree(folder)


CASES = [
    pytest.param(version, row, id=f"{version}-{row.name}")
    for version in (*OLD, *NEW)
    for row in ROWS
]


@pytest.mark.parametrize(("version", "row"), CASES)
def test_release(releases: Releases, version: str, row: Row) -> None:
    tried = releases(version).tried[row.name]
    context = Context(tried.snapshot)
    assert context.keras_version == version
    read = only(diagnose(context).causes, predicted(context, tried))
    assert read.weight == "fatal"
    assert read.blocks == ("keras",)

    seen = diagnose(Context(tried.snapshot, outcomes=(tried.outcome,)))
    assert only(seen.causes, read.code).confidence == "certain"
    assert "unknown" not in [f.cause for f in seen.causes]


def only(causes: tuple[Finding, ...], code: str) -> Finding:
    """The cause of that rule; beside settings, only what was left out to be quick is missing."""
    assert {f.code for f in causes} <= {"KD101", "KD102", "KD103", "KD104", "KD105", "KD206"}
    assert causes[0].code != "KD206"
    (found,) = [f for f in causes if f.code == code]
    return found


def predicted(context: Context, tried: Tried) -> str:
    """The code of the rule that must explain what the import really did."""
    choice = context.choice
    if tried.type == "ModuleNotFoundError":
        assert tried.module in backends()[choice.backend or ""].imports
        lost = any(
            f.code == "KD105" and f"backend-not-installed:{choice.backend}" in f.explains
            for f in diagnose(context).causes
        )
        return "KD105" if lost else "KD102"
    if tried.type == "JSONDecodeError":
        return "KD105"
    if tried.message.startswith("Unable to import backend : "):
        assert choice.backend == tried.message.removeprefix("Unable to import backend : ")
        return "KD101"
    if "Empty module name" in tried.message or "Invalid backend" in tried.message:
        return "KD101"
    # An assertion without text, a named key, or a method that a value of another type lacks.
    assert tried.type in ("AssertionError", "ValueError", "AttributeError")
    generation = context.generation
    assert generation is not None
    content = choice.config.content if choice.config else None
    return "KD105" if content and content.invalid else "KD101"


@pytest.mark.parametrize("version", [*OLD, *NEW[1:]])
def test_what_keras_writes_by_itself(releases: Releases, version: str) -> None:
    release = releases(version)
    path = release.home(ROWS[0]) / ".keras" / "keras.json"
    tried = release.tried["nothing"]
    (home,) = [c for c in tried.snapshot.configs if (c.kind, c.source) == ("keras.json", "home")]
    assert home.state == "absent"
    written = read_config(home._replace(state="read", text=path.read_text()), version)
    generation = generation_of(version)
    assert generation is not None
    assert written.automatic
    assert written.backend == generation.default


@pytest.mark.parametrize("version", [*OLD, *NEW])
def test_no_file_of_the_user_was_changed_by_collecting(releases: Releases, version: str) -> None:
    for row in ROWS:
        snapshot = releases(version).tried[row.name].snapshot
        (home,) = [c for c in snapshot.configs if (c.kind, c.source) == ("keras.json", "home")]
        assert home.text == row.home
