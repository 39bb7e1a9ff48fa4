"""A small reader of command lines: long options, a few short ones, `--option=value`.

argparse does more than is needed here and costs 7 ms of the 120 that a static check may take
(its import and one parser of sixteen options, measured beside 0.2 ms for this); and a word that
is not known is answered with the one that was probably meant, which argparse does not do.
"""

from __future__ import annotations

from types import SimpleNamespace

from keras_doctor.cli.errors import UsageError, nearest
from keras_doctor.cli.program import program_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

Options = SimpleNamespace
"""The values that were given, by the option's name with underscores for dashes."""


class Option:
    """One option.

    Args:
        name: Like ``--no-live``.
        metavar: What its value is called in the help; None for a switch.
        text: What it does, for the help.
        short: A short name, like ``-v``.
        choices: The values that it may have; () for any.
        convert: Makes the value from the word; raises UsageError, or ValueError with the
            reason.
        default: The value when it is not given.
        implied: The value when it is given without one; then one can only follow after ``=``.
        many: Whether it may be given several times; its value is the tuple of all words.
    """

    __slots__ = (
        *("choices", "convert", "default", "implied", "many", "metavar", "name", "short"),
        "text",
    )

    def __init__(
        self,
        name: str,
        metavar: str | None,
        text: str,
        *,
        short: str | None = None,
        choices: tuple[str, ...] = (),
        convert: Callable[[str], Any] | None = None,
        default: Any = None,
        implied: str | None = None,
        many: bool = False,
    ) -> None:
        self.name = name
        self.metavar = metavar
        self.text = text
        self.short = short
        self.choices = choices
        self.convert = convert
        self.default = (() if many else default) if metavar else False
        self.implied = implied
        self.many = many

    @property
    def key(self) -> str:
        """The name of its value."""
        return self.name[2:].replace("-", "_")

    def read(self, word: str) -> Any:
        """The value that a word means.

        Raises:
            UsageError: It means none.
        """
        if self.choices and word not in self.choices:
            guess = nearest(word, self.choices)
            hint = f"Did you mean {guess}?" if guess else None
            allowed = " or ".join(filter(None, [", ".join(self.choices[:-1]), self.choices[-1]]))
            raise UsageError(f"{self.name} is {allowed}, not {word!r}.", hint=hint)
        if self.convert is None:
            return word
        try:
            return self.convert(word)
        except ValueError as error:
            raise UsageError(f"{self.name}: {error}.") from None


class Parser:
    """What one command understands.

    Args:
        command: Its name.
        usage: The words after it, for the help.
        text: What it does, for the help.
        groups: Its options, under the headings of the help.
        positional: The name of the one word that it wants besides, or None.
        many: Whether it takes several such words.
        clashes: Pairs of options that contradict each other.
    """

    def __init__(
        self,
        command: str,
        usage: str,
        text: str,
        groups: Sequence[tuple[str, Sequence[Option]]],
        *,
        positional: str | None = None,
        many: bool = False,
        clashes: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.command = command
        self.usage = usage
        self.text = text
        self.groups = groups
        self.positional = positional
        self.many = many
        self.clashes = clashes
        self.options = {option.name: option for _, group in groups for option in group}
        self._short = {option.short: option for option in self.options.values() if option.short}

    def read(self, words: Sequence[str]) -> Options:
        """The values that the words give.

        Raises:
            UsageError: A word means nothing here, lacks its value, or contradicts another.
        """
        values = Options(**{option.key: option.default for option in self.options.values()})
        values.word = None
        values.words = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "-" or not word.startswith("-"):
                if self.positional is None or (values.words and not self.many):
                    self._refuse_word(word)
                values.words.append(word)
                values.word = values.words[0]
                continue
            name, equals, value = word.partition("=")
            option = self.options.get(name) or self._short.get(name) or self._refuse_option(name)
            given = self._value(option, rest, value if equals else None)
            if option.many:
                given = (*getattr(values, option.key), given)
            setattr(values, option.key, given)
        for one, other in self.clashes:
            if getattr(values, self.options[one].key) and getattr(values, self.options[other].key):
                raise UsageError(f"{one} and {other} contradict each other.")
        return values

    def _value(self, option: Option, rest: list[str], given: str | None) -> Any:
        if option.metavar is None:
            if given is not None:
                raise UsageError(f"{option.name} takes no value.")
            return True
        if given is None and option.implied is not None:
            given = option.implied
        if given is None:
            if not rest or rest[0].startswith("--"):
                raise UsageError(f"{option.name} wants a value: {option.name} {option.metavar}.")
            given = rest.pop(0)
        return option.read(given)

    def _refuse_word(self, word: str) -> NoReturn:
        python = word if word.startswith("python") else f"python {word}"
        hint = f"A command of yours comes after two dashes: {program_name()} check -- {python}"
        raise UsageError(f"{word!r} is no option of {self.command}.", hint=hint)

    def _refuse_option(self, name: str) -> NoReturn:
        guess = nearest(name, self.options)
        hint = f"Did you mean {guess}?" if guess else f"See `{program_name()} help {self.command}`."
        raise UsageError(f"{self.command} has no option {name}.", hint=hint)

    def help(self) -> str:
        """The help of this command."""
        from keras_doctor.report.layout import Page

        page = Page(width=80, color=False, unicode=False)
        page.text(f"Usage: keras-doctor {self.command} {self.usage}".rstrip(), hang=4)
        page.blank()
        page.text(" ".join(self.text.split()))
        for heading, options in self.groups:
            page.blank()
            page.text(f"{heading}:")
            page.table([(_head(option), option.text) for option in options], indent=2)
        return page.render()


def _head(option: Option) -> str:
    head = f"{option.short}, {option.name}" if option.short else f"    {option.name}"
    if option.implied is not None:
        return f"{head}[={option.metavar}]"
    return f"{head} {option.metavar}" if option.metavar else head
