"""The report of `use` for a terminal: is it the selected backend now, and what stands before it."""

from __future__ import annotations

from keras_doctor.report import wording
from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.fixes.shared import Switched
    from keras_doctor.fixes.use.result import Used
    from keras_doctor.model.plan import Command

_INDENT = 3


def render_use(
    used: Used,
    *,
    verbose: bool = False,
    quiet: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
    program: str = "keras-doctor",
    quote: Callable[[tuple[str, ...]], str] = " ".join,
) -> str:
    """The report of one `use`.

    Args:
        used: What was found out and done.
        verbose: Also the other environments that read the file and are not switched.
        quiet: Only the verdict and what is left to do.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
        program: How this program was called, for commands to paste.
        quote: Makes a line for the user's shell of words.

    Returns:
        Text ending in a line break.
    """
    page = Page(width=width, color=color, unicode=unicode)
    sentence, tone = _verdict(used)
    page.text(sentence, style=tone)
    if not quiet:
        page.blank()
        _facts(page, used)
        _others(page, used, verbose=verbose)
    _manual(page, used, program, quote)
    if quiet:
        return page.render()
    _text(page, used)
    _notes(page, used)
    if used.journal:
        page.blank()
        page.text("To bring the old state back:")
        page.command(f"{program} undo {used.journal}", indent=4)
    return page.render()


def _verdict(used: Used) -> tuple[str, str]:
    name = used.backend
    if used.refusal is not None:
        return f"Nothing was changed: {used.refusal}.", "red"
    first = next((each for each in used.overrides if each.wins), None)
    if used.after != name:
        why = first.summary if first is not None else f"Keras takes {used.after}"
        would = "would be" if used.dry_run else "is"
        written = f"{would} written down, but not in effect" if used.writes else "is not in effect"
        return f"{name} {written}: {why}.", "yellow"
    if used.dry_run and used.writes:
        return (
            f"{name} would be the selected backend. {_tried(used)} Nothing was changed.",
            "yellow",
        )
    if not used.changed:
        return f"Nothing to change: {name} is the selected backend already. {_tried(used)}", "green"
    return f"{name} is the selected backend now. {_tried(used)}", "green"


def _tried(used: Used) -> str:
    """What was seen of it, as a sentence."""
    if used.works is None:
        return "Whether it works was not tried (--no-live)."
    from keras_doctor.knowledge.selection import backends

    step = "trained one step" if backends()[used.backend].trains else "made one prediction"
    return f"Keras imported with it and {step}."


def _facts(page: Page, used: Used) -> None:
    target, interpreter = used.snapshot.target, used.snapshot.interpreter
    version = f" ({interpreter.version})" if interpreter else ""
    page.field("Python", f"{target.python}{version}")
    page.field("", target.chosen)
    if used.keras:
        page.field("Keras", used.keras)
    if used.before:
        same = used.refusal is not None or used.after == used.before
        page.field("Backend", used.before if same else f"{used.before} \u2192 {used.after}")
    if used.where is not None and used.where.path and used.refusal is None:
        label = "Written" if used.changed else "Written to"
        page.field(label if used.changed or used.dry_run else "File", used.where.path)


def _others(page: Page, used: Used, *, verbose: bool) -> None:
    done = used.changed
    if used.others:
        count = wording.plural(len(used.others), "other environment")
        page.blank()
        page.text(f"{count} {'switched' if done else 'that would be switched'} by this file:")
        rows: list[tuple[str, ...]] = [
            (one.python, f"Keras {one.keras}", f"{one.before} \u2192 {_new(one)}")
            for one in used.others
        ]
        page.table(rows, indent=_INDENT)
    switched = {one.python for one in used.others}
    rest = [one for one in used.readers if one.python not in switched]
    if rest and verbose:
        page.blank()
        page.text("Other environments that read this file, and keep their backend:")
        page.table([(one.python, f"Keras {one.keras}") for one in rest], indent=_INDENT)


def _new(one: Switched) -> str:
    """The backend that another environment would get, and whether it can have it at all."""
    from keras_doctor.knowledge.selection import generation_of

    generation = generation_of(one.keras)
    if one.after is None:
        return "its import fails"
    known = generation is None or one.after in generation.names
    return one.after if known else f"{one.after}, which it does not know"


def _manual(page: Page, used: Used, program: str, quote: Callable[[tuple[str, ...]], str]) -> None:
    if not used.manual:
        return
    page.blank()
    if used.refusal is not None:
        page.text("What you can do:")
    else:
        page.text("To have it in effect:" if not used.dry_run else "Afterwards, to have effect:")
    for number, step in enumerate(used.manual, 1):
        lead = f"{number}. " if len(used.manual) > 1 else ""
        page.text(lead + step.summary, indent=_INDENT, hang=len(lead))
        for command in step.commands[:1]:
            page.command(_pasted(command, program, quote), indent=_INDENT + len(lead))


def _pasted(command: Command, program: str, quote: Callable[[tuple[str, ...]], str]) -> str:
    """The command as it is typed here: this program may have another name."""
    from keras_doctor.fixes.use.steps import PROGRAM

    if command.argv is not None and command.argv[0] == PROGRAM:
        return f"{program} {quote(command.argv[1:])}"
    return command.text


def _text(page: Page, used: Used) -> None:
    """What would be written."""
    where = used.where
    if not used.dry_run or used.refusal is not None or where is None or where.text is None:
        return
    page.blank()
    page.text("It would hold:")
    page.verbatim(where.text.rstrip("\n"), indent=_INDENT)


def _notes(page: Page, used: Used) -> None:
    notes = [each.summary for each in used.overrides if not each.wins]
    notes += used.remarks
    if notes:
        page.blank()
    for note in notes:
        page.text(f"Note: {note.rstrip('.')}.", hang=6)


__all__ = ["render_use"]
