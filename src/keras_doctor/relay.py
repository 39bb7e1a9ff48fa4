"""Run a command as if nobody stood between, and keep the end of what it wrote to stderr.

The child has our own stdin, stdout, process group and terminal, so Ctrl-C, Ctrl-Z and the order
under ``2>&1`` are as without us. Only stderr passes through here, unmodified: through a
pseudo-terminal where it was a terminal, through a pipe where it is a pipe or file of its own.
Where it is the same open file as stdout, it is left alone, since two ways would mix up the order.

POSIX only; nothing is imported that a bare command would have to wait for.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

KEPT = 1024 * 1024
"""So many of the last bytes of stderr are kept."""
_CHUNK = 64 * 1024
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
# What Python sets to be ignored, and a child must find as it was.
_RESET = [getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)]


class Relayed(NamedTuple):
    """How a command ended."""

    code: int
    """Its exit status; negative for the signal that ended it."""
    stderr: bytes | None
    """The last of what it wrote there; None when that did not pass through here."""


def run_relayed(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Relayed:
    """Runs a command in the foreground until it ends.

    Args:
        argv: The command; its first word is looked up in PATH.
        environ: Its variables; default: ours.

    Raises:
        OSError: It could not be started.
    """
    variables = dict(os.environ if environ is None else environ)
    way = _way()
    if way is None:
        with _signals_for(None) as to:
            pid = os.posix_spawnp(argv[0], list(argv), variables, setsigdef=_RESET)
            to.pid = pid
            return Relayed(code=_wait(pid), stderr=None)
    source, sink = _terminal() if way == "terminal" else os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, sink, 2), (os.POSIX_SPAWN_CLOSE, source)]
    with _signals_for(source if way == "terminal" else None) as to:
        try:
            pid = os.posix_spawnp(
                argv[0], list(argv), variables, file_actions=actions, setsigdef=_RESET
            )
        except OSError:
            os.close(source)
            raise
        finally:
            os.close(sink)
        to.pid = pid
        return _relay(pid, source, to.wake)


def _way() -> str | None:
    """How stderr is relayed: ``terminal``, ``pipe``, or None for not at all."""
    try:
        errors = os.fstat(2)
        if os.isatty(2):
            return "terminal"
        output = os.fstat(1)
    except OSError:
        return None
    same = (errors.st_dev, errors.st_ino) == (output.st_dev, output.st_ino)
    return None if same else "pipe"


def _terminal() -> tuple[int, int]:
    """A pseudo-terminal that changes no byte, of the size of the real one."""
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    _copy_size(master)
    return master, slave


def _copy_size(master: int) -> None:
    import fcntl
    import termios

    with contextlib.suppress(OSError):
        size = fcntl.ioctl(2, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(master, termios.TIOCSWINSZ, size)


class _Addressee:
    """Who gets the signals that are sent to us alone, and what wakes our loop."""

    __slots__ = ("pid", "wake")

    def __init__(self, wake: int) -> None:
        self.pid: int | None = None
        self.wake = wake


@contextlib.contextmanager
def _signals_for(master: int | None) -> Iterator[_Addressee]:
    """Lets the terminal's signals pass us by, and hands on those that are sent to us alone."""
    wake, waking = os.pipe()
    os.set_blocking(waking, False)
    to = _Addressee(wake)
    alone = not _has_terminal()

    def hand_on(number: int, _: FrameType | None) -> None:
        if to.pid is not None:
            with contextlib.suppress(OSError):
                os.kill(to.pid, number)

    def passed_by(number: int, frame: FrameType | None) -> None:
        # From the terminal the child has it too; from elsewhere only we have.
        if alone:
            hand_on(number, frame)

    def resized(_number: int, _: FrameType | None) -> None:
        if master is not None:
            _copy_size(master)

    handlers: dict[int, Callable[[int, FrameType | None], None]] = {
        getattr(signal, n): hand_on for n in _FORWARDED if hasattr(signal, n)
    }
    handlers |= {signal.SIGINT: passed_by, signal.SIGQUIT: passed_by, signal.SIGWINCH: resized}
    handlers[signal.SIGCHLD] = lambda *_: None
    before = {}
    for number, handler in handlers.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    old = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    try:
        yield to
    finally:
        signal.set_wakeup_fd(old)
        for number, previous in before.items():
            signal.signal(number, previous)
        os.close(wake)
        os.close(waking)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _wait(pid: int) -> int:
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _relay(pid: int, source: int, wake: int) -> Relayed:
    kept = bytearray()
    code: int | None = None
    open_ = True
    while code is None:
        ready, _, _ = select.select([wake, source] if open_ else [wake], [], [])
        if wake in ready:
            os.read(wake, _CHUNK)
        if source in ready:
            open_ = _pass_on(source, kept)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
    while open_ and select.select([source], [], [], 0)[0]:
        open_ = _pass_on(source, kept)
    if open_:
        _leave_a_pump(source)
    os.close(source)
    return Relayed(code=code, stderr=bytes(kept[-KEPT:]))


def _pass_on(source: int, kept: bytearray) -> bool:
    """Passes one piece on; False when nothing more will come, or nobody takes it."""
    try:
        piece = os.read(source, _CHUNK)
    except OSError:  # EIO: the last one who had the terminal open has closed it
        return False
    if not piece:
        return False
    kept += piece
    if len(kept) > 2 * KEPT:
        del kept[:-KEPT]
    try:
        _write(piece)
    except OSError:
        return False
    return True


def _write(piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        try:
            view = view[os.write(2, view) :]
        except BlockingIOError:
            select.select([], [2], [])


def _leave_a_pump(source: int) -> None:
    """Somebody whom the command left behind still writes: pass that on after we are gone."""
    if os.fork():
        return
    try:
        while _pass_on(source, bytearray()):
            pass
    finally:
        os._exit(0)


def end_like(code: int) -> None:
    """Ends this process as the command ended: by its status, or by its signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code < 0:
        import resource

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core file is enough
        with contextlib.suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)
