"""Write the knowledge that is shipped: ``python -m tools.knowledge releases`` or ``paths``."""

from __future__ import annotations

import sys

from tools.knowledge import checkpaths, paths, releases

COMMANDS = {"releases": releases.main, "paths": paths.main, "paths-check": checkpaths.main}


def main(argv: list[str]) -> int:
    """Run one of the subcommands; return the exit code."""
    if argv and argv[0] in COMMANDS:
        return COMMANDS[argv[0]](argv[1:])
    sys.stderr.write(f"usage: python -m tools.knowledge {{{','.join(COMMANDS)}}} [--help]\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
