"""The main job on real input, about two minutes: breaks a Keras environment, examines and mends it.

Makes, in a temporary folder that is removed at the end: a virtual environment for keras-doctor,
an environment with Keras 3 and JAX from PyPI, and a project with a training script. Then two
independent things go wrong, as they do: a file of Keras was written only halfway, and the backend
is asked for in a spelling that Keras does not know. keras-doctor says so, repairs what it can,
leaves the variable to the user, and takes the repair back in the end. pip's own configuration
decides where packages come from. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A pair that goes together on every Python from 3.11 to 3.14.
PACKAGES = ("keras==3.12.0", "jax==0.7.2")
DAMAGED = "keras/src/models/sequential.py"
TRAIN = """\
import numpy as np
import keras
from keras.layers import Dense

model = keras.Sequential([Dense(4, activation="relu"), Dense(1)])
model.compile(optimizer="sgd", loss="mse")
model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)
print("trained on", keras.backend.backend())
"""


class DemoError(Exception):
    """A step of the demonstration failed. The message is for the user."""


def main() -> int:
    """Runs the demonstration; 0 when it was broken, found to be, and trained after the repair."""
    start = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="keras-doctor-demo-"))
    try:
        variables = build(folder)
        before = show_what_the_user_sees(folder, variables)
        status = examine(folder, variables)
        mended = mend(folder, variables)
    except DemoError as error:
        print(f"make demo: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say(f"{time.monotonic() - start:.0f} seconds; {folder} is removed")
    return 0 if before and status == 1 and mended else 1


def build(folder: Path) -> dict[str, str]:
    """Makes the tool's environment and the patient's, and breaks the latter.

    Args:
        folder: An empty folder.

    Returns:
        The variables of the shell in which the user works.
    """
    say(f"two virtual environments in {folder}: keras-doctor, and {' + '.join(PACKAGES)}")
    for name in ("tool", "env"):
        run([sys.executable, "-m", "venv", str(folder / name)])
    pip = ("-m", "pip", "install", "-qq", "--disable-pip-version-check")
    installs = [
        subprocess.Popen([python_of(folder / "tool"), *pip, str(ROOT)]),
        subprocess.Popen([python_of(folder / "env"), *pip, *PACKAGES]),
    ]
    statuses = [install.wait(timeout=900) for install in installs]
    if any(statuses):
        raise DemoError("pip could not install; its message is above")
    (folder / "project").mkdir()
    (folder / "home").mkdir()
    (folder / "project" / "train.py").write_text(TRAIN, encoding="utf-8")
    site = run(
        [python_of(folder / "env"), "-c", "import sysconfig as s; print(s.get_path('purelib'))"]
    )
    damaged = Path(site.strip()) / DAMAGED
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    say(f"broken: the second half of {DAMAGED} is gone, and KERAS_BACKEND=JAX")
    programs = Path(python_of(folder / "env")).parent
    path = [str(programs), os.environ.get("PATH", ""), str(link_tool(folder))]
    return {
        **os.environ,
        "PATH": os.pathsep.join(path),
        "VIRTUAL_ENV": str(folder / "env"),
        "HOME": str(folder / "home"),
        "USERPROFILE": str(folder / "home"),
        "KERAS_BACKEND": "JAX",
    }


def show_what_the_user_sees(folder: Path, variables: dict[str, str]) -> bool:
    """Runs the script as it is, and prints the end of its traceback."""
    done = subprocess.run(
        [python_of(folder / "env"), "train.py"],
        cwd=folder / "project",
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print("\n$ python train.py\n  [...]")
    for line in done.stderr.strip().splitlines()[-3:]:
        print(f"  {line}")
    return done.returncode != 0


def examine(folder: Path, variables: dict[str, str]) -> int:
    """Runs keras-doctor from its own environment, in the user's shell; its exit status."""
    tool = str(link_tool(folder) / "keras-doctor")
    run([tool, "--version"])
    print("\n$ keras-doctor check -- python train.py\n", flush=True)
    status = subprocess.run(
        [tool, "check", "--", "python", "train.py"],
        cwd=folder / "project",
        env=variables,
        timeout=600,
        check=False,
    ).returncode
    print()
    say(f"exit status {status} (1: causes were found)")
    return status


def mend(folder: Path, variables: dict[str, str]) -> bool:
    """Repairs, does the one thing that is left to the user, and takes the repair back."""
    tool = str(link_tool(folder) / "keras-doctor")
    project = folder / "project"

    def shell(shown: str, *argv: str) -> int:
        print(f"\n$ {shown}\n", flush=True)
        done = subprocess.run(argv, cwd=project, env=variables, timeout=900, check=False)
        return done.returncode

    words = ("fix", "--yes", "--", "python", "train.py")
    shell("keras-doctor " + " ".join(words), tool, *words)
    variables["KERAS_BACKEND"] = "jax"
    print("\n$ export KERAS_BACKEND=jax")
    trained = shell("python train.py", python_of(folder / "env"), "train.py") == 0
    undone = shell("keras-doctor undo", tool, "undo") == 0
    print()
    return trained and undone


def link_tool(folder: Path) -> Path:
    """A folder with nothing but keras-doctor in it, as pipx and uv put programs on PATH."""
    programs = Path(python_of(folder / "tool")).parent
    if os.name == "nt":
        return programs
    link = folder / "bin" / "keras-doctor"
    if not link.exists():
        link.parent.mkdir()
        link.symlink_to(programs / "keras-doctor")
    return link.parent


def python_of(environment: Path) -> str:
    """The interpreter of a virtual environment, on this system."""
    if os.name == "nt":
        return str(environment / "Scripts" / "python.exe")
    return str(environment / "bin" / "python")


def run(argv: Sequence[str]) -> str:
    """Runs a program; what it printed.

    Raises:
        DemoError: It failed.
    """
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise DemoError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def say(text: str) -> None:
    """A step, apart from what the programs print."""
    print(f"# {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
