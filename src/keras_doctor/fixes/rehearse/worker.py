"""The near side of the process that lives in a rehearsal's world."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from keras_doctor.fixes.rehearse import inside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_T = TypeVar("_T")
_END_SECONDS = 10.0
_START = "import sys; sys.path[:] = {path!r}; from {module} import main; main()"


class Worker:
    """A process of ours in a private mount namespace; it ends with this one.

    Args:
        mounts: As for :func:`keras_doctor.fixes.rehearse.namespace.enter`.
        progress: Told what the process says that it does.

    Raises:
        OSError: The kernel does not allow such a world.
    """

    def __init__(
        self,
        mounts: Sequence[tuple[str, str, str]],
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._progress = progress
        code = _START.format(path=sys.path, module=inside.__name__)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            self._send(list(mounts))
            self._receive()
        except BaseException:
            self.close()
            raise

    def call(self, function: Callable[..., _T], *args: Any, **named: Any) -> _T:
        """Run a function of this package in that world.

        Args:
            function: Importable by its name; with `with_progress` true it is given ``progress``.
            args: Its arguments, which can be pickled, as its result can.
            named: Its named arguments.

        Raises:
            Exception: What the function raised.
            OSError: The process has ended.
        """
        self._send((function, args, named))
        result: _T = self._receive()
        return result

    def interrupt(self) -> None:
        """End what it does at once; the call that waits for it raises :class:`OSError`."""
        self._process.terminate()

    def close(self) -> None:
        """End the process; its mounts go with it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _send(self, message: object) -> None:
        if self._process.stdin is None:
            raise OSError("the rehearsal's process has no input")
        inside.write(self._process.stdin, message)  # type: ignore[arg-type]

    def _receive(self) -> Any:
        if self._process.stdout is None:
            raise OSError("the rehearsal's process has no output")
        while True:
            try:
                kind, value = inside.read(self._process.stdout)  # type: ignore[arg-type]
            except EOFError:
                raise OSError("the rehearsal's process has ended unexpectedly") from None
            if kind == "value":
                return value
            if kind == "error":
                raise value
            self._progress(value)
