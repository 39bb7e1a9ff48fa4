"""What goes on, said on stderr to a person who has waited for half a second; then erased."""

from __future__ import annotations

import sys

from keras_doctor.cli.output import columns, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Timer
    from types import TracebackType
    from typing import Self, TextIO

DELAY = 0.5
"""Seconds after which a step is worth a word."""
_ERASE = "\r\x1b[K"
_BAR = 24


class Progress:
    """Shows the step that is under way, as a context manager that leaves nothing behind.

    Args:
        enabled: False for `--quiet`; besides, only a terminal is written to.
        limit: Seconds that a step may take, said with it.
        stream: Where to; default: stderr.
    """

    def __init__(
        self, *, enabled: bool = True, limit: float | None = None, stream: TextIO | None = None
    ) -> None:
        import os

        self._limit = "" if limit is None else f" (up to {limit:g} s)"

        self._stream = sys.stderr if stream is None else stream
        self._enabled = (
            enabled and is_terminal(self._stream) and os.environ.get("TERM", "") != "dumb"
        )
        self._timer: Timer | None = None
        self._shown = False
        self._since: float | None = None

    def __call__(self, message: str) -> None:
        """Say what starts now."""
        if not self._enabled:
            return
        from threading import Timer

        self._since = None
        self._stop()
        self._timer = Timer(0.0 if self._shown else DELAY, self._show, [message])
        self._timer.daemon = True
        self._timer.start()

    def share(self, done: int, total: int) -> None:
        """Draw how many bytes of the files are hashed."""
        if not self._enabled or total <= 0:
            return
        import time

        now = time.monotonic()
        if self._since is None:
            self._since = now
        if not self._shown and now - self._since < DELAY:
            return
        self._stop()
        part = min(done / total, 1.0)
        bar = "#" * round(part * _BAR)
        text = f"Hashing the installed files [{bar:.<{_BAR}}] {part:4.0%} of {total / 1e6:,.0f} MB"
        self._write(_ERASE + text[: max(columns() - 1, 10)])
        self._shown = True

    def _show(self, message: str) -> None:
        from keras_doctor.report.layout import one_line

        room = max(columns() - 1 - len(self._limit), 10)
        shown = one_line(message)
        if len(shown) > room:
            shown = shown[: room - 3] + "..."
        self._write(_ERASE + shown + self._limit)
        self._shown = True

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None

    def pause(self) -> None:
        """Take away what is shown, before something else is written."""
        self._stop()
        if self._shown:
            self._write(_ERASE)
            self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pause()

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError, UnicodeError):
            self._enabled = False
