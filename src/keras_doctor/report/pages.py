"""The other screens: the rules and their pages, the backends, the environments."""

from __future__ import annotations

from keras_doctor.records import NamedTuple
from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class RulePage(NamedTuple):
    """What is printed about a rule."""

    code: str
    name: str
    family: str
    causes: tuple[str, ...]
    """The slugs that its findings may name."""
    summary: str
    page: str
    """Its whole documentation, as plain text."""


def render_rules(
    pages: Sequence[RulePage], *, width: int = 80, color: bool = False, unicode: bool = True
) -> str:
    """All rules, one line each, by family."""
    page = Page(width=width, color=color, unicode=unicode)
    family = None
    code, name = _sizes(pages)
    for item in pages:
        if item.family != family:
            page.blank()
            page.text(item.family, style="bold")
            family = item.family
        # Padded here: one table a family would give each its own columns.
        page.table([(item.code.ljust(code), item.name.ljust(name), _plain(item.summary))], indent=2)
    return page.render()


def _sizes(pages: Sequence[RulePage]) -> tuple[int, int]:
    return (
        max((len(item.code) for item in pages), default=0),
        max((len(item.name) for item in pages), default=0),
    )


def render_rule(
    rule: RulePage, *, width: int = 80, color: bool = False, unicode: bool = True
) -> str:
    """The page of one rule."""
    page = Page(width=width, color=color, unicode=unicode)
    page.text(f"{rule.code} {rule.name}", style="bold")
    page.text(rule.family, style="dim")
    others = [cause for cause in rule.causes if cause != rule.name]
    if others:
        page.text(f"Causes: {', '.join(others)}", style="dim")
    page.blank()
    for paragraph in _plain(rule.page).strip("\n").split("\n\n"):
        # Indented lines are examples, to be read as they stand.
        if paragraph.startswith((" ", "\t")):
            page.verbatim(paragraph)
        else:
            page.text(paragraph if _is_list(paragraph) else " ".join(paragraph.split()))
        page.blank()
    return page.render()


def _plain(text: str) -> str:
    """A docstring without the markup of its trade."""
    return text.replace("``", "`")


def _is_list(paragraph: str) -> bool:
    return any(line.lstrip().startswith(("- ", "* ", "|")) for line in paragraph.split("\n"))
