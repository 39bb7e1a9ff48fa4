"""Being ended from outside, tidily."""

from __future__ import annotations

import sys

TERMINATED = 143
"""Exit status after SIGTERM, as shells count it: 128 and the signal's number."""


def tidy_when_terminated() -> None:
    """Turn SIGTERM into an ordinary exit.

    A live run has a child and a private folder; both are cleared away on the way out. Python's
    own answer to SIGTERM would leave them.
    """
    import signal

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
