"""One program text for the child, made of the files in `patient`."""

from __future__ import annotations

import os

_PARTS = ("records", "exceptions", "watch", "changes", "step", "saving", "start")
_OURS = "from keras_doctor.live.patient."
# -c puts the current folder first on sys.path; the user's own start decides about that. Until
# it is gone, only what is built in may be imported.
_HEAD = """\
import sys
if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]
_path = sys.path[:]
sys.path[:] = [_each for _each in _path if _each.startswith((sys.base_prefix, sys.prefix))]
import faulthandler, os
sys.path[:] = _path
"""
_TAIL = """
_run = Run(SPEC)
try:
    _run.go()
except BaseException as _error:
    sys.stderr.write("keras-doctor: the examination was disturbed: %r\\n" % (_error,))
finally:
    leave(_run.channel)
"""

COMMAND = (
    "import sys; _ = sys.argv.pop(1); "
    "exec(compile(open(_, 'rb').read(), _, 'exec'), {'__name__': '_keras_doctor_child'})"
)
"""What ``python -c`` runs; the program's path is the argument after it."""


def program_text(spec: dict[str, object]) -> str:
    """Joins the parts into one program with its specification as a literal.

    Args:
        spec: what the child is to do: see `keras_doctor.live.imports`; strings, numbers,
            booleans, None, lists, tuples and dicts only.

    Returns:
        Source text for Python 3.6 and later, ASCII but for the parts' own text.
    """
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "patient")
    texts = [_HEAD]
    for part in _PARTS:
        with open(os.path.join(folder, part + ".py"), encoding="utf-8") as stream:
            texts.append("".join(line for line in stream if not line.startswith(_OURS)))
    texts.append(f"SPEC = {spec!a}\n{_TAIL}")
    return "\n".join(texts)
