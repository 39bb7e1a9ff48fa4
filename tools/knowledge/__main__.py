"""Write the knowledge that is shipped: ``python -m tools.knowledge releases``."""

from __future__ import annotations

import sys

from tools.knowledge import releases


def main(argv: list[str]) -> int:
    """Run one of the subcommands; return the exit code."""
    if argv[:1] == ["releases"]:
        return releases.main(argv[1:])
    sys.stderr.write("usage: python -m tools.knowledge releases [--help]\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
