"""A shell line or script, read as far as it decides which Python starts. Nothing is run.

The reader knows quoting, operators, redirections, here-documents, comments and the expansion
of variables, and follows assignments, ``export``, ``unset``, ``cd``, ``source …/activate`` and
subshells. It does not evaluate conditions and loops: their commands are taken as they stand.
Source of the grammar: POSIX.1-2017, Shell Command Language.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from keras_doctor.targets import files
from keras_doctor.targets.state import ASSIGNMENT, MAX_DEPTH, State

MAX_TEXT = 65536
"""Longer lines and scripts are read only so far."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+|\\\n)
    |(?P<redirect>[0-9]*(?:<<<|<<-|<<|>>|<>|>&|<&|>\||[<>])|&>>?)
    |(?P<operator>\n|;;|;|&&|\|\||\|&|\||&|\(|\))
    |(?P<single>\$?'[^']*'?)
    |(?P<double>"(?>\\.|\$\((?>[^()]|\([^()]*\))*\)|[^"\\])*"?)
    |(?P<command>\$\((?>[^()]|\([^()]*\))*\)|`[^`]*`?)
    |(?P<brace>\$\{[^{}]*\})
    |(?P<escape>\\.?)
    |(?P<text>[^\s;&|()<>'"`\\$]+|[$\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = frozenset({"if", "then", "elif", "else", "do", "while", "until", "!", "{", "time"})
_HEADS = frozenset({"for", "case", "select", "function"})
_ACTIVATE = re.compile(r"(.+)[/\\](?:bin|Scripts)[/\\]activate(?:\.\w+)?\Z")
_SUBSTITUTION = re.compile(r"\$\(.*\)|`.*`", re.DOTALL)
_OWN_FOLDER = re.compile(
    r"dirname\s+(?:--\s+)?[\"']*(?:\$0|\$\{BASH_SOURCE(?:\[0\])?\}|\$BASH_SOURCE)"
)


class Part(NamedTuple):
    """A piece of a word."""

    kind: str
    """``literal`` (single quotes, escapes) | ``quoted`` (double quotes) | ``plain``."""
    text: str


class Word(NamedTuple):
    """A word before expansion."""

    parts: tuple[Part, ...]


class Simple(NamedTuple):
    """A simple command, or an operator between two."""

    words: tuple[Word, ...]
    stdin: Word | None
    """The file after ``<``."""
    document: str | None
    """The text of a here-document."""
    operator: str | None
    """When this is an operator; then the rest is empty."""


_Result = TypeVar("_Result")
Runner = Callable[[list[str], State, Simple], list[_Result]]
"""Called with the expanded words of each simple command, in a state of its own."""


def evaluate(text: str, state: State, run: Runner[_Result]) -> list[_Result]:
    """Follow a shell text and hand every simple command to `run`.

    Args:
        text: A line or a whole script.
        state: The world before it; changed as the text changes it.
        run: What becomes of a simple command; its results are collected in order.

    Returns:
        Everything that `run` returned.
    """
    results: list[_Result] = []
    outer: list[State] = []
    for simple in parse(text):
        if simple.operator == "(":
            outer.append(state)
            state = state.copy()
        elif simple.operator == ")" and outer:
            state = outer.pop()
        elif simple.operator is None:
            results += _simple(simple, state, run)
    return results


def has_operators(text: str) -> bool:
    """Whether a shell would see more in `text` than one command: operators or redirections."""
    return any(kind in ("operator", "redirect") for kind, _text in _tokens(text))


def parse(text: str) -> Iterator[Simple]:
    """Simple commands and the operators between them, in order."""
    scanner = _Scanner(text[:MAX_TEXT])
    command = _Command()
    for kind, piece in scanner:
        if kind not in ("space", "operator", "redirect"):
            command.parts += _parts(kind, piece)
            continue
        command.end_word()
        if kind == "redirect":
            command.redirect = piece.lstrip("0123456789")
        elif kind == "operator":
            for delimiter, tabs in command.documents:
                command.document = scanner.document(delimiter, tabs=tabs, now=piece == "\n")
            simple = command.simple()
            if simple:
                yield simple
            command = _Command()
            yield Simple(words=(), stdin=None, document=None, operator=piece)


class _Command:
    """A simple command while it is read."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.parts: list[Part] = []
        self.redirect: str | None = None
        self.stdin: Word | None = None
        self.documents: list[tuple[str, bool]] = []
        self.document: str | None = None

    def end_word(self) -> None:
        """The word that was read goes where it belongs."""
        if not self.parts:
            return
        word = Word(parts=tuple(self.parts))
        self.parts = []
        if self.redirect is None:
            self.words.append(word)
        elif self.redirect in ("<<", "<<-"):
            self.documents.append((plain(word), self.redirect == "<<-"))
        elif self.redirect == "<":
            self.stdin = word
        self.redirect = None

    def simple(self) -> Simple | None:
        """The command, or None when there was nothing."""
        if not self.words:
            return None
        return Simple(
            words=tuple(self.words), stdin=self.stdin, document=self.document, operator=None
        )


class _Scanner:
    """Tokens of a text; here-documents are cut out of it on request."""

    def __init__(self, text: str) -> None:
        # The last newline ends the last command.
        self.text = text + "\n"
        self.position = 0
        self.behind = 0
        """Where the here-documents that were cut out end; 0: there are none."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        fresh = True
        while self.position < len(self.text):
            if fresh and self.text[self.position] == "#":
                self.position = self.text.index("\n", self.position)
            match = _TOKEN.match(self.text, self.position)
            if match is None:  # pragma: no cover - every character has a token
                return
            self.position = match.end()
            kind = match.lastgroup or "text"
            fresh = kind in ("space", "operator")
            if match[0] == "\n":
                self.position = max(self.position, self.behind)
            yield kind, match[0]

    def document(self, delimiter: str, *, tabs: bool, now: bool) -> str:
        """The next here-document: it starts here (`now`) or on the next line."""
        position = self.position
        if not now:
            position = self.text.find("\n", position) + 1 or len(self.text)
        position = max(position, self.behind)
        lines = []
        while position < len(self.text):
            end = self.text.find("\n", position) + 1 or len(self.text)
            line = self.text[position:end]
            position = end
            if tabs:
                line = line.lstrip("\t")
            if line.rstrip("\n") == delimiter:
                break
            lines.append(line)
        self.behind = position
        if now:
            self.position = position
        return "".join(lines)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    yield from list(_Scanner(text[:MAX_TEXT]))[:-1]


def _parts(kind: str, token: str) -> list[Part]:
    if kind == "single":
        if token[0] == "$":
            return [Part(kind="literal", text=_ansi(token[2:].removesuffix("'")))]
        return [Part(kind="literal", text=token[1:].removesuffix("'"))]
    if kind == "double":
        body = token[1:-1] if len(token) > 1 and token.endswith('"') else token[1:]
        pieces = re.split(r"\\([$`\"\\\n])", body)
        return [
            Part(kind="literal", text=piece.strip("\n")) if odd % 2 else Part("quoted", piece)
            for odd, piece in enumerate(pieces)
        ]
    if kind == "escape":
        return [Part(kind="literal", text=token[1:])]
    return [Part(kind="plain", text=token)]


def _ansi(text: str) -> str:
    names = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
    return re.sub(r"\\(.)", lambda match: names.get(match[1], match[0]), text, flags=re.DOTALL)


def plain(word: Word) -> str:
    """A word as it stands, quotes removed and nothing expanded."""
    return "".join(part.text for part in word.parts)


def expand(word: Word, state: State) -> list[str]:
    """The words that one word becomes: plain ``$@`` and empty variables make several or none."""
    merged: list[Part] = []
    for part in word.parts:
        if merged and merged[-1].kind == part.kind:
            merged[-1] = Part(kind=part.kind, text=merged[-1].text + part.text)
        else:
            merged.append(part)
    if len(merged) == 1 and merged[0].text in ("$@", "${@}", "$*"):
        return list(state.arguments[1:])
    text = "".join(
        part.text if part.kind == "literal" else _expanded(part.text, state) for part in merged
    )
    first = merged[0] if merged else Part(kind="literal", text="")
    if first.kind == "plain" and first.text.startswith("~") and text[1:2] in ("", "/"):
        text = files.home(state.environ) + text[1:]
    if all(part.kind == "plain" for part in merged) and "$" in first.text:
        return text.split()
    return [text]


def _expanded(text: str, state: State) -> str:
    if "$(" in text or "`" in text:
        text = _SUBSTITUTION.sub(lambda match: _substituted(match[0], state), text)
    return state.expand(text)


def _substituted(text: str, state: State) -> str:
    """The few command substitutions that say where something is."""
    inner = text.strip("`") if text[0] == "`" else text[2:-1]
    if _OWN_FOLDER.search(inner) and state.arguments:
        return os.path.dirname(os.path.join(state.folder, state.arguments[0]))
    words = inner.split()
    if words == ["pwd"]:
        return state.folder
    if len(words) > 1 and (words[0] == "which" or words[:2] == ["command", "-v"]):
        return files.which(words[-1], state.environ, state.folder) or ""
    state.problems.append(f"the value of `{text}` is not known without running it")
    return ""


def _simple(simple: Simple, state: State, run: Runner[_Result]) -> list[_Result]:
    words = list(simple.words)
    while words and plain(words[0]) in _KEYWORDS:
        words.pop(0)
    if not words or plain(words[0]) in _HEADS:
        return []
    own = state.copy()
    assignments = []
    while words and (match := ASSIGNMENT.match(plain(words[0]))):
        value = _assigned(words.pop(0), match[1], state)
        assignments.append((match[1], value))
        own.export(match[1], value)
    expanded = [text for word in words for text in expand(word, own)]
    if not expanded:
        for name, value in assignments:
            state.assign(name, value)
        return []
    if _builtin(expanded, state):
        return []
    return run(expanded, own, simple)


def _assigned(word: Word, name: str, state: State) -> str:
    text = "".join(expand(Word(parts=(*word.parts, Part(kind="literal", text=""))), state))
    return text[len(name) + 1 :]


def _builtin(words: list[str], state: State) -> bool:
    """Whether the command is one of the shell's own that changes the world; it is followed."""
    name, rest = words[0], [word for word in words[1:] if word not in ("--", "-P", "-L")]
    if name in ("cd", "pushd"):
        state.enter(rest[0] if rest else "~")
    elif name in ("export", "declare", "typeset", "readonly", "local"):
        for word in rest:
            _export(word, state, exported=name == "export" or "-x" in rest)
    elif name == "unset":
        for word in rest:
            state.unset(word)
    elif name in ("source", ".") and rest:
        _source(rest[0], state)
    elif name in ("conda", "mamba", "micromamba") and rest[:1] == ["activate"]:
        _conda_activate(rest[1] if len(rest) > 1 else "base", state)
    else:
        return False
    return True


def _export(word: str, state: State, *, exported: bool) -> None:
    match = ASSIGNMENT.match(word)
    if match and exported:
        state.export(match[1], match[2])
    elif match:
        state.assign(match[1], match[2])
    elif exported and word in state.variables:
        state.export(word, state.variables.pop(word))
    elif exported:
        state.marked.add(word)


def _source(path: str, state: State) -> None:
    path = files.absolute(path, state.environ, state.folder)
    activate = _ACTIVATE.match(path)
    if activate and not os.path.isdir(os.path.join(activate[1], "conda-meta")):
        if os.path.isdir(activate[1]):
            state.activate(activate[1], f"activating {activate[1]}")
        else:
            state.problems.append(f"there is no environment {activate[1]} to activate")
        return
    text = files.read_text(path, MAX_TEXT)
    if not activate and text and state.depth < MAX_DEPTH:
        state.depth += 1
        by, state.by = state.by, path
        evaluate(text, state, lambda _words, _state, _simple: [])
        state.by = by
        state.depth -= 1


def _conda_activate(name: str, state: State) -> None:
    from keras_doctor.targets.conda import activate

    if state.depth < MAX_DEPTH:
        activate(name, state, f"conda activate {name}")
