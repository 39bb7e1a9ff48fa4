"""KD107 keras-config-invalid: Theano refuses one of its own settings."""

from __future__ import annotations

import re

from keras_doctor.knowledge import load
from keras_doctor.model import Change
from keras_doctor.records import NamedTuple
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import set_variable
from keras_doctor.rules.stages import CONFIGURATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Raised
    from keras_doctor.rules.context import Context

_READER = re.compile(r"[/\\]theano[/\\](?:configdefaults|configparser|gpuarray[/\\]\w+)\.py\Z")
_MALFORMED = re.compile(
    r"\A(?:configparser\.)?(?:MissingSectionHeader|Parsing|Duplicate\w+)Error\Z"
)


class Setting(NamedTuple):
    """One setting of Theano, as it stands."""

    name: str
    value: str
    where: str
    """``THEANO_FLAGS``, or file and line."""


def theano_setting(context: Context) -> Iterator[Finding]:
    """Theano refuses a value in THEANO_FLAGS or in .theanorc.

    What it checks: after a failure inside of Theano's reading of its settings, which setting the
    message is about; and whether the file can be read at all.

    Why it breaks the import: Theano reads all settings while it is imported, and raises at the
    first that its release does not know: ``device = gpu`` means a back-end that 1.0 removed.

    How it is fixed: give the setting a value that is known. THEANO_FLAGS beats the file, so one
    variable is enough, and the file stays as other programs have it.

    Example: ``~/.theanorc`` with ``device = gpu`` under Theano 1.0.
    """
    if not context.failures:
        raise NotApplicable("nothing failed")
    told: set[str] = set()
    for outcome in context.failures:
        for raised in outcome.chain:
            if not any(_READER.search(frame.file) for frame in raised.frames):
                continue
            setting = _meant(context, raised)
            result = None
            if setting is not None:
                result = _refused(context, raised, setting)
            elif _MALFORMED.match(raised.type):
                result = _unreadable(context, raised)
            if result is not None and result.key not in told:
                told.add(result.key)
                yield result
    if not told:
        raise RuledOut("Theano refuses none of its settings")


def _settings(context: Context) -> Iterator[Setting]:
    """All settings, the strongest first."""
    flags = context.variables.get("THEANO_FLAGS")
    for part in flags.value.split(",")[::-1] if flags else ():
        name, equals, value = part.partition("=")
        if equals:
            yield Setting(name=name.strip(), value=value.strip(), where="THEANO_FLAGS")
    for config in context.snapshot.configs:
        if config.kind != ".theanorc" or not config.text:
            continue
        for number, line in enumerate(config.text.splitlines(), 1):
            match = re.match(r"\s*([\w.]+)\s*[=:]\s*(.*?)\s*\Z", line)
            if match:
                where = f"{config.path}:{number}"
                yield Setting(name=match[1], value=match[2], where=where)


def _meant(context: Context, raised: Raised) -> Setting | None:
    """The setting that the message is about: by its name and its value, else by its name."""
    spoken = raised.message.lower()
    words = set(re.findall(r"[\w.]+", spoken))
    named: dict[str, Setting] = {}
    for setting in _settings(context):
        if setting.name.lower() in words:
            named.setdefault(setting.name, setting)  # the strongest is the one that is read
    told = [one for one in named.values() if one.value and one.value.lower() in spoken]
    return next(iter((*told, *named.values())), None)


def _refused(context: Context, raised: Raised, setting: Setting) -> Finding:
    known = {row["name"]: row for row in load("native")["theano_setting"]}
    row = known.get(setting.name)
    flags = _flags(context, setting.name, row["value"] if row else None)
    place = setting.where.rpartition(":")[0] or setting.where
    gpu = setting.name in ("device", "init_gpu_device")
    return finding(
        "KD107",
        "cuda-mismatch" if gpu else "keras-config-invalid",
        place,
        title=f"Theano does not take {setting.name} = {setting.value}",
        why="It reads its settings while it is imported, and raises at one that it does not know.",
        evidence=[
            seen(f"{setting.name} = {setting.value}", setting.where),
            seen(f"{raised.type}: {raised.message.partition(chr(10))[0]}"),
        ],
        stage=CONFIGURATION,
        weight="likely",
        subject=setting.where,
        fixes=[
            set_variable(
                context,
                "THEANO_FLAGS",
                flags,
                f"Overrule it in your shell, or correct {setting.where}.",
            )
        ],
        signs=[sign(raised.type.rpartition(".")[2], text=re.escape(raised.message[:120]))],
        changes=[_change("THEANO_FLAGS", flags)],
    )


def _flags(context: Context, name: str, value: str | None) -> str | None:
    """THEANO_FLAGS with another value for one setting, or without it."""
    variable = context.variables.get("THEANO_FLAGS")
    parts = variable.value.split(",") if variable else []
    kept = [p for p in parts if p.strip() and p.partition("=")[0].strip() != name]
    return ",".join([*kept, *([f"{name}={value}"] if value is not None else [])]) or None


def _unreadable(context: Context, raised: Raised) -> Finding:
    files = [c.path for c in context.snapshot.configs if c.kind == ".theanorc" and c.text]
    path = next((one for one in files if one in raised.message), files[0] if files else ".theanorc")
    return finding(
        "KD107",
        "keras-config-invalid",
        path,
        title=f"Theano cannot read {context.shown(path)}",
        why="It is no file of sections and values; a section like [global] comes first.",
        evidence=[seen(f"{raised.type}: {raised.message.partition(chr(10))[0]}", path)],
        stage=CONFIGURATION,
        weight="likely",
        fixes=[
            set_variable(
                context, "THEANORC", "/dev/null", "Have Theano read no file, or correct this one."
            )
        ],
        signs=[sign(text=re.escape(raised.message[:120]))],
        changes=[_change("THEANORC", "/dev/null")],
    )


def _change(name: str, value: str | None) -> Change:
    return Change(kind="set-variable" if value else "unset-variable", name=name, value=value)
