"""One measured task of `make bench-verify`, in a process of its own: wall, CPU, peak memory.

Usage: verify_task.py TASK SNAPSHOT CACHE; the tasks are the keys of TASKS. Only the work itself is
timed, not the start of the interpreter and its imports. The result is printed as JSON.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_doctor.collect.load import loads_snapshot
from keras_doctor.verify import verify
from keras_doctor.verify.choice import chosen, record_of

PIECE = 1 << 18


def main(task: str, snapshot: str, cache: str) -> int:
    facts = loads_snapshot(Path(snapshot).read_bytes())
    files = [
        os.path.join(one.location, folder, name)
        for one in chosen(facts, None)
        if (record := record_of(one)[0])
        for folder, rows in record.folders.items()
        for name, _digest, _size in rows
    ]
    tasks: dict[str, Callable[[], Any]] = {
        "loop": lambda: loop(files),
        "file_digest": lambda: file_digest(files),
        "ours": lambda: verify(facts, None, cache=cache or None),
    }
    gc.disable()  # as the command line does
    busy, started, own = busy_seconds(), time.perf_counter(), time.process_time()
    result = tasks[task]()
    wall, cpu = time.perf_counter() - started, time.process_time() - own
    others = max(0.0, busy_seconds() - busy - cpu) / wall
    print(
        json.dumps(
            {
                "wall": wall,
                "cpu": cpu,
                "others": others,
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "files": len(files),
                "bytes": sum(map(os.path.getsize, files)),
                "from_cache": result.verified.from_cache if task == "ours" else 0,
                "mismatches": result.verified.mismatches_total if task == "ours" else 0,
            }
        )
    )
    return 0


def busy_seconds() -> float:
    """CPU seconds that all processes of this machine have used; 0 where that is not told."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(field) for field in file.readline().split()[1:]]
    except (OSError, ValueError):
        return 0.0
    user, nice, system, _idle, _wait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def loop(files: list[str]) -> None:
    """The plain loop, with unbuffered reads of the size that was fastest."""
    for path in files:
        state = hashlib.sha256()
        with open(path, "rb", buffering=0) as file:
            while data := file.read(PIECE):
                state.update(data)
        state.digest()


def file_digest(files: list[str]) -> None:
    """What the standard library has for it."""
    for path in files:
        with open(path, "rb") as file:
            hashlib.file_digest(file, "sha256").digest()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
