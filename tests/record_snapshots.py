"""Record the snapshots of tests/data/snapshots again, from environments of the laboratory.

    KERAS_DOCTOR_LAB=... python tests/record_snapshots.py ID DIRECTORY [ID DIRECTORY ...]

Each DIRECTORY is a scenario that ``lab.py build`` made. The snapshot is masked as every snapshot
that is shared, and the folders of this machine get names of their own. Nothing is written but the
file in tests/data/snapshots.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

LABORATORY = Path(os.environ.get("KERAS_DOCTOR_LAB", "."))
PROGRAMS = ("train.py", "show.py")
FOLDER = Path(__file__).parent / "data" / "snapshots"


def record(name: str, directory: Path) -> None:
    """Write the snapshot of one scenario."""
    scenario = tomllib.loads((LABORATORY / "scenarios" / f"{name}.toml").read_text("utf-8"))
    script = next(
        (s for s in ("train.py", "show.py") if (directory / "project" / s).exists()), None
    )
    command = ["--", "python", script] if script else []
    doctor = [sys.executable, "-m", "keras_doctor", "snapshot", "--backend", scenario["wish"]]
    done = subprocess.run(
        [
            *(sys.executable, str(LABORATORY / "lab.py"), "run", name, str(directory), "--"),
            *(*doctor, *command),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    text = done.stdout.replace(str(directory), "/lab")
    base = json.loads(text)["interpreter"]["base_prefix"]
    text = text.replace(os.path.dirname(base), "/opt/pythons")
    # One line: a diff of recorded facts is read by nobody.
    compact = json.dumps(json.loads(text), separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(compact + "\n", encoding="ascii")
    print(f"{name}: {len(compact)} bytes")


if __name__ == "__main__":
    for name, directory in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        record(name, Path(directory).resolve())
