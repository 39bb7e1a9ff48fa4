"""`keras-doctor schema`: the JSON Schema that every JSON report follows."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.output import emit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Parser

DESCRIPTION = """Prints the JSON Schema (draft 2020-12) of what --format json writes."""


def parser() -> Parser:
    """The options of `schema`."""
    return words.parser("schema", "[options]", DESCRIPTION)


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Print it; always 0."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)

    from keras_doctor.report.schemas import schema_text

    emit(schema_text(), path=options.output)
    return 0
