"""Read the user's program for its imports and settings. Nothing of it is run.

The statements are taken in the order in which they would run: imported modules of the user's
own, which lie beside the program, are read at the place of their import, functions that the
module calls by name at the place of the first call, and all other functions last.
"""

from __future__ import annotations

import os
import re

from keras_doctor.model import Script
from keras_doctor.records import NamedTuple
from keras_doctor.targets.pythonline import local_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SOURCE = 2 << 20
"""Larger programs are not read."""
MAX_NOTEBOOK = 32 << 20
"""Notebooks carry their output, so they may be larger."""
_PYTHON_2 = re.compile(
    rb"^\s*(?:print\s+[^(=\s]|print\s*$|exec\s+[\"'a-zA-Z_]|raise\s+\w+\s*,|.*\bexcept\s+[\w.]+\s*,"
    rb"\s*\w+\s*:)|<>|`|\b0[0-7]+\b|\b[uU][rR][\"']|\bur?[\"'].*\bexcept\b"
)
_PASSING_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%debug")
_SET_MAGIC = re.compile(r"%(?:set_)?env\s+(\w+)(?:\s*=\s*|\s+)(.*)")
_SHELL_VALUE = re.compile(r"(\w+\s*=\s*)[!%].*")


class Source(NamedTuple):
    """A piece of program text: a file, or a cell of a notebook."""

    path: str
    """As findings name it: the file, ``x.ipynb (cell 3)``, ``<string>``."""
    file: str | None
    """The file itself; None for text from the command line."""
    code: bytes
    """With magics made harmless, line by line."""
    lines: tuple[str, ...]
    """As written."""


class Unreadable(Exception):  # noqa: N818 - a reason for people, not a mistake
    """Why a program cannot be read; one clause."""


def read_script(
    path: str | None,
    *,
    module: str | None = None,
    code: str | None = None,
    folder: str,
) -> Script:
    """Read a program: a script, a notebook, ``-m module`` or ``-c code``.

    Args:
        path: The script or notebook; None for a module or code.
        module: The module of ``-m``; it is read when it lies below `folder`.
        code: The text of ``-c``.
        folder: The working folder, from which code and modules import.

    Returns:
        Its imports and settings in running order. What could not be read is said in
        `problem`; whatever could be read is there all the same.
    """
    from keras_doctor.targets.walk import Program

    where = path
    try:
        if code is not None:
            where = path or "<string>"
            sources = [_text_source(where, None, code.encode("utf-8", "surrogatepass"))]
            root = os.path.realpath(folder)
        else:
            where = path or local_module(module or "", folder) or f"-m {module}"
            sources = list(sources_of(where))
            root = folder if module else os.path.dirname(os.path.realpath(where))
    except Unreadable as reason:
        return Script(path=where or "", imports=(), settings=(), problem=str(reason))
    program = Program(os.path.realpath(root))
    if module:
        program.follow(_packages(module, folder))
    program.run(sources, package=os.path.dirname(where) if module else None)
    return Script(
        path=where,
        imports=tuple(program.imports),
        settings=tuple(program.settings),
        problem=program.problem,
    )


def _packages(module: str, folder: str) -> list[str]:
    """The ``__init__`` files that run before the module of ``-m``."""
    parts = module.split(".")
    places = (os.path.join(folder, *parts[:count]) for count in range(1, len(parts) + 1))
    files_ = (os.path.join(place, "__init__.py") for place in places)
    return [path for path in files_ if os.path.isfile(path)]


def sources_of(path: str) -> Iterator[Source]:
    """The pieces of a script or a notebook.

    Raises:
        Unreadable: It cannot be read as one.
    """
    if path == "-":
        raise Unreadable("the program comes from the standard input")
    if path.startswith("-m "):
        raise Unreadable(f"the module {path[3:]} is not in the working folder: not the user's own")
    is_notebook = path.endswith(".ipynb")
    head = read_source(path, MAX_NOTEBOOK if is_notebook else MAX_SOURCE)
    if is_notebook:
        yield from notebook_cells(path, head)
    elif path.endswith(".ipy"):
        yield _cell_source(path, path, head.decode("utf-8", "replace"))
    else:
        yield _text_source(path, path, head)


def read_source(path: str, limit: int = MAX_SOURCE) -> bytes:
    """The bytes of a program file.

    Raises:
        Unreadable: It is missing, forbidden, huge, or not text.
    """
    try:
        if not os.path.exists(path):
            raise Unreadable(f"there is no file {path}")
        if not os.path.isfile(path):
            raise Unreadable(f"{path} is not a regular file")
        if os.path.getsize(path) > limit:
            raise Unreadable(f"{path} is larger than {limit >> 20} MiB: not read")
        with open(path, "rb") as file:
            head = file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}") from error
    if b"\0" in head:
        raise Unreadable(f"{path} is not a text file")
    return head


def _text_source(path: str, file: str | None, code: bytes) -> Source:
    lines = code.decode("utf-8", "replace").split("\n")
    return Source(path=path, file=file, code=code, lines=tuple(lines))


def notebook_cells(path: str, content: bytes) -> Iterator[Source]:
    """The code cells of a notebook, magics made harmless.

    Source: https://nbformat.readthedocs.io/en/latest/format_description.html; format 3 kept
    its cells in worksheets and their text in ``input``.

    Raises:
        Unreadable: It is no notebook, or not of Python.
    """
    import json

    try:
        book = json.loads(content.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path} is not a notebook: {str(error)[:100]}") from error
    cells = _cells(book)
    if cells is None:
        raise Unreadable(f"{path} is not a notebook: it has no cells")
    number = 0
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        number += 1
        text = cell.get("source", cell.get("input", ""))
        if isinstance(text, list):
            text = "".join(part for part in text if isinstance(part, str))
        if isinstance(text, str):
            yield _cell_source(f"{path} (cell {number})", path, text)


def _cells(book: object) -> list[object] | None:
    if not isinstance(book, dict):
        return None
    cells = book.get("cells")
    if cells is None and isinstance(book.get("worksheets"), list):
        sheets = [sheet.get("cells") for sheet in book["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    return cells if isinstance(cells, list) else None


def _cell_source(path: str, file: str, text: str) -> Source:
    written = text.split("\n")
    code = list(written)
    first = next((line.strip() for line in written if line.strip()), "")
    if first.startswith("%%"):
        # The rest of the cell is a shell script, HTML ... unless the magic only watches it run.
        keep = first.split()[0] in _PASSING_MAGICS
        code = [_plain_line(line) if keep else "" for line in written]
    else:
        code = [_plain_line(line) for line in written]
    return Source(
        path=path,
        file=file,
        code="\n".join(code).encode("utf-8", "surrogatepass"),
        lines=tuple(written),
    )


def _plain_line(line: str) -> str:
    """A line without IPython's own syntax; ``%env`` becomes the assignment that it is."""
    bare = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    setting = _SET_MAGIC.match(bare)
    if setting:
        return f"{indent}os.environ[{setting[1]!r}] = {setting[2].strip()!r}"
    if bare[:1] in ("%", "!", "?") or (bare.endswith("?") and "#" not in bare):
        return indent + "pass"
    shell = _SHELL_VALUE.match(bare)
    return indent + shell[1] + "None" if shell else line


def syntax_problem(source: Source, error: Exception) -> str:
    """In words, why a piece of a program is not Python 3."""
    line = getattr(error, "lineno", None)
    if not isinstance(error, SyntaxError) or line is None:
        return f"{source.path} cannot be read as Python: {str(error)[:100] or 'too deeply nested'}"
    cell = re.search(r" \((cell \d+)\)\Z", source.path)
    place = f"line {line}" + (f" of {cell[1]}" if cell else "")
    text = source.code.split(b"\n")[line - 1] if 0 < line <= source.code.count(b"\n") + 1 else b""
    if _PYTHON_2.search(text[:500]) or "did you mean print(" in str(error.msg).lower():
        return f"Python 2 syntax in {place}"
    return f"syntax error in {place}: {error.msg}"
