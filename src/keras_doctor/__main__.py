"""The entry point of `keras-doctor` and of `python -m keras_doctor`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The words after the program's name; default: this process's.

    Returns:
        The exit status, as DESIGN.md lists them.
    """
    from keras_doctor.cli import run

    return run(tuple(sys.argv[1:] if argv is None else argv))


if __name__ == "__main__":
    sys.exit(main())
