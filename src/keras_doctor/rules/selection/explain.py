"""Which backend would be chosen, by which setting: the selection explained.

Pure: facts and the selection data in, an explanation out. Every source that says something, or
could, is listed with what became of it.
"""

from __future__ import annotations

import os

from keras_doctor.records import NamedTuple
from keras_doctor.rules.selection.config_text import ConfigContent, read_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.knowledge.selection import Generation
    from keras_doctor.model import ConfigFile, ScriptSetting, Snapshot


class Source(NamedTuple):
    """One place that says which backend is meant."""

    kind: str
    """``code`` | ``environment`` | ``config`` | ``default``."""
    name: str
    """What a person would call it: KERAS_BACKEND, keras.json, train.py."""
    where: str
    value: str | None
    """As written; None when it says nothing that can be read."""
    counts: bool
    """Whether this Keras listens to it here."""
    wins: bool
    remark: str | None
    explicit: bool
    """Whether a person chose it, rather than Keras writing it by itself."""
    config: ConfigFile | None
    content: ConfigContent | None
    setting: ScriptSetting | None


class Choice(NamedTuple):
    """The backend that would be chosen, and every source."""

    backend: str | None
    """None when it cannot be told: no Keras, or a script that computes it."""
    source: Source | None
    """The one that decides; None without a Keras."""
    sources: tuple[Source, ...]
    """All, the strongest first."""
    config: Source | None
    """The keras.json that this Keras reads, whether or not it decides the backend."""


def explain(snapshot: Snapshot, generation: Generation | None) -> Choice:
    """Explain the selection for the Keras of `generation` (None: no Keras was found)."""
    if generation is None:
        return Choice(backend=None, source=None, sources=(), config=None)
    version = _keras_version(snapshot, generation)
    sources = [*_from_code(snapshot, generation), *_from_variable(snapshot, generation)]
    configs = _from_configs(snapshot, generation, version)
    sources += configs
    sources.append(_default(snapshot, generation))
    winner = next(s for s in sources if s.counts)
    sources = [s._replace(wins=s is winner) for s in sources]
    winner = winner._replace(wins=True)
    file = _config_that_is_read(snapshot, generation)
    read = next((s for s in sources if s.config is not None and s.config is file), None)
    return Choice(
        backend=generation.fixed or winner.value,
        source=winner,
        sources=tuple(sources),
        config=read,
    )


UNWRITABLE = "the home folder may not be written, so Keras reads /tmp/.keras instead"
UNREAD = "no Keras reads a file there"


def _keras_version(snapshot: Snapshot, generation: Generation) -> str:
    versions = [d.version for d in snapshot.distributions if d.name.lower() == "keras"]
    return versions[0] if versions else generation.since


def _source(kind: str, name: str, where: str, value: str | None, **more: object) -> Source:
    blank = Source(
        kind=kind,
        name=name,
        where=where,
        value=value,
        counts=False,
        wins=False,
        remark=None,
        explicit=True,
        config=None,
        content=None,
        setting=None,
    )
    return blank._replace(**more)  # type: ignore[arg-type]


def _ignored(generation: Generation) -> str:
    return f"{generation.title} runs on {generation.fixed} only and does not read it"


def _from_code(snapshot: Snapshot, generation: Generation) -> list[Source]:
    """Lines of the user's program; a later line before the import beats an earlier one."""
    if snapshot.script is None:
        return []
    is_set = any(v.name == "KERAS_BACKEND" for v in snapshot.variables)
    found = []
    for setting in snapshot.script.settings:
        if setting.variable != "KERAS_BACKEND":
            continue
        remark = _code_remark(setting, generation, is_set=is_set)
        is_set = is_set or setting.before_import
        found.append(
            _source(
                "code",
                os.path.basename(setting.path),
                f"{setting.path}:{setting.line}",
                setting.value,
                counts=remark is None,
                remark=remark,
                setting=setting,
            )
        )
    return found[::-1]


def _from_variable(snapshot: Snapshot, generation: Generation) -> list[Source]:
    variable = next((v for v in snapshot.variables if v.name == "KERAS_BACKEND"), None)
    if variable is None:
        return []
    remark = None
    if generation.fixed:
        remark = _ignored(generation)
    elif not generation.variable:
        remark = f"{generation.title} does not read KERAS_BACKEND"
    elif not variable.value and generation.empty_variable == "ignored":
        remark = "it is empty"
    elif generation.empty_variable == "ignored" and _is_emptied(snapshot):
        remark = "the program empties it before the import"
    where = "environment variable KERAS_BACKEND"
    if variable.set_by:
        where += f", set by {variable.set_by}"
    return [
        _source(
            "environment",
            "KERAS_BACKEND",
            where,
            variable.value,
            counts=remark is None,
            remark=remark,
        )
    ]


def _code_remark(setting: ScriptSetting, generation: Generation, *, is_set: bool) -> str | None:
    """Why a line of the program does not count; None when it does."""
    if generation.fixed:
        return _ignored(generation)
    if not generation.variable:
        return f"{generation.title} does not read KERAS_BACKEND"
    if setting.default_only and is_set:
        return "it only fills in for a variable that is already set"
    if not setting.before_import and "set_backend" not in setting.text:
        return "it runs after Keras was imported, which is too late"
    if setting.value == "" and generation.empty_variable == "ignored":
        return "it is empty"
    return None


def _is_emptied(snapshot: Snapshot) -> bool:
    lines = [
        s
        for s in (snapshot.script.settings if snapshot.script else ())
        if s.variable == "KERAS_BACKEND" and s.before_import and not s.default_only
    ]
    return bool(lines) and lines[-1].value == ""


def _from_configs(snapshot: Snapshot, generation: Generation, version: str) -> list[Source]:
    read = _config_that_is_read(snapshot, generation)
    found = []
    for config in snapshot.configs:
        if config.kind != "keras.json" or config.state == "absent":
            continue
        content = read_config(config, version) if config.state == "read" else None
        remark = _config_remark(config, content, read, generation)
        value = content.backend or content.meant if content else None
        found.append(
            _source(
                "config",
                "keras.json",
                config.path,
                value,
                counts=remark is None,
                remark=remark,
                explicit=bool(content and not content.automatic),
                config=config,
                content=content,
            )
        )
    # The one that is read comes first: the others are only ever a remark.
    return sorted(found, key=lambda source: source.config is not read)


def _config_that_is_read(snapshot: Snapshot, generation: Generation) -> ConfigFile | None:
    """The keras.json that this generation opens, present or not."""
    files = {c.source: c for c in reversed(snapshot.configs) if c.kind == "keras.json"}
    if generation.keras_home and "KERAS_HOME" in files:
        return files["KERAS_HOME"]
    home, tmp = files.get("home"), files.get("tmp")
    if generation.tmp and tmp and home and not _home_counts(home, tmp):
        return tmp
    return home


def _home_counts(home: ConfigFile, tmp: ConfigFile) -> bool:
    """Whether Keras looks into the home folder: it does when that folder may be written."""
    if home.base_writable is not None:
        return home.base_writable
    # A snapshot without that fact: all but the clearest case is the usual one.
    return not (home.folder_writable is False and home.state == "absent" and tmp.state == "read")


def _config_remark(
    config: ConfigFile,
    content: ConfigContent | None,
    read: ConfigFile | None,
    generation: Generation,
) -> str | None:
    if config is not read:
        if config.source == "home" and read and read.source == "KERAS_HOME":
            return "KERAS_HOME makes Keras read another file instead"
        if config.source == "home" and read and read.source == "tmp":
            return UNWRITABLE
        return UNREAD
    if generation.fixed:
        return _ignored(generation)
    if not generation.config:
        return f"{generation.title} does not read it"
    if content is None:
        return "it cannot be read"
    if content.malformed:
        return f"it is not valid JSON ({content.malformed})"
    if content.backend is None and not content.invalid:
        return "it names no backend"
    return None


def _default(snapshot: Snapshot, generation: Generation) -> Source:
    platform = snapshot.interpreter.platform if snapshot.interpreter else "linux"
    return _source(
        "default",
        "default",
        f"the default of {generation.title}",
        generation.fixed or generation.default_on(platform),
        counts=True,
        explicit=False,
    )
