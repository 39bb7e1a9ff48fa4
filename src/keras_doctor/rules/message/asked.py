"""What a quoted failure asked for, of whom, and who asked: read from its words and its frames."""

from __future__ import annotations

import re

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Frame, Outcome, Raised
    from keras_doctor.rules.context import Context

_NO_MODULE = re.compile(r"No module named ['\"]?([A-Za-z_][\w.]*)")
_NO_NAME = re.compile(
    r"cannot import name ['\"]?([\w.]+)['\"]?"
    r"(?: from (?:partially initialized module )?['\"]?([\w.]+)['\"]?)?",
    re.IGNORECASE,
)
_NO_ATTRIBUTE = re.compile(
    r"module ['\"]?([\w.]+)['\"]? has no attribute ['\"]?(\w+)", re.IGNORECASE
)
# Python 2, and 3 before 3.5, do not say which module.
_OLD_ATTRIBUTE = re.compile(r"'(module)' object has no attribute ['\"]?(\w+)")
_PLACE = re.compile(r"\((?!most likely)([^()\n]*[/\\][^()\n]*)\)\s*$", re.MULTILINE)
_STATEMENT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+([\w*, ()]+)|import\s+([\w.]+))")
_IN_COMMAND = re.compile(r"\b(?:from\s+([\w.]+)\s+import\s*([\w., *()]*)|import\s+([\w.]+))")
_PACKAGES = re.compile(r"(?:site|dist)-packages[/\\]+(?:[\w.+-]+\.egg[/\\]+)?([A-Za-z_]\w*)")
_PYTHON = re.compile(
    r"[/\\][Ll]ib(?:64)?[/\\]python[\d.]+[/\\](?!site-packages|dist-packages)"
    r"|[/\\][Ll]ib[/\\](?!site-packages)(?:importlib[/\\])?\w+\.py$|^<frozen |^<__array_function__"
    r"|\.framework[/\\]Versions[/\\][\d.]+[/\\]lib[/\\]python[\d.]+[/\\](?!site-packages)"
)
_BARE_PACKAGE = re.compile(r"^(?:\.\.\.)?[/\\]?([a-z_]\w*)[/\\](?:[\w]+[/\\])*\w+\.py$")
_FAILED_TO = re.compile(r"[Ff]ailed to import ([A-Za-z_]\w*)[\w.]* because")
# What programs call the packages by.
_ALIASES = {
    "tf": "tensorflow",
    "np": "numpy",
    "K": "keras.backend",
    "jnp": "jax.numpy",
    "T": "theano.tensor",
    "keras": "keras",
    "theano": "theano",
    "jax": "jax",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "numpy": "numpy",
}
_UNEXPECTED = re.compile(r"(\w+)\(\) got an unexpected keyword argument '(\w+)'")
_INTERACTIVE = re.compile(r"^<(?:stdin|string|ipython|cell|console)|^<\w+-input|ipykernel_")


class Place(NamedTuple):
    """Where a line of code lies."""

    kind: str
    """``package`` (below site-packages), ``python`` (its standard library), ``user`` (any other
    file), ``interactive`` (a prompt or a notebook), ``unknown``."""
    top: str | None
    """Of a package: its import name."""
    path: str | None


class Asked(NamedTuple):
    """One thing that was asked for and not there."""

    kind: str
    """``module`` | ``name`` (of a module) | ``attribute`` (of a module) | ``argument`` (of a
    function, in `name` as ``function(argument)``)."""
    module: str
    """The module that was not found, or that lacks the name; may be "" in Python 2."""
    name: str | None
    by: Place
    """Who asked: the innermost frame that is not Python's own, else what the user imported."""
    loaded_from: str | None
    """Where the lacking module was loaded from, as the message says."""
    halfway: bool
    """The lacking module was still being loaded."""
    raised: Raised
    statement: str | None

    @property
    def top(self) -> str:
        """The top-level package that was asked."""
        return self.module.partition(".")[0]

    @property
    def path(self) -> str:
        """The whole dotted path that was wanted."""
        return f"{self.module}.{self.name}" if self.name else self.module


def place_of(path: str) -> Place:
    """Where a path of some other machine lies, by its text alone."""
    if _INTERACTIVE.search(path):
        return Place(kind="interactive", top=None, path=path)
    folders = _PACKAGES.findall(path)
    if folders:
        return Place(kind="package", top=folders[-1], path=path)
    if _PYTHON.search(path):
        return Place(kind="python", top=None, path=path)
    from keras_doctor.rules.message.world import is_of_the_world

    bare = _BARE_PACKAGE.match(path)
    if bare and is_of_the_world(bare[1]):
        return Place(kind="package", top=bare[1], path=path)  # TensorFlow's filtered frames
    return Place(kind="user", top=None, path=path)


def imported_top(line: str | None) -> str:
    """The package that a line imports, or imports from; "" for any other line."""
    found = _STATEMENT.match(line or "")
    return ((found[1] or found[3]) if found else "").partition(".")[0]


def asked_in(context: Context) -> tuple[Asked, ...]:
    """Everything that the failures asked for, the first failure's first."""
    if "asked" not in context.memory:
        context.memory["asked"] = tuple(
            asked
            for outcome in context.failures
            for raised in outcome.chain
            for asked in _asked(raised, outcome)
        )
    found: tuple[Asked, ...] = context.memory["asked"]
    return found


def _asked(raised: Raised, outcome: Outcome) -> Iterator[Asked]:
    if raised.type.rpartition(".")[2] not in (
        *("ImportError", "ModuleNotFoundError", "AttributeError", "RuntimeError", "Exception"),
        "TypeError",
    ):
        return
    message = raised.message
    kind, module, name = _said(message)
    frames = [f for f in raised.frames if place_of(f.file).kind != "python"]
    while len(frames) > 1 and "getattr" in frames[-1].function:
        frames.pop()  # the answering function of a module is not who asked
    last = frames[-1] if frames else None
    statement = last.text if last else None
    if kind == "module":
        module = _whole(module, statement)
    elif kind == "argument" or module == "module":
        module = _called(name or "", statement or outcome.output[-2000:])
    elif not module:
        # Python 2 says only the name; where no line was quoted, a package mostly asks itself.
        module = _from(statement, last) or _written(name or "", outcome)
        module = module or (last and place_of(last.file).top) or _keras_of_old(name or "")
    if not kind or not module:
        return
    module = _public(module)
    place = _PLACE.search(message)
    yield Asked(
        kind=kind,
        module=module,
        name=name,
        by=_by(frames, module, outcome, message),
        loaded_from=place[1] if place else None,
        halfway="partially initialized" in message or "circular import" in message,
        raised=raised,
        statement=statement,
    )


def _said(message: str) -> tuple[str, str, str | None]:
    """The kind of what is missing, its module as far as it is said, and its name."""
    if found := _NO_MODULE.search(message):
        return "module", found[1].rstrip("."), None
    if found := _NO_NAME.search(message):
        return "name", found[2] or "", found[1]
    if found := _NO_ATTRIBUTE.search(message) or _OLD_ATTRIBUTE.search(message):
        return "attribute", found[1], found[2]
    if found := _UNEXPECTED.search(message):
        return "argument", "", f"{found[1]}({found[2]})"
    return "", "", None


def _written(name: str, outcome: Outcome) -> str:
    """The module of ``from M import NAME``, where the text or the command shows that line."""
    if not name.isidentifier():
        return ""
    pattern = re.compile(rf"from\s+([A-Za-z_][\w.]*)\s+import\s[^\n]*\b{name}\b")
    found = pattern.search(outcome.output[-20_000:]) or pattern.search(outcome.what)
    return found[1] if found else ""


def _keras_of_old(name: str) -> str:
    """Keras, if one of its releases had a part of that name that newer ones do not have."""
    from keras_doctor.knowledge.paths import always_there, known_ranges

    path = f"keras.{name}"
    return "keras" if known_ranges(path) and not always_there(path) else ""


def _called(name: str, text: str) -> str:
    """The module of ``tf.constant`` in a line, by the name that programs call it by."""
    bare = name.partition("(")[0]
    found = re.search(rf"\b([A-Za-z_]\w*)((?:\.\w+)*)\.{re.escape(bare)}\b", text)
    if not found or found[1] not in _ALIASES:
        return ""
    return _ALIASES[found[1]] + found[2]


def _whole(module: str, statement: str | None) -> str:
    """The dotted path that was asked for: Python 2 leaves out the packages around it."""
    found = _STATEMENT.match(statement or "")
    written = (found[1] or found[3]) if found else None
    if written and written != module and written.endswith("." + module):
        return written
    return module


# Other names of the same modules, as messages give them: TensorFlow's generated API lies in _api,
# TensorFlow 1.15 and 2.0 in tensorflow_core, and tf.keras of 2.16 in keras itself.
_SAME = (
    (re.compile(r"^tensorflow(?:_core)?\._api\.v[12](?=\.|$)"), "tensorflow"),
    (re.compile(r"^tensorflow_core(?=\.|$)"), "tensorflow"),
    (re.compile(r"^keras\.(?:api\.)?_tf_keras\.keras(?=\.|$)"), "tensorflow.keras"),
    (re.compile(r"^keras\.api\._v[12]\.keras(?=\.|$)"), "tensorflow.keras"),
)


def _public(module: str) -> str:
    """A module by the name that programs use."""
    top = module.partition(".")[0]
    if top.lower() in ("tensorflow", "keras"):
        module = top.lower() + module[len(top) :]
    for pattern, name in _SAME:
        if pattern.match(module):
            return pattern.sub(name, module)
    return module


def _from(statement: str | None, last: Frame | None) -> str:
    """The module of ``from M import name``; a relative one by the file that it stands in."""
    found = re.match(r"\s*from\s+(\.*)([\w.]*)\s+import", statement or "")
    if not found:
        return ""
    if not found[1]:
        return found[2]
    top = place_of(last.file).top if last else None
    return f"{top}.{found[2]}" if top and found[2] else top or ""


def _by(frames: list[Frame], module: str, outcome: Outcome, message: str) -> Place:
    failed = _FAILED_TO.search(message) or _FAILED_TO.search(outcome.output[-4000:])
    if failed and failed[1] != module.partition(".")[0]:
        return Place(kind="package", top=failed[1], path=None)
    if frames:
        place = place_of(frames[-1].file)
        top = imported_top(frames[-1].text)
        if place.kind != "package" and top and top != module.partition(".")[0]:
            # The user imported a package, and that one, or what it imports, asked.
            return Place(kind="package", top=top, path=None)
        return place
    # No frame was quoted: what the user imported tells whose line it may be.
    named = [(one or other, names) for one, names, other in _IN_COMMAND.findall(outcome.what)]
    if not named:
        return Place(kind="unknown", top=None, path=None)
    for name, names in named:
        inside = module.removeprefix(name + ".").partition(".")[0]
        if f"{name}.".startswith(module + ".") or (
            module.startswith(name + ".") and inside in names
        ):
            return Place(kind="user", top=None, path=None)
    # Nobody wrote that path: a package asked for it, the one that was imported.
    return Place(kind="package", top=named[-1][0].partition(".")[0], path=None)
