"""The runs, one JSON line each: appended as they are made, so that a kill loses nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tools.measure.model import FOLDER, Run

RUNS = FOLDER / "results" / "runs.jsonl"


class Store:
    """All runs, in memory and on disk."""

    def __init__(self, path: Path = RUNS) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.runs = list(_read(path))

    def add(self, run: Run) -> None:
        """Keep a run, on disk before anything else happens."""
        with self._lock:
            self.runs.append(run)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(run), ensure_ascii=False) + "\n")

    def of(self, subject: str, release: str, python: str) -> list[Run]:
        """The runs of one job."""
        key = (subject, release, python)
        return [run for run in self.runs if (run.subject, run.release, run.python) == key]


def _read(path: Path) -> Iterator[Run]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                yield Run(**json.loads(line))
            except (ValueError, TypeError):
                continue  # the line that a kill cut off
