"""Hand-made examinations, each as a real environment of its kind would give it."""

from __future__ import annotations

from typing import Any

from keras_doctor.model import (
    Api,
    Ask,
    BackendChoice,
    BackendState,
    Change,
    Diagnosis,
    Evidence,
    Examination,
    Finding,
    Fix,
    Frame,
    Interpreter,
    KerasFound,
    Outcome,
    PathEntry,
    Raised,
    RuleResult,
    Selection,
    SelectionSource,
    Snapshot,
    Start,
    Target,
)

ENV = "/home/ada/project/.venv"
SITE = f"{ENV}/lib/python3.11/site-packages"


def target(**fields: Any) -> Target:
    return Target(
        python=f"{ENV}/bin/python",
        chosen="the active virtual environment (VIRTUAL_ENV)",
        folder="/home/ada/project",
        start="code",
        path0="",
        script=None,
        command=(),
        environment=ENV,
        manager="venv",
    )._replace(**fields)


def interpreter() -> Interpreter:
    return Interpreter(
        executable=f"{ENV}/bin/python",
        version="3.11.7",
        implementation="cpython",
        soabi="cpython-311-x86_64-linux-gnu",
        extension_suffixes=(".so",),
        platform="linux",
        machine="x86_64",
        bits=64,
        free_threaded=False,
        prefix=ENV,
        base_prefix="/usr",
        stdlib="/usr/lib/python3.11",
        system_site_packages=False,
    )


def snapshot(**fields: Any) -> Snapshot:
    return Snapshot(
        schema_version=1,
        tool_version="0",
        target=target(),
        start=Start(mode="normal", failure=None, exit_code=None),
        interpreter=interpreter(),
        path=(
            PathEntry(
                path="/home/ada/project", origin="script", where=None, kind="folder", python=None
            ),
            PathEntry(
                path="/opt/old",
                origin="pythonpath",
                where="PYTHONPATH",
                kind="missing",
                python="3.6",
            ),
            PathEntry(path=SITE, origin="site-packages", where=None, kind="folder", python="3.11"),
        ),
        startup=(),
        distributions=(),
        leftovers=(),
        files=(),
        modules=(),
        local_modules=(),
        configs=(),
        variables=(),
        commands=(),
        conda=None,
        machine=None,
        script=None,
        problems=(),
    )._replace(**fields)


def outcome(status: str = "passed", **fields: Any) -> Outcome:
    return Outcome(
        kind="imports",
        what="import keras",
        status=status,
        exit_code=None,
        signal=None,
        chain=(),
        crash_frames=(),
        failed_statement=None,
        failed_line=None,
        backend=None,
        keras_version=None,
        keras_file=None,
        device=None,
        imports=(),
        seconds=3.21,
        output="",
        changes=(),
    )._replace(**fields)


def raised(kind: str, message: str, **fields: Any) -> Raised:
    return Raised(
        type=kind,
        message=message,
        frames=(
            Frame(file="train.py", line=2, function="<module>", text="import keras"),
            Frame(file=f"{SITE}/keras/__init__.py", line=7, function="<module>", text=None),
        ),
        link=None,
        name=None,
        path=None,
    )._replace(**fields)


def selection(name: str = "jax", asked_by: str = "environment", **fields: Any) -> Selection:
    return Selection(
        keras=KerasFound(
            distribution="keras",
            version="3.8.0",
            path=f"{SITE}/keras/__init__.py",
            generation="keras3",
        ),
        backend=BackendChoice(
            name=name,
            asked_by=asked_by,
            where="KERAS_BACKEND" if asked_by == "environment" else None,
            honoured=True,
        ),
        sources=(
            SelectionSource(
                source="environment",
                where="KERAS_BACKEND",
                value=name if asked_by == "environment" else None,
                wins=asked_by == "environment",
                remark=None,
            ),
            SelectionSource(
                source="config",
                where="/home/ada/.keras/keras.json",
                value="tensorflow",
                wins=False,
                remark="written by Keras itself",
            ),
            SelectionSource(
                source="default",
                where="Keras 3.8.0",
                value="tensorflow",
                wins=asked_by == "default",
                remark=None,
            ),
        ),
        apis=(
            Api(import_name="tf.keras", distribution=None, version=None, backend=None),
            Api(import_name="tf_keras", distribution="tf-keras", version="2.18.0", backend=None),
        ),
    )._replace(**fields)


def backend(name: str, version: str | None = None, **fields: Any) -> BackendState:
    return BackendState(
        name=name,
        installed=version is not None,
        version=version,
        importable=None,
        trains=None,
        device=None,
        seconds=None,
        reason=None,
    )._replace(**fields)


def finding(code: str = "KD102", **fields: Any) -> Finding:
    return Finding(
        code=code,
        cause="backend-not-installed",
        culprit="KERAS_BACKEND",
        title="KERAS_BACKEND asks for torch, which is not installed here.",
        why="Keras 3 imports the backend that it is asked for and never looks for another one.",
        evidence=(
            Evidence(text="KERAS_BACKEND=torch", where="environment"),
            Evidence(text="no module named torch on the path", where=None),
            Evidence(text="jax 0.5.0 is installed", where=f"{SITE}/jax-0.5.0.dist-info/METADATA"),
        ),
        confidence="proven",
        blocks=("keras",),
        fixes=(
            Fix(
                kind="set-env",
                summary="Set KERAS_BACKEND to jax in your shell.",
                argv=None,
                command="export KERAS_BACKEND=jax",
                name="KERAS_BACKEND",
                value="jax",
            ),
            Fix(
                kind="install",
                summary="Install torch.",
                argv=(f"{ENV}/bin/python", "-m", "pip", "install", "torch"),
                command=f"{ENV}/bin/python -m pip install torch",
                name="torch",
                value=None,
            ),
        ),
        weight="fatal",
        signs=(),
        stage=50,
        key="backend-not-installed:torch",
        explains=("not-installed:torch",),
        changes=(Change(kind="set-variable", name="KERAS_BACKEND", value="jax"),),
    )._replace(**fields)


def follower() -> Finding:
    return finding(
        "KD203",
        cause="not-installed",
        culprit="torch",
        title="No module named torch is on the path.",
        confidence="certain",
        key="not-installed:torch",
        explains=(),
        changes=(),
        fixes=(),
    )


def shadow() -> Finding:
    return finding(
        "KD201",
        cause="shadowed-module",
        culprit="random.py",
        title="random.py in your folder is found before Python's own random.",
        why="numpy imports random, and gets your file.",
        evidence=(Evidence(text="random.py", where="/home/ada/project/random.py"),),
        confidence="certain",
        key="shadowed-module:random",
        explains=(),
        changes=(),
        fixes=(
            Fix(
                kind="rename-file",
                summary="Rename random.py, and delete random.pyc and __pycache__ beside it.",
                argv=None,
                command=None,
                name="/home/ada/project/random.py",
                value=None,
            ),
        ),
    )


def result(code: str, state: str, reason: str | None = None) -> RuleResult:
    return RuleResult(code=code, name=f"rule-{code}", state=state, reason=reason, findings=())


def diagnosis(**fields: Any) -> Diagnosis:
    return Diagnosis(
        healthy=None,
        causes=(),
        consequences=(),
        notes=(),
        results=(
            result("KD101", "ok"),
            result("KD102", "finding"),
            result("KD201", "not-applicable", "no script was given"),
            result("KD301", "skipped", "the RECORD of keras is missing"),
        ),
        selection=selection(),
        backends=(
            backend("jax", "0.5.0", importable=True, trains=True, device="cpu", seconds=1.25),
            backend("tensorflow"),
            backend("torch"),
        ),
        asks=(),
    )._replace(**fields)


def examination(**fields: Any) -> Examination:
    return Examination(snapshot=snapshot(), wish=None, outcomes=(), diagnosis=diagnosis())._replace(
        **fields
    )


def healthy() -> Examination:
    note = finding(
        "KD103",
        cause="backend-source-conflict",
        title="keras.json says tensorflow, KERAS_BACKEND says jax and wins.",
        confidence="certain",
    )
    return examination(
        outcomes=(outcome(backend="jax", keras_version="3.8.0"),),
        diagnosis=diagnosis(healthy=True, notes=(note,), results=(result("KD101", "ok"),)),
    )


def proven() -> Examination:
    failing = outcome(
        "raised",
        seconds=1.04,
        chain=(
            raised("ModuleNotFoundError", "No module named 'torch'", link="context", name="torch"),
            raised(
                "ImportError",
                "Unable to import backend torch; install it, or choose one of the backends that "
                "are installed here by the variable KERAS_BACKEND or in the file keras.json.",
            ),
        ),
        failed_statement="import keras",
        failed_line=2,
        what="python train.py",
        kind="command",
        exit_code=1,
    )
    passing = outcome(
        backend="jax",
        changes=(Change(kind="set-variable", name="KERAS_BACKEND", value="jax"),),
    )
    return examination(
        snapshot=snapshot(target=target(command=("python", "train.py"), start="script")),
        wish="jax",
        outcomes=(failing, passing),
        diagnosis=diagnosis(
            healthy=False,
            causes=(finding(),),
            consequences=(follower(),),
            selection=selection("torch"),
        ),
    )


def two_causes() -> Examination:
    died = outcome(
        "died",
        signal="SIGBUS",
        seconds=0.31,
        crash_frames=(
            Frame(file="<frozen importlib>", line=241, function="_call", text=None),
            Frame(file=f"{SITE}/tensorflow/python/p.py", line=62, function="<module>", text=None),
        ),
        output="Fatal Python error: Bus error\n\n"
        "Current thread 0x7f (most recent call first):\n"
        '  File "x.py", line 2 in f\n',
    )
    files = finding(
        "KD302",
        cause="altered-files",
        culprit="tensorflow-cpu",
        title="1 file of tensorflow-cpu 2.10.1 is shorter than it was when it was installed.",
        why="The loader maps the whole library and dies where the file ends.",
        confidence="likely",
        key="altered-files:tensorflow-cpu",
        explains=(),
        changes=(),
        fixes=(),
    )
    return examination(
        snapshot=snapshot(
            problems=tuple(f"/x/{i} is not readable" for i in range(5)),
            start=Start(mode="isolated", failure="Fatal: no encodings\nabc", exit_code=1),
        ),
        outcomes=(died,),
        diagnosis=diagnosis(
            healthy=False,
            causes=(shadow(), files),
            backends=(),
            asks=(
                Ask(
                    question="does it also die without the GPU?",
                    command="CUDA_VISIBLE_DEVICES= python -c 'import keras'",
                    decides=("KD505",),
                ),
            ),
            results=(result("KD305", "crashed", "KeyError: 'x'"),),
        ),
    )


def unseen() -> Examination:
    """A static look that finds nothing."""
    return examination()


def unseen_cause() -> Examination:
    """A static look that finds a cause."""
    return examination(
        diagnosis=diagnosis(causes=(finding(confidence="certain"),), selection=selection("torch"))
    )


def wrong_backend() -> Examination:
    """The import works, with another backend than the wished one."""
    return examination(
        wish="torch",
        outcomes=(outcome(backend="jax", keras_version="3.8.0"),),
        diagnosis=diagnosis(
            healthy=False,
            causes=(finding(confidence="certain", blocks=(), changes=()),),
            backends=(),
        ),
    )


def hung() -> Examination:
    """It never ends, and no rule explains it."""
    unknown = finding(
        "KD999",
        cause="unknown",
        culprit="unknown",
        title="The import fails for a reason that no rule explains.",
        why="What was ruled out is listed by --verbose.",
        evidence=(),
        confidence="likely",
        fixes=(),
        explains=(),
        changes=(),
    )
    return examination(
        snapshot=snapshot(interpreter=None, target=target(python=None, chosen="a snapshot")),
        outcomes=(outcome("hung", seconds=120.0, output="waiting\nfor\nthe\nlock\n"),),
        diagnosis=diagnosis(healthy=False, causes=(unknown,), selection=None, backends=()),
    )


SAMPLES = {
    "healthy": healthy,
    "proven": proven,
    "two-causes": two_causes,
    "unseen": unseen,
    "unseen-cause": unseen_cause,
    "wrong-backend": wrong_backend,
    "hung": hung,
}
"""Every sample by the name of its golden file."""
