"""`keras-doctor rules` and `keras-doctor rule CODE`: what is checked, and each rule's page."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError, nearest
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.program import program_name
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Parser
    from keras_doctor.report.pages import RulePage

FAMILIES = {
    "1": "Selection: which Keras and which backend is asked for",
    "2": "Resolution: which files Python would import",
    "3": "Integrity: are the installed files what was shipped",
    "4": "Compatibility: do the versions go together",
    "5": "Native: libraries, processor, GPU",
    "6": "Code: the import lines of your program",
    "7": "Install: it never got installed",
    "9": "Other",
}
"""The families of rules, by the first digit of their codes."""

DESCRIPTION = "Lists everything that is checked, by family."
RULE_DESCRIPTION = """Explains one rule: what it looks at, why that breaks the import, how it is
mended. Name it by its code (KD102) or by its cause (backend-not-installed)."""


def parser() -> Parser:
    """The options of `rules`."""
    return words.parser("rules", "[options]", DESCRIPTION)


def rule_parser() -> Parser:
    """The options of `rule`."""
    return words.parser("rule", "CODE [options]", RULE_DESCRIPTION, positional="CODE")


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """List the rules, or explain one; always 0."""
    options = (rule_parser() if name == "rule" else parser()).read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)
    check_writable(options.output)
    found = pages()

    from keras_doctor.report import json
    from keras_doctor.report.pages import render_rule, render_rules

    if name == "rules":
        show(
            options,
            text=lambda: render_rules(found, **style(options)),
            json=lambda: json.rules(found),
        )
        return 0
    page = choose(options.word, found)
    show(
        options,
        text=lambda: render_rule(page, **style(options)),
        json=lambda: json.rule(page),
    )
    return 0


def choose(word: str | None, found: tuple[RulePage, ...]) -> RulePage:
    """The rule that a word means: its code, its name or its cause, in any case.

    Raises:
        UsageError: There is no such rule, or no word.
    """
    if word is None:
        raise UsageError("Which rule?", hint=f"See `{program_name()} rules`.", code="rule")
    wanted = word.lower()
    for page in found:
        if wanted in (page.code.lower(), page.name):
            return page
    for page in found:
        if wanted in page.causes:
            return page
    known = [name for page in found for name in (page.code, page.name, *page.causes)]
    guess = nearest(word, known)
    hint = f"Did you mean {guess}?" if guess else f"See `{program_name()} rules`."
    raise UsageError(f"There is no rule {word!r}.", hint=hint, code="rule")


def pages() -> tuple[RulePage, ...]:
    """Every rule's page, in the order of the codes."""
    from keras_doctor.report.pages import RulePage
    from keras_doctor.rules import RULES

    return tuple(
        RulePage(
            code=rule.code,
            name=rule.name,
            family=FAMILIES[rule.code[2]],
            causes=(rule.name,),
            summary=rule.summary,
            page=rule.page,
        )
        for rule in RULES
    )
