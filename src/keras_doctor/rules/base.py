"""What every rule is made of: how it reports, abstains, and builds a finding."""

from __future__ import annotations

from keras_doctor.model import Change, Evidence, Finding, Fix, Sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Skip(Exception):  # noqa: N818 -- it is an answer, not an error
    """Raised by a rule that cannot judge: its text says which fact is missing."""


class RuledOut(Exception):  # noqa: N818
    """Raised by a rule that looked and found nothing wrong: its text says what is in order."""


class NotApplicable(Exception):  # noqa: N818
    """Raised by a rule that has nothing to say here: its text says why."""


def finding(
    code: str,
    cause: str,
    culprit: str,
    *,
    title: str,
    why: str,
    evidence: Iterable[Evidence],
    stage: int,
    weight: str,
    subject: str | None = None,
    blocks: tuple[str, ...] = ("keras",),
    fixes: Iterable[Fix] = (),
    signs: Iterable[Sign] = (),
    explains: Iterable[str] = (),
    changes: Iterable[Change] = (),
) -> Finding:
    """Build a finding; its confidence is settled by the diagnosis.

    Args:
        code: The rule's code.
        cause: The slug.
        culprit: The package, file or variable at fault.
        title: One sentence that says what is wrong.
        why: Why that breaks the import.
        evidence: What was read, and where.
        stage: See :mod:`keras_doctor.rules.stages`.
        weight: See :class:`keras_doctor.model.Finding`.
        subject: What the key names; default: the culprit.
        blocks: The imports that fail; () when the import works but the wish is not met.
        fixes: Ways out, the best first.
        signs: Failures that it predicts.
        explains: Keys of findings that follow from it.
        changes: What a counterfactual run does to be free of it.
    """
    return Finding(
        code=code,
        cause=cause,
        culprit=culprit,
        title=title,
        why=why,
        evidence=tuple(evidence),
        confidence="likely",
        blocks=blocks,
        fixes=tuple(fixes),
        weight=weight,
        signs=tuple(signs),
        stage=stage,
        key=f"{cause}:{subject or culprit}",
        explains=tuple(explains),
        changes=tuple(changes),
    )


def seen(text: str, where: str | None = None) -> Evidence:
    """One piece of evidence."""
    return Evidence(text=text, where=where)


def sign(
    *types: str,
    text: str | None = None,
    module: str | None = None,
    file: str | None = None,
    raised_in: str | None = None,
    crash: bool = False,
    weak: bool = False,
    printed: str | None = None,
) -> Sign:
    """A predicted failure; see :class:`keras_doctor.model.Sign`."""
    return Sign(
        types=types,
        text=text,
        module=module,
        file=file,
        raised_in=raised_in,
        crash=crash,
        weak=weak,
        printed=printed,
    )


def signs_of_an_empty_package(name: str) -> list[Sign]:
    """What is raised where a folder without code answers to the import of a package."""
    return [
        sign("AttributeError", "ImportError", text=rf"(module|from) '{name}[.']"),
        sign("ModuleNotFoundError", text=rf"'{name}[.']"),
        sign(module=name),
    ]


def listing(names: Iterable[str], word: str = "and") -> str:
    """Join names for a sentence: ``a, b and c``."""
    items = list(names)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 file``, ``3 files``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
