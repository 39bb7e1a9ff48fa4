"""What the folders in a text tell: another Python's packages, a user's own, a 32-bit Python."""

from __future__ import annotations

import re

from keras_doctor.rules.base import finding, seen, sign
from keras_doctor.rules.remedies import edit, set_variable
from keras_doctor.rules.stages import LOADER, PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context

_FOLDER = re.compile(r"[^\s\"'()]{0,200}?python(\d\.\d+)[/\\](?:site|dist)-packages")
_OWN = re.compile(
    r"[^\s\"'()]{0,200}?(?:/\.local/lib/python|AppData[/\\]Roaming[/\\]Python)[^\s\"']*"
)
_WHOLE = [sign(printed=r"\S")]


def by_folders(context: Context) -> Iterator[Finding]:
    """The causes that the folders of the text, and facts beside it, point at."""
    text = "\n".join(outcome.output for outcome in context.failures)[-200_000:]
    yield from _foreign(context, text)
    yield from _own_folder(text)
    yield from _of_32_bits(context)


def _foreign(context: Context, text: str) -> Iterator[Finding]:
    """Packages of one Python that another one loads."""
    folders: dict[str, str] = {}
    for found in _FOLDER.finditer(text):
        folders.setdefault(found[1], found[0])
    interpreter = context.snapshot.interpreter
    version = ".".join(interpreter.version.split(".")[:2]) if interpreter else None
    foreign = [v for v in folders if version and v != version]
    if not foreign and len(folders) > 1:
        foreign = list(folders)[1:]
    for other in foreign[:1]:
        yield finding(
            "KD205",
            "foreign-path",
            folders[other],
            title=f"Packages of Python {other} are loaded by another Python",
            why="PYTHONPATH or a .pth file brings in a folder that was made for that Python.",
            evidence=[seen(f"{folders[other]} is read", "the text")],
            stage=PATH,
            weight="likely",
            fixes=[set_variable(context, "PYTHONPATH", None, "Take that folder off PYTHONPATH.")],
            signs=_WHOLE,
        )


def _own_folder(text: str) -> Iterator[Finding]:
    found = _OWN.search(text)
    if found:
        yield finding(
            "KD203",
            "multiple-installations",
            found[0][:200],
            title="Packages of your own user folder are loaded, and may hide those installed here",
            why="They come before the environment's, for every environment with that Python.",
            evidence=[seen(f"{found[0][:200]} is read", "the text")],
            stage=PATH,
            weight="risk",
            fixes=[edit("delete", found[0][:200], "Try python -s, which leaves that folder out.")],
            signs=_WHOLE,
        )


def _of_32_bits(context: Context) -> Iterator[Finding]:
    interpreter = context.snapshot.interpreter
    if interpreter is None or interpreter.bits != 32:
        return
    yield finding(
        "KD504",
        "wrong-architecture",
        "python",
        title="This Python is a 32-bit one, which no TensorFlow, JAX or torch is made for",
        why="Their wheels and libraries are for 64 bits only.",
        evidence=[seen("a 32-bit Python", interpreter.executable)],
        stage=LOADER,
        weight="fatal",
        fixes=[edit("use-env", "python", "Use a 64-bit Python.")],
        signs=_WHOLE,
    )
