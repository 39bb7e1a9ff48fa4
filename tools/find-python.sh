#!/bin/sh
# Prints the path of a Python >= 3.11 that can make virtual environments.
#
# Looked at in this order: $PYTHON, what is on PATH, pyenv's versions. Every candidate is really
# started, because a pyenv shim is on PATH for versions that are not active, and Debian's python3
# comes without ensurepip.
set -u

probe='import sys
if sys.version_info < (3, 11):
    raise SystemExit(1)
import ensurepip, venv
print(sys.executable)'

for candidate in ${PYTHON:+"$PYTHON"} \
    python3 python3.11 python3.12 python3.13 python3.14 python \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python; do
    found=$("$candidate" -c "$probe" 2>/dev/null) && [ -n "$found" ] || continue
    printf '%s\n' "$found"
    exit 0
done

echo "No Python >= 3.11 with the venv module was found. Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
