"""Where results go: stdout in the right encoding and colour, or a file, whole or not at all."""

from __future__ import annotations

import os
import stat
import sys

from keras_doctor.cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_TYPOGRAPHY = "\u2026\u2192"


def columns() -> int:
    """The width of the terminal: COLUMNS, else what the terminal says, else 80.

    As :func:`shutil.get_terminal_size`, whose module takes longer to import than this report
    to draw.
    """
    try:
        width = int(os.environ.get("COLUMNS", "0"))
    except ValueError:
        width = 0
    if width > 0:
        return width
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


def wants_color(choice: str, *, to_file: bool, stream: TextIO | None = None) -> bool:
    """Whether to colour: the flag, then NO_COLOR, then FORCE_COLOR, then the terminal.

    Args:
        choice: ``auto``, ``always`` or ``never``.
        to_file: Whether a file is written instead.
        stream: Where it is written to; default: stdout.
    """
    if choice != "auto":
        return choice == "always"
    environ = os.environ
    if to_file or environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    if not is_terminal(stream or sys.stdout) or environ.get("TERM") == "dumb":
        return False
    # The old Windows console shows escape sequences as they are.
    return os.name != "nt" or any(name in environ for name in ("WT_SESSION", "ANSICON", "TERM"))


def is_terminal(stream: TextIO) -> bool:
    """Whether a person sees this stream; False when it is closed."""
    try:
        return stream.isatty()
    except (ValueError, AttributeError):
        return False


def holds_unicode(*, to_file: bool, stream: TextIO | None = None) -> bool:
    """Whether more than ASCII can be written to `stream` (default: stdout); files are UTF-8."""
    if to_file:
        return True
    try:
        _TYPOGRAPHY.encode((stream or sys.stdout).encoding or "ascii")
    except (UnicodeEncodeError, LookupError, AttributeError):
        return False
    return True


def emit(text: str, *, path: str | None = None, utf8: bool = True) -> None:
    """Write a result to a file or to stdout.

    Args:
        text: All of it.
        path: The file, or None for stdout.
        utf8: On stdout: UTF-8 whatever the locale says, as JSON must be.

    Raises:
        UsageError: The file or stdout cannot be written.
        BrokenPipeError: Nobody reads stdout any more.
    """
    if path is not None:
        write_file(path, text)
        return
    if sys.stdout is None:
        raise UsageError("Standard output is closed.", code="output")
    try:
        _write(sys.stdout, text, utf8=utf8)
    except OSError as error:
        _abandon(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise
        reason = error.strerror or str(error)
        raise UsageError(f"Standard output cannot be written: {reason}.", code="output") from None


def _write(stream: TextIO, text: str, *, utf8: bool) -> None:
    encoding = "utf-8" if utf8 else stream.encoding or "ascii"
    data = text.encode(encoding, "backslashreplace")
    stream.flush()
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(data.decode(encoding))
    else:
        buffer.write(data)
        buffer.flush()


def _abandon(stream: TextIO) -> None:
    """Lead what is still buffered nowhere, or Python complains once more at its exit."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, stream.fileno())
    os.close(sink)


def check_writable(path: str | None) -> None:
    """Refuse an `--output` that cannot work before any work is done.

    Raises:
        UsageError: Its folder does not exist, or it is a folder.
    """
    if path is None:
        return
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise UsageError(f"--output {path} is a folder, name a file in it.", code="output")
    if not os.path.isdir(folder):
        raise UsageError(f"--output: the folder {folder} does not exist.", code="output")


def write_file(path: str, text: str) -> None:
    """Replace a file with a text in UTF-8; readers see the old one or the new one, whole.

    Raises:
        UsageError: It cannot be written.
    """
    check_writable(path)
    real = os.path.realpath(path)
    data = text.encode("utf-8", "backslashreplace")
    try:
        mode = os.stat(real).st_mode
    except OSError:
        mode = stat.S_IFREG | 0
    try:
        if stat.S_ISREG(mode):
            _replace(real, data, stat.S_IMODE(mode))
        else:
            # A device or a pipe: renaming something over it would destroy it.
            with open(real, "wb") as file:
                file.write(data)
    except OSError as error:
        raise UsageError(
            f"--output {path} cannot be written: {error.strerror or error}.", code="output"
        ) from None


def _replace(path: str, data: bytes, mode: int) -> None:
    beside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, mode or 0o666 & ~_umask())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
