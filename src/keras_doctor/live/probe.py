"""Which statements stand for the user's program: its imports and the lines that choose."""

from __future__ import annotations

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Script
    from keras_doctor.model.uses import Use


class Statement(NamedTuple):
    """One import, or one line that sets a variable, of the user's program."""

    text: str
    line: int
    path: str | None
    """The file that it stands in; None when it is ours."""
    setting: tuple[str, str, bool] | None
    """(variable, value, whether only as a default), for a line that sets ``os.environ``."""
    use: bool = False
    """Whether it is no statement but a dotted name, which the program needs at that line."""


DEFAULT = (Statement(text="import keras", line=1, path=None, setting=None),)


def statements_of(script: Script | None, uses: Sequence[Use] = ()) -> tuple[Statement, ...]:
    """Returns what a live run of a program's imports has to run.

    Args:
        script: what is known of the user's program; None when there is none.
        uses: attributes of imported modules that shall be looked up after the imports.

    Returns:
        Its imports that certainly run, and the settings with a literal value, in their order;
        ``import keras`` when there is no program or nothing of it could be read. The user's
        own modules are not imported, which would run their code: the imports and settings in
        them stand in their place.
    """
    if script is None or (script.problem is not None and not script.imports):
        return DEFAULT
    before: list[Statement] = []
    after: list[Statement] = []
    for setting in script.settings:
        if setting.value is not None:
            (before if setting.before_import else after).append(
                Statement(
                    text=setting.text,
                    line=setting.line,
                    path=setting.path,
                    setting=(setting.variable, setting.value, setting.default_only),
                )
            )
    imports = [
        Statement(text=each.text, line=each.line, path=each.path, setting=None)
        for each in script.imports
        if not (each.guarded or each.local)
    ]
    needed = [
        Statement(text=use.path, line=use.line, path=use.file, setting=None, use=True)
        for use in uses
    ]
    return (*before, *imports, *after, *needed)
