"""Carry out one job; what an executor's worker runs."""

from __future__ import annotations

import datetime as dt
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_doctor.live import Statement, run_imports
from keras_doctor.model import Outcome, Target
from tools.measure.environments import LATER, Environment, NotInstallableError, forget_cached
from tools.measure.index import Release, releases_for
from tools.measure.model import Job, Run, program_of
from tools.measure.search import find_edge

TIME_LIMIT = 240.0
_SITE = re.compile(r"site-packages[/\\]([^/\\]+)")
LARGE = ("tensorflow", "tensorflow-cpu", "jaxlib", "torch")


def carry_out(
    job: Job, known: Sequence[Run], record: Callable[[Run], None], deadline: float
) -> None:
    """Measure every axis of a job, as far as the time goes.

    Args:
        job: What to measure.
        known: Runs of this job that were made before: they are not repeated.
        record: Given each new row.
        deadline: Of ``time.monotonic``; nothing new is begun after it.
    """
    with tempfile.TemporaryDirectory(prefix="keras-doctor-measure-") as folder:
        worker = _Worker(job, known, record, deadline, Path(folder))
        if not worker.prepare():
            return
        worker.measure_all()
    forget_cached(*{d for d in job.subject.distributions if d in LARGE})


def is_finished(job: Job, known: Sequence[Run]) -> bool:
    """Whether the runs that were made answer all that a job asks."""
    with tempfile.TemporaryDirectory(prefix="keras-doctor-measure-") as folder:
        worker = _Worker(job, known, _ask_nothing, float("inf"), Path(folder))
        worker.is_asking = False
        try:
            if worker.prepare():
                worker.measure_all()
        except _UnansweredError:
            return False
    return True


def _ask_nothing(_run: Run) -> None:
    raise _UnansweredError


class _UnansweredError(Exception):
    """A run would be needed."""


class _Worker:
    def __init__(
        self,
        job: Job,
        known: Sequence[Run],
        record: Callable[[Run], None],
        deadline: float,
        folder: Path,
    ) -> None:
        self.job = job
        self._answers = {(run.statement, run.axis, run.version): run for run in known}
        self._record = record
        self._deadline = deadline
        self._folder = folder
        self._environment: Environment | None = None
        self._base: dict[str, str] = {}
        self.is_asking = True
        self._distribution = ""
        self._date = dt.date.min

    def prepare(self) -> bool:
        """Build the base and see whether it works: else nothing can be learnt from it."""
        source = bool(self.job.subject.no_binary)
        for name in self.job.subject.distributions:
            for release in releases_for(name, self.job.python, source=source):
                if release.version == self.job.release:
                    self._distribution, self._date = name, release.date
                    return self._try_base()
        return False

    def _try_base(self) -> bool:
        subject = self.job.subject
        if subject.until:
            self._date = dt.date.fromisoformat(subject.until) - LATER
        before = self._answers.get((subject.statement, "", ""))
        if before is None:
            try:
                self._ready()
            except NotInstallableError as error:
                message = str(error)
                before = self._row(subject.statement, "", "", "not-installable", message=message)
                self._keep(before)
            else:
                before = self._run(subject.statement, "", "")
        self._base = before.packages
        return before.status == "passed"

    def _ready(self) -> Environment:
        """The environment, built when the first run needs it.

        Raises:
            NotInstallableError: It cannot be built.
        """
        if not self.is_asking:
            raise _UnansweredError
        if self._environment is None:
            subject = self.job.subject
            environment = Environment(self._folder, self.job.python, subject.no_binary)
            requirement = f"{self._distribution}=={self.job.release}"
            environment.create((requirement, *subject.base), self._date + LATER)
            environment.compile()
            self._environment = environment
        return self._environment

    def measure_all(self) -> None:
        """Every axis of the job, on its side."""
        for entry in self.job.subject.axes:
            axis, _, statement = entry.partition(": ")
            statement = statement or self.job.subject.statement
            self.measure(axis, statement, newer=self.job.side == "newer")

    def measure(self, axis: str, statement: str, *, newer: bool) -> None:
        """Find the edge of one dependency on one side."""
        if time.monotonic() > self._deadline:
            return
        present = self._base.get(axis)
        source = axis in self.job.subject.no_binary
        releases = {r.version: r for r in releases_for(axis, self.job.python, source=source)}
        known = present
        if present is None or statement != self.job.subject.statement:
            known = self._nearest(axis, statement, releases)
        if known is None:
            return
        find_edge(
            list(releases), known, lambda v: self._trial(axis, statement, releases[v]), newer=newer
        )

    def _nearest(self, axis: str, statement: str, releases: dict[str, Release]) -> str | None:
        """A release that works, of a package that the base does not bring: from its own time."""
        older = [r for r in releases.values() if r.date <= self._date + LATER]
        for release in reversed(older[-5:]):
            if self._trial(axis, statement, release):
                return release.version
        return None

    def _trial(self, axis: str, statement: str, release: Release) -> bool | None:
        before = self._answers.get((statement, axis, release.version))
        if before is None:
            if time.monotonic() > self._deadline:
                return None
            before = self._change_and_run(axis, statement, release)
        return (
            None
            if before.status in ("not-installable", "not-started")
            else (before.status == "passed")
        )

    def _change_and_run(self, axis: str, statement: str, release: Release) -> Run:
        try:
            environment = self._ready()
            environment.change(axis, release.version, max(self._date, release.date) + LATER)
        except NotInstallableError as error:
            row = self._row(statement, axis, release.version, "not-installable", message=str(error))
            self._keep(row)
            return row
        environment.compile()
        return self._run(statement, axis, release.version)

    def _run(self, statement: str, axis: str, version: str) -> Run:
        environment = self._ready()
        outcome = run_imports(
            _target(environment),
            _variables(environment, self.job.subject.backend),
            (Statement(text=program_of(statement), line=1, path=None, setting=None),),
            train=True,
            timeout=TIME_LIMIT,
        )
        first = outcome.chain[0] if outcome.chain else None
        last = outcome.chain[-1] if outcome.chain else None
        row = self._row(
            statement,
            axis,
            version,
            outcome.status if outcome.signal is None else outcome.signal,
            stage=None if outcome.status == "passed" else _stage(outcome),
            error=last.type if last else None,
            message=_first_line(last.message, self._folder) if last else None,
            raised_in=_package(first.frames[-1].file) if first and first.frames else None,
        )
        self._keep(row)
        return row

    def _row(self, statement: str, axis: str, version: str, status: str, **more: str | None) -> Run:
        if status == "not-installable" and more.get("message"):
            more["message"] = _first_line(str(more["message"]), self._folder)
        packages = (
            self._environment.packages() if self._environment and self._environment.base else {}
        )
        return Run(
            subject=self.job.subject.name,
            release=self.job.release,
            distribution=self._distribution,
            python=self.job.python,
            platform=f"{sys.platform}-x86_64",
            statement=statement,
            axis=axis,
            version=version,
            status=status,
            stage=more.get("stage"),
            error=more.get("error"),
            message=more.get("message"),
            raised_in=more.get("raised_in"),
            packages=packages,
            date=time.strftime("%Y-%m-%d"),
        )

    def _keep(self, row: Run) -> None:
        self._answers[row.statement, row.axis, row.version] = row
        self._record(row)


def _target(environment: Environment) -> Target:
    return Target(
        python=str(environment.python),
        chosen="measured",
        folder=str(environment.folder / "project"),
        start="code",
        path0="",
        script=None,
        command=(),
        environment=str(environment.folder / "env"),
        manager="uv",
    )


def _variables(environment: Environment, backend: str) -> dict[str, str]:
    return {
        "PATH": f"{environment.python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(environment.home),
        "LANG": "C.UTF-8",
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _stage(outcome: Outcome) -> str:
    return "import" if outcome.backend is None else "train"


def _package(file: str) -> str | None:
    """The top-level package that a file belongs to, or ``python`` for the standard library."""
    match = _SITE.search(file)
    if match:
        return match[1].removesuffix(".py")
    return "python" if "/lib/python" in file else None


def _first_line(message: str, folder: Path) -> str:
    line = next((line for line in message.splitlines() if line.strip()), "")
    home = str(Path.home())
    return line.replace(str(folder), "").replace(home, "~").strip()[:240]
