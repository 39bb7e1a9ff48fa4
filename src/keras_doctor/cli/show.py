"""From a parsed command line to a screen or a file: the part that all commands share."""

from __future__ import annotations

from keras_doctor.cli.output import columns, emit, holds_unicode, wants_color

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from keras_doctor.cli.parser import Options


def style(options: Options) -> dict[str, Any]:
    """What the terminal, the variables and the options say about drawing.

    Returns:
        ``width`` (int), ``color`` and ``unicode`` (bool), as every text report takes them.
    """
    to_file = options.output is not None
    return {
        "width": columns(),
        "color": wants_color(options.color, to_file=to_file),
        "unicode": holds_unicode(to_file=to_file),
    }


def show(
    options: Options, *, text: Callable[[], str], json: Callable[[], Mapping[str, Any]]
) -> None:
    """Write a result in the format that was asked for; only that one is made.

    Args:
        options: With `format` and `output`.
        text: Makes the text report.
        json: Makes the JSON report.
    """
    if options.format == "json":
        from keras_doctor.report.json import dumps

        emit(dumps(json()), path=options.output)
    else:
        emit(text(), path=options.output, utf8=False)
