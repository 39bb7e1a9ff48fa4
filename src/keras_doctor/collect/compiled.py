"""The collector as byte code, for a patient whose Python is our own version.

Parsing the text is a third of what the collector costs. Python keeps byte code of these files
as of every module, so here it is only read and handed over. Byte code is good for one version
alone: the patient compares before it believes, and the text is the way that always works.
"""

from __future__ import annotations

import marshal
import os
import sys
from functools import cache

from keras_doctor.collect.bundle import FILES, FOLDER
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OTHER_VERSION = 95
"""The exit code of a patient whose Python is of another version after all."""
_PACKAGE = "keras_doctor.collect.patient."
_PROGRAM = """\
import sys
own = sys.modules["_frozen_importlib_external"]
system = sys.modules.get("posix") or sys.modules["nt"]
data = b""
part = b"."
while part:
    part = system.read(0, 1 << 20)
    data += part
if not data.startswith(own.MAGIC_NUMBER):
    system._exit(95)
loads = sys.modules["marshal"].loads
REQUEST, CODES = loads(data[len(own.MAGIC_NUMBER) :])
for name, code in CODES:
    module = sys.modules[name] = type(sys)(name)
    exec(loads(code), module.__dict__)
    if name.endswith(".head"):
        START = module.begin(REQUEST, None)
module.run(REQUEST, START)
"""


class Handover(NamedTuple):
    """How to start the collector from byte code."""

    options: tuple[str, str]
    """``-c`` and a short program: like ``-`` it gives sys.path its first entry."""
    data: bytes
    """For its standard input."""


def hand_over(payload: Mapping[str, Any], python: str) -> Handover | None:
    """The start from byte code, or None when there is none for this interpreter.

    Args:
        payload: Plain values (dicts, lists, texts, numbers, bools, None).
        python: An interpreter on this machine; what its file is called tells its version.
    """
    name = os.path.basename(os.path.realpath(python))
    if name != f"python{sys.version_info.major}.{sys.version_info.minor}":
        return None
    codes = _byte_code()
    if not codes:
        return None
    magic: bytes = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
    data = magic + marshal.dumps((dict(payload), codes))
    return Handover(options=("-c", _PROGRAM), data=data)


@cache
def _byte_code() -> tuple[tuple[str, bytes], ...]:
    """Name and byte code of each file, from the cache that Python keeps of its modules.

    () where there is no such cache and none can be made: compiling here is not cheaper than
    in the patient.
    """
    machinery: Any = sys.modules["_frozen_importlib_external"]
    spec = sys.modules[__name__].__spec__
    if spec is None or not isinstance(spec.loader, machinery.SourceFileLoader) or not spec.cached:
        return ()
    ending = os.path.basename(spec.cached).partition(".")[2]
    kept = [os.path.join(FOLDER, "__pycache__", f"{name}.{ending}") for name in FILES]
    writable = not sys.dont_write_bytecode and os.access(FOLDER, os.W_OK)
    if not writable and not all(os.path.exists(path) for path in kept):
        return ()
    codes = []
    for name, cached in zip(FILES, kept, strict=True):
        source = os.path.join(FOLDER, name + ".py")
        code = _kept_code(source, cached, machinery.MAGIC_NUMBER)
        if code is None:
            module = machinery.SourceFileLoader(_PACKAGE + name, source)
            code = marshal.dumps(module.get_code(_PACKAGE + name))
        codes.append((_PACKAGE + name, code))
    return tuple(codes)


def _kept_code(source: str, cached: str, magic: bytes) -> bytes | None:
    """The byte code of a .pyc file that is current, as it lies there; None when it is not.

    The header is that of PEP 552: magic number, flags, and for flags of zero the time and the
    size of the source.
    """
    try:
        with open(cached, "rb") as file:
            data = file.read()
        status = os.stat(source)
    except OSError:
        return None
    stamp = b"".join(
        (number & 0xFFFFFFFF).to_bytes(4, "little")
        for number in (0, int(status.st_mtime), status.st_size)
    )
    return data[16:] if data[:16] == magic + stamp else None
