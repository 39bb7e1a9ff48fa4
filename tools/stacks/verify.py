"""Installs a part of a stack for real, and imports Keras in it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from keras_doctor.knowledge.stacks import Stack, closure, load_stack, stacks
from tools.stacks import results
from tools.stacks.resolve import interpreter, reason

SAMPLE = (
    "tensorflow-1.15.5-py3.7",
    "tensorflow-1.4.1-py3.6",
    "theano-1.0.5-py3.7",
    "tensorflow-2.10.1-py3.10",
    "jax-0.12.0.1-py3.12",
)
WANTED = ("keras", "scipy", "scikit-learn", "matplotlib", "pandas", "pillow")
_IMPORT = "import keras, scipy, sklearn, matplotlib, pandas, PIL; print(keras.__version__)"
_LIMIT = 1200


def verify(only: list[str]) -> int:
    """Try the sample, or the stacks whose ids contain one of some texts.

    Returns:
        The exit code: 1 when one did not work.
    """
    wanted = [
        row.id
        for row in stacks()
        if (any(part in row.id for part in only) if only else row.id in SAMPLE)
    ]
    failed = 0
    for name in wanted:
        row = try_stack(load_stack(name))
        seen = results.read()
        seen["stacks"].setdefault(name, {})["verified"] = row
        results.write(seen)
        failed += not row["works"]
        print(f"{name}: {row}", flush=True)
    return 1 if failed else 0


def try_stack(stack: Stack) -> dict[str, Any]:
    """Install what Keras and its usual companions need, without resolving; import them."""
    pins = closure(stack, (*WANTED, stack.backend))
    found: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "packages": len(pins),
        "works": False,
    }
    with tempfile.TemporaryDirectory(prefix="keras-doctor-stacks-") as temporary:
        python = str(Path(temporary, "env", "bin", "python"))
        variables = {**os.environ, "HOME": temporary, "KERAS_BACKEND": stack.backend}
        variables.pop("VIRTUAL_ENV", None)
        listed = Path(temporary, "pins.txt")
        listed.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins))
        steps = {
            "venv": ["uv", "venv", "-q", "--python", interpreter(stack.python), f"{temporary}/env"],
            "install": ["uv", "pip", "install", "-q", "--no-deps", "-r", str(listed)],
            "check": ["uv", "pip", "check"],
            "import": [python, "-W", "ignore", "-c", _IMPORT],
        }
        for step, argv in steps.items():
            words = [*argv, "--python", python] if argv[1] == "pip" else argv
            done = subprocess.run(
                words, env=variables, capture_output=True, text=True, timeout=_LIMIT, check=False
            )
            if step == "check":
                found["check"] = reason(done.stderr) if done.returncode else "passed"
            elif done.returncode:
                said = _last(done.stderr) if step == "import" else reason(done.stderr)
                return found | {"failed": step, "said": said}
        return found | {"works": True, "keras": done.stdout.strip()}


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
