"""Command line: ``python -m tools.measure run --budget 60``."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed

from tools.measure.job import carry_out
from tools.measure.model import Job, Run, load_subjects
from tools.measure.plan import jobs_of, write_queue
from tools.measure.store import Store


def main() -> int:
    """Run the words of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.measure", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure what is left of the plan")
    run.add_argument("--budget", type=float, default=60, metavar="MINUTES")
    run.add_argument("--jobs", type=int, default=1, help="how many at a time")
    run.add_argument("--only", nargs="*", default=[], metavar="TEXT", help="parts of a job's name")
    commands.add_parser("plan", help="list the jobs in their order")
    commands.add_parser("compile", help="make the shipped boundaries of the runs")
    options = parser.parse_args()
    if options.command == "compile":
        from tools.measure.boundaries import write_boundaries

        return write_boundaries()
    jobs = jobs_of(load_subjects())
    if options.command == "plan":
        for job in jobs:
            print(job.key, ", ".join(job.subject.axes))
        return 0
    if options.only:
        jobs = [job for job in jobs if any(text in job.key for text in options.only)]
    store = Store()
    with ThreadPoolExecutor(options.jobs) as executor:
        measure(jobs, store, executor, time.monotonic() + options.budget * 60)
    print(f"{write_queue(jobs, store)} jobs are left")
    return 0


def measure(jobs: list[Job], store: Store, executor: Executor, deadline: float) -> None:
    """Give every job to an executor; what each finds is kept at once."""

    def keep(run: Run) -> None:
        store.add(run)
        what = f"{run.axis} {run.version}" if run.axis else "as resolved"
        where = f"{run.subject} {run.release} on {run.python}"
        print(f"{where}: {what} [{run.statement}]: {run.status} {run.message or ''}", flush=True)

    def work(job: Job) -> None:
        if time.monotonic() < deadline:
            known = store.of(job.subject.name, job.release, job.python)
            carry_out(job, known, keep, deadline)

    for future in as_completed([executor.submit(work, job) for job in jobs]):
        try:
            future.result()
        except Exception:  # noqa: BLE001 - one job's mishap must not end the others
            traceback.print_exc()


if __name__ == "__main__":
    sys.exit(main())
