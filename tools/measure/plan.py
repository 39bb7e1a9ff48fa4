"""Which jobs there are, in which order, and which of them are left."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tools.measure.index import releases_for
from tools.measure.job import is_finished
from tools.measure.model import FOLDER, Job, Subject
from tools.measure.store import Store

PYTHONS = ("3.13", "3.12", "3.11", "3.10", "3.9", "3.8", "3.7", "3.6")
QUEUE = FOLDER / "results" / "queue.json"


def jobs_of(subjects: Iterable[Subject]) -> list[Job]:
    """Every job, in the order in which a budget is best spent.

    First each release on its newest Python, there the newer side of every axis before the older
    one, then the other Pythons. Old releases come first: they could not know what was to come.
    """
    ranked: list[tuple[tuple[bool, int, int, int], Job]] = []
    for subject in subjects:
        for number, release in enumerate(subject.releases):
            for rank, python in enumerate(_pythons(subject, release)):
                for place, side in enumerate(("newer", "older")):
                    order = (rank > 0 and not subject.every_python, place, subject.priority, number)
                    ranked.append((order, Job(subject, release, python, side)))
    return [job for _order, job in sorted(ranked, key=lambda pair: pair[0])]


def _pythons(subject: Subject, release: str) -> list[str]:
    allowed = subject.pythons or PYTHONS
    source = bool(subject.no_binary)
    return [
        python
        for python in PYTHONS
        if python in allowed
        and any(
            release == found.version
            for name in subject.distributions
            for found in releases_for(name, python, source=source)
        )
    ]


def write_queue(jobs: Iterable[Job], store: Store, path: Path = QUEUE) -> int:
    """Write which jobs are not answered by runs yet; return how many that are."""
    left = [
        job.key
        for job in jobs
        if not is_finished(job, store.of(job.subject.name, job.release, job.python))
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"jobs": left}, indent=1) + "\n", encoding="utf-8")
    return len(left)
