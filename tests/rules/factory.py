"""Worlds by keywords: healthy facts of one Keras and its backend, and what a test changes in them.

``world()`` is Keras 3.8.0 on JAX 0.5.0 and Python 3.12, where nothing is wrong; every argument is
one difference. Modules are derived from the distributions, so taking one away takes both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from keras_doctor.model import (
    Change,
    ConfigFile,
    Distribution,
    FileAnomaly,
    FileCheck,
    Finding,
    Frame,
    Interpreter,
    Leftover,
    LocalModule,
    Machine,
    Module,
    ModuleCopy,
    ModuleNames,
    Native,
    NativeProblem,
    Outcome,
    PathCommand,
    PathEntry,
    Raised,
    Script,
    ScriptImport,
    ScriptSetting,
    Snapshot,
    Start,
    Target,
    Theano,
    Variable,
)
from keras_doctor.names import normalize
from keras_doctor.rules import rule_of
from keras_doctor.rules.base import NotApplicable, RuledOut, Skip
from keras_doctor.rules.context import Context, Elsewhere
from keras_doctor.versions import release

HOME = "/home/ada"
PROJECT = "/home/ada/project"
SCRIPT = f"{PROJECT}/train.py"
PYTHON = "/env/bin/python"
SITE = "/env/lib/site-packages"
STDLIB = "/usr/lib/python"
KERAS_JSON = f"{HOME}/.keras/keras.json"
# What the collector looks up whether or not it is installed.
LOOKED_UP = (
    *("keras", "tf_keras", "tensorflow", "theano", "cntk", "jax", "jaxlib", "torch"),
    *("openvino", "numpy", "scipy"),
)


class Stack(NamedTuple):
    """A set of releases that go together."""

    python: str
    distributions: tuple[Distribution, ...]


def dist(
    name: str,
    version: str,
    *requires: str,
    site: str = SITE,
    imports: tuple[str, ...] | None = None,
    **changes: Any,
) -> Distribution:
    """A distribution as pip installs it; `imports` defaults to its own name."""
    folder = name.replace("-", "_")
    return Distribution(
        name=name,
        version=version,
        location=site,
        metadata=f"{site}/{folder}-{version}.dist-info",
        installer="pip",
        editable=False,
        origin_url=None,
        requires=requires,
        requires_python=None,
        import_packages=(folder.lower(),) if imports is None else imports,
        tags=("py3-none-any",),
        record="present",
    )._replace(**changes)


PIP = dist("pip", "24.0")
NUMPY2 = dist("numpy", "2.2.1")
JAX = (
    dist("jax", "0.5.0", "jaxlib<=0.5.0,>=0.5.0", "ml_dtypes>=0.4.0", "numpy>=1.25", "scipy"),
    dist("jaxlib", "0.5.0", "scipy>=1.11.1", "numpy>=1.25", "ml_dtypes>=0.2.0"),
    dist("scipy", "1.15.0", "numpy<2.5,>=1.23.5"),
)
TORCH = (dist("torch", "2.6.0", "sympy==1.13.1"), dist("sympy", "1.13.1"))
TENSORFLOW = (
    dist("tensorflow", "2.18.1", "keras>=3.5.0", "numpy<2.1.0,>=1.26.0", "protobuf<6,>=3.20.3"),
    dist("protobuf", "5.29.0", imports=("google",)),
    dist("numpy", "2.0.2"),
)
THEANO = (dist("Theano", "1.0.5", "numpy>=1.9.1", "scipy>=0.14", "six>=1.9.0"),)
KERAS_3 = (
    dist(
        *("keras", "3.8.0", "absl-py", "numpy", "rich", "namex", "h5py", "optree", "ml-dtypes"),
        "packaging",
        requires_python=">=3.9",
    ),
    dist("absl-py", "2.1.0", imports=("absl",)),
    dist("rich", "13.9.4"),
    dist("namex", "0.0.8"),
    dist("h5py", "3.12.1", "numpy>=1.19.3"),
    dist("optree", "0.14.0"),
    dist("ml_dtypes", "0.5.1", "numpy>=1.21"),
    dist("packaging", "24.2"),
)
KERAS_231 = (
    dist(
        *("Keras", "2.3.1", "numpy>=1.9.1", "scipy>=0.14", "six>=1.9.0", "pyyaml", "h5py"),
        *("keras-applications>=1.0.6", "keras-preprocessing>=1.0.5"),
    ),
    dist("numpy", "1.18.5"),
    dist("scipy", "1.4.1", "numpy>=1.13.3"),
    dist("six", "1.17.0"),
    dist("PyYAML", "6.0.1", imports=("yaml", "_yaml")),
    dist("h5py", "2.10.0", "numpy>=1.7", "six"),
    dist("Keras-Applications", "1.0.8", "numpy>=1.9.1", "h5py"),
    dist("Keras-Preprocessing", "1.1.2", "numpy>=1.9.1", "six>=1.9.0"),
)
TF_210 = (
    dist("keras", "2.10.0"),
    dist(
        *("tensorflow", "2.10.1", "keras<2.11,>=2.10.0", "numpy>=1.20", "h5py>=2.9.0"),
        *("protobuf<3.20,>=3.9.2", "tensorflow-estimator<2.11,>=2.10.0"),
    ),
    dist("tensorflow-estimator", "2.10.0"),
    dist("numpy", "1.23.5"),
    dist("h5py", "3.8.0", "numpy>=1.14.5"),
    dist("protobuf", "3.19.6", imports=("google",)),
)

JAX_STACK = Stack("3.12.7", (*KERAS_3, *JAX, NUMPY2, PIP))
TORCH_STACK = Stack("3.12.7", (*KERAS_3, *TORCH, NUMPY2, PIP))
TENSORFLOW_STACK = Stack("3.12.7", (*KERAS_3, *TENSORFLOW, PIP))
BARE_STACK = Stack("3.12.7", (*KERAS_3, NUMPY2, PIP))
THEANO_STACK = Stack("3.7.16", (*KERAS_231, *THEANO, PIP))
KERAS_210_STACK = Stack("3.9.18", (*TF_210, PIP))


def of_keras(version: str, *backends: Distribution, python: str | None = None) -> Stack:
    """The packages that go with a Keras release, of any generation, with only these backends."""
    rows: tuple[Distribution, ...] = KERAS_231
    default = "3.7.16"
    if release(version) >= (3,):
        rows, default = (*KERAS_3, NUMPY2), "3.12.7"
    elif release(version) >= (2, 4, 3):
        rows = (dist("keras", version), dist("numpy", "1.23.5"), dist("h5py", "3.8.0"))
        default = "3.9.18"
    renamed = tuple(
        d._replace(version=version, metadata=f"{SITE}/{d.name}-{version}.dist-info")
        if d.name.lower() == "keras"
        else d
        for d in rows
    )
    taken = {normalize(d.name) for d in backends}
    rest = tuple(d for d in renamed if normalize(d.name) not in taken)
    return Stack(python or default, (*rest, *backends, PIP))


def without(stack: Stack, *names: str) -> Stack:
    """The stack after an uninstall."""
    gone = {normalize(name) for name in names}
    rest = tuple(d for d in stack.distributions if normalize(d.name) not in gone)
    return stack._replace(distributions=rest)


def with_(stack: Stack, *distributions: Distribution) -> Stack:
    """The stack with distributions added, or put in place of those of the same name."""
    rest = without(stack, *(d.name for d in distributions)).distributions
    return stack._replace(distributions=(*rest, *distributions))


# -- single facts


def copy(name: str, entry: str = SITE, kind: str = "package") -> ModuleCopy:
    """One thing on the path that answers to a name."""
    paths = {"package": f"{entry}/{name}/__init__.py", "namespace": f"{entry}/{name}"}
    path = paths.get(kind, f"{entry}/{name}.py")
    return ModuleCopy(kind=kind, path=path, entry=entry, readable=True, size=100)


def module(name: str, *copies: ModuleCopy, kind: str | None = None) -> Module:
    """What an import of `name` loads: the first copy with code, else a namespace, else nothing."""
    winner = next((c for c in copies if c.kind != "namespace"), copies[0] if copies else None)
    return Module(
        name=name,
        kind=kind or (winner.kind if winner else "missing"),
        path=winner.path if winner else None,
        entry=winner.entry if winner else None,
        copies=copies,
    )


def remnant(name: str, entry: str = SITE) -> Module:
    """A leftover folder without code."""
    return module(name, copy(name, entry, "namespace"))


def local(
    name: str, kind: str = "module", *, entry: str = PROJECT, origin: str = "script"
) -> LocalModule:
    """A file or folder of the user's that comes before the standard library.

    Of a folder it is the ``__init__`` file, as the collector says it.
    """
    found = copy(name, entry, kind)
    return LocalModule(name=name, kind=kind, path=found.path, entry=entry, origin=origin)


def entry(
    path: str, origin: str = "pythonpath", *, where: str | None = None, python: str | None = None
) -> PathEntry:
    """An entry of sys.path."""
    if origin == "pythonpath" and where is None:
        where = "PYTHONPATH"
    return PathEntry(path=path, origin=origin, where=where, kind="folder", python=python)


def config(
    text: str | Mapping[str, object] | None = None,
    *,
    source: str = "home",
    path: str | None = None,
    state: str = "read",
    mode: int | None = 0o644,
    writable: bool | None = True,
) -> ConfigFile:
    """A keras.json: `text`, or an object that is written as JSON, or only its `state`."""
    folders = {"home": f"{HOME}/.keras", "tmp": "/tmp/.keras", "project": PROJECT}
    content = json.dumps(dict(text)) if isinstance(text, Mapping) else text
    return ConfigFile(
        kind="keras.json",
        source=source,
        path=path or f"{folders.get(source, '/conf')}/keras.json",
        state=state,
        text=content if state == "read" else None,
        mode=mode if state != "absent" else None,
        folder_writable=writable,
    )


def automatic(backend: str = "tensorflow", **changes: object) -> dict[str, object]:
    """What Keras itself writes into keras.json, with changes."""
    return {
        "floatx": "float32",
        "epsilon": 1e-07,
        "backend": backend,
        "image_data_format": "channels_last",
        **changes,
    }


def setting(
    value: str | None,
    *,
    line: int = 2,
    before: bool = True,
    variable: str = "KERAS_BACKEND",
    default_only: bool = False,
    text: str | None = None,
    path: str = SCRIPT,
) -> ScriptSetting:
    """A line of the user's program that sets a variable."""
    return ScriptSetting(
        path=path,
        line=line,
        text=text or f'os.environ["{variable}"] = "{value}"',
        variable=variable,
        value=value,
        before_import=before,
        default_only=default_only,
    )


def script(*parts: ScriptSetting | str, guarded: tuple[str, ...] = ()) -> Script:
    """The user's program: settings, and names of modules that it imports."""
    imports = [
        ScriptImport(
            path=SCRIPT,
            line=number,
            text=f"import {name}",
            module=name,
            names=(),
            guarded=name in guarded,
        )
        for number, name in enumerate((p for p in parts if isinstance(p, str)), 10)
    ]
    return Script(
        path=SCRIPT,
        imports=tuple(imports),
        settings=tuple(p for p in parts if isinstance(p, ScriptSetting)),
        problem=None,
    )


def anomaly(path: str, state: str = "missing", recorded: int = 100, size: int = 50) -> FileAnomaly:
    """A file below site-packages that is not what was shipped."""
    gone = state in ("missing", "folder-unreadable")
    full = path if path.startswith("/") else f"{SITE}/{path}"
    return FileAnomaly(path=full, state=state, recorded_size=recorded, size=None if gone else size)


def files(
    distribution: Distribution, *anomalies: FileAnomaly, checked: int = 500, **changes: Any
) -> FileCheck:
    """The comparison of a distribution's files with its RECORD."""
    return FileCheck(
        distribution=distribution.name,
        metadata=distribution.metadata,
        checked=checked,
        anomalies=anomalies,
        anomalies_total=len(anomalies),
        unrecorded=(),
        unrecorded_total=0,
        code_version=distribution.version,
        code_version_where=f"{distribution.location}/{distribution.name}/version.py",
        contents_checked=False,
    )._replace(**changes)


def leftover(folder: str, name: str | None = None, version: str | None = None) -> Leftover:
    """A ``~`` folder of pip in site-packages."""
    return Leftover(path=f"{SITE}/{folder}", location=SITE, name=name, version=version)


def native(*problems: NativeProblem, **changes: Any) -> Native:
    """What was read of the shared objects; nothing is wrong but the problems."""
    return Native(
        complete=True,
        modules=100,
        objects=120,
        machine="x86_64, 64 bit",
        libraries=(),
        problems=problems,
        named=(),
        libcuda=None,
        driver=None,
    )._replace(**changes)


def native_problem(
    kind: str, distribution: Distribution, library: str | None = None, **changes: Any
) -> NativeProblem:
    """A reason why half of the extension modules of a distribution do not load."""
    package = distribution.import_packages[0]
    needed_by = f"{distribution.location}/{package}/_core.so"
    return NativeProblem(
        kind=kind,
        distribution=distribution.name,
        metadata=distribution.metadata,
        library=library,
        needed_by=needed_by,
        versions=(),
        found=None,
        by=None,
        newest=None,
        otherwise=None,
        recorded=False,
        modules=5,
        modules_total=10,
        examples=(needed_by,),
    )._replace(**changes)


def foreign_names(distribution: Distribution, tag: str, **changes: Any) -> ModuleNames:
    """Extension modules that are named for another Python."""
    package = distribution.import_packages[0]
    return ModuleNames(
        distribution=distribution.name,
        metadata=distribution.metadata,
        own=0,
        foreign=7,
        example=f"{distribution.location}/{package}/_core.{tag}.so",
    )._replace(**changes)


def theano(**changes: Any) -> Theano:
    """Theano's own settings: the usual folder, and g++."""
    return Theano(
        compiledir=f"{HOME}/.theano",
        compiledir_where=None,
        compiledir_writable=True,
        cxx=None,
        cxx_where=None,
        compiler="/usr/bin/g++",
    )._replace(**changes)


def pip_command(**changes: Any) -> PathCommand:
    """The pip that is first on PATH; by default the environment's own."""
    return PathCommand(
        name="pip",
        path="/env/bin/pip",
        interpreter=PYTHON,
        same_environment=True,
        python="3.12",
        holds=("keras 3.8.0",),
    )._replace(**changes)


# -- the whole


def world(
    stack: Stack = JAX_STACK,
    *,
    variables: Mapping[str, str] | None = None,
    set_by: Mapping[str, str] | None = None,
    keras_json: str | Mapping[str, object] | None = None,
    configs: Sequence[ConfigFile] = (),
    program: Script | None = None,
    beside: Sequence[Distribution] = (),
    modules: Sequence[Module] = (),
    locals_: Sequence[LocalModule] = (),
    entries: Sequence[PathEntry] = (),
    platform: str = "linux",
    wish: str | None = None,
    outcomes: Sequence[Outcome] = (),
    elsewhere: Sequence[Elsewhere] = (),
    **fields: Any,
) -> Context:
    """Everything known about a world in which nothing is wrong but what the arguments say.

    Args:
        stack: The packages of the environment, and its Python.
        variables: Environment variables; HOME is always there.
        set_by: Who sets them.
        keras_json: The text or content of ``~/.keras/keras.json``; None: there is none.
        configs: Further configuration files; one of source ``home`` takes the place of that.
        program: The user's program.
        beside: Distributions beside those of the stack, in front of them on the path when they
            lie in another folder.
        modules: What differs from the modules that the distributions give.
        locals_: Importable things before the standard library.
        entries: Entries of sys.path before the standard library.
        platform: ``sys.platform``.
        wish: The backend that the user wants.
        outcomes: What was run.
        elsewhere: Other Pythons with Keras.
        fields: Other fields of the snapshot, as they are.
    """
    added = tuple(d for d in beside if d.location != SITE)
    rest = tuple(d for d in beside if d.location == SITE)
    distributions = (*added, *stack.distributions, *rest)
    path = (
        entry(PROJECT, "script"),
        *entries,
        entry(STDLIB, "stdlib"),
        entry(SITE, "site-packages"),
    )
    values = {"HOME": HOME, **(variables or {})}
    snapshot = Snapshot(
        schema_version=1,
        tool_version="0",
        target=_target(),
        start=Start(mode="normal", failure=None, exit_code=None),
        interpreter=_interpreter(stack.python, platform),
        path=path,
        startup=(),
        distributions=distributions,
        leftovers=(),
        files=tuple(files(d) for d in stack.distributions),
        modules=_modules(distributions, modules),
        local_modules=tuple(locals_),
        configs=_configs(keras_json, configs),
        variables=tuple(
            Variable(name=name, value=value, set_by=(set_by or {}).get(name))
            for name, value in values.items()
        ),
        commands=(pip_command(),),
        conda=None,
        machine=Machine(
            system="Linux",
            release="6.1",
            libc="glibc 2.36",
            cpu_flags=("sse4_2", "avx", "avx2", "fma"),
            memory_mb=8000,
            cpus=4,
            uid=1000,
        ),
        script=program,
        problems=(),
        native=native(),
        theano=theano() if any(d.name.lower() == "theano" for d in distributions) else None,
    )
    return Context(
        snapshot._replace(**fields),
        wish=wish,
        outcomes=tuple(outcomes),
        elsewhere=tuple(elsewhere),
    )


def _target() -> Target:
    return Target(
        python=PYTHON,
        chosen="the active virtual environment (VIRTUAL_ENV)",
        folder=PROJECT,
        start="script",
        path0=PROJECT,
        script=SCRIPT,
        command=("python", "train.py"),
        environment="/env",
        manager="venv",
    )


def _interpreter(version: str, platform: str) -> Interpreter:
    short = "".join(version.split(".")[:2])
    return Interpreter(
        executable=PYTHON,
        version=version,
        implementation="cpython",
        soabi=f"cpython-{short}-x86_64-linux-gnu",
        extension_suffixes=(f".cpython-{short}-x86_64-linux-gnu.so", ".so"),
        platform=platform,
        machine="x86_64",
        bits=64,
        free_threaded=False,
        prefix="/env",
        base_prefix="/usr",
        stdlib=STDLIB,
        system_site_packages=False,
    )


def _modules(
    distributions: Iterable[Distribution], overrides: Sequence[Module]
) -> tuple[Module, ...]:
    copies: dict[str, list[ModuleCopy]] = {name: [] for name in LOOKED_UP}
    for distribution in distributions:
        for package in distribution.import_packages:
            rows = copies.setdefault(package, [])
            if all(c.entry != distribution.location for c in rows):
                rows.append(copy(package, distribution.location))
    found = {name: module(name, *rows) for name, rows in copies.items()}
    found.update({m.name: m for m in overrides})
    return tuple(found.values())


def _configs(
    keras_json: str | Mapping[str, object] | None, further: Sequence[ConfigFile]
) -> tuple[ConfigFile, ...]:
    home = config(keras_json) if keras_json is not None else config(state="absent")
    if any(c.source == "home" for c in further):
        return tuple(further)
    return (home, *further)


# -- what was run


def frame(file: str, line: int = 1) -> Frame:
    """One line of a traceback; a relative file lies in site-packages."""
    return Frame(file=os.path.join(SITE, file), line=line, function="<module>", text=None)


def raised(
    kind: str, message: str = "", *frames: str, name: str | None = None, link: str | None = None
) -> Raised:
    """One exception of a chain, with the files of its frames."""
    return Raised(
        type=kind,
        message=message,
        frames=tuple(frame(file) for file in frames),
        link=link,
        name=name,
        path=None,
    )


def missing(name: str, *frames: str) -> Raised:
    """No module of that name."""
    return raised("ModuleNotFoundError", f"No module named '{name}'", *frames, name=name)


def failed(*chain: Raised, **changes: Any) -> Outcome:
    """A run of the imports that raised."""
    return Outcome(
        kind="imports",
        what="import keras",
        status="raised",
        exit_code=1,
        signal=None,
        chain=chain,
        crash_frames=(),
        failed_statement="import keras",
        failed_line=1,
        backend=None,
        keras_version=None,
        keras_file=None,
        device=None,
        imports=(),
        seconds=1.0,
        output="",
        changes=(),
    )._replace(**changes)


def passed(backend: str | None = "jax", **changes: Any) -> Outcome:
    """A run that came to its end."""
    blank = failed(status="passed", exit_code=0, failed_statement=None, failed_line=None)
    return blank._replace(backend=backend, keras_version="3.8.0", **changes)


def died(signal: str = "SIGSEGV", *frames: str, **changes: Any) -> Outcome:
    """A run that a signal ended."""
    crash = tuple(frame(file) for file in frames)
    blank = failed(status="died", exit_code=-11, signal=signal, crash_frames=crash)
    return blank._replace(**changes)


def printed(output: str, **changes: Any) -> Outcome:
    """A run of the user's command of which only the output is known."""
    return failed(kind="command", output=output)._replace(**changes)


def set_backend(name: str) -> Change:
    """The counterfactual that asks for another backend."""
    return Change(kind="set-variable", name="KERAS_BACKEND", value=name)


# -- asking a rule


def judge(code: str, context: Context) -> list[Finding]:
    """What one rule finds."""
    rule = rule_of(code)
    assert rule is not None
    try:
        return list(rule.function()(context))
    except (NotApplicable, RuledOut, Skip):
        return []


QUIET = ("NotApplicable: ", "RuledOut: ")
"""How the answer of a rule begins that has nothing to find, and did look."""


def abstains(code: str, context: Context) -> str:
    """Why a rule says nothing: the name of the answer and its reason."""
    rule = rule_of(code)
    assert rule is not None
    try:
        found = list(rule.function()(context))
    except (NotApplicable, RuledOut, Skip) as answer:
        return f"{type(answer).__name__}: {answer}"
    raise AssertionError(found)


class Case(NamedTuple):
    """A world, and the one finding that a rule must make of it."""

    id: str
    context: Context
    culprit: str
    weight: str
    words: tuple[str, ...]
    """Texts that the title holds."""
    fixes: tuple[tuple[str, str | None], ...]
    """All ways out, in order: kind, and command or the path that an edit is about."""
    blocks: tuple[str, ...] = ("keras",)


def assert_case(code: str, cause: str, case: Case) -> Finding:
    """The rule finds exactly what the case says; gives the finding for further questions."""
    found = judge(code, case.context)
    assert [(f.code, f.cause) for f in found] == [(code, cause)]
    (finding,) = found
    assert (finding.culprit, finding.weight, finding.blocks) == (
        case.culprit,
        case.weight,
        case.blocks,
    )
    for word in case.words:
        assert word in finding.title
    assert [(f.kind, f.command or f.name) for f in finding.fixes] == list(case.fixes)
    assert finding.why.endswith(".")
    assert finding.evidence
    assert finding.key.startswith(f"{cause}:")
    return finding
