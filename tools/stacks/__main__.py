"""Resolve the stacks: ``python -m tools.stacks build [--only ID ...]``."""

from __future__ import annotations

import argparse
import sys

from tools.stacks.build import build
from tools.stacks.names import read_names
from tools.stacks.verify import verify


def main() -> int:
    """Run the words of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.stacks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("build", "resolve with uv, and write what is shipped"),
        ("verify", "install a part of a stack for real, and import Keras in it"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--only", nargs="*", default=[], metavar="ID", help="parts of an id")
        if name == "build":
            command.add_argument(
                "--missing", action="store_true", help="only what is not there yet"
            )
    names = commands.add_parser("names", help="ask which import names the pinned packages provide")
    names.add_argument("--cache", default="", metavar="DIR", help="where answers are kept")
    options = parser.parse_args()
    if options.command == "names":
        return read_names(options.cache)
    if options.command == "verify":
        return verify(options.only)
    return build(options.only, missing=options.missing)


if __name__ == "__main__":
    sys.exit(main())
