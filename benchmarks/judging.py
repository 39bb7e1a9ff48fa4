"""Judges a JSON report of `keras-doctor check` against what a scenario really has.

Pure: facts in, verdicts out. The table of `make lab` and the tests marked `lab` use the same
functions, so that a table cannot be kinder than the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

HEALTHY = "healthy"


class Scenario(NamedTuple):
    """The parts of a scenario that a judgement needs."""

    id: str
    family: str
    title: str
    wish: str | None
    """The backend that the user wants, for `--backend`."""
    command: str | None
    """The failing command, a line of shell; None for a healthy environment."""
    cause: str
    """The slug of the primary cause, or ``healthy``."""
    also: tuple[str, ...]
    """Other slugs that are a right answer, or a part of one."""
    culprit: str
    parts: int
    """How many independent faults it has; 0 when healthy."""
    requirements: tuple[str, ...]
    """Every distribution that building it needs, as ``name==version``."""


class Listed(NamedTuple):
    """One cause as the report lists it."""

    code: str
    cause: str
    culprit: str
    title: str
    confidence: str


class Verdict(NamedTuple):
    """What the tool said about one environment, and whether that is right."""

    id: str
    family: str
    healed: bool
    """Examined after the known-good repair: then nothing may be found."""
    expected: str
    accepted: tuple[str, ...]
    exit_code: int | None
    """None when there was no report at all."""
    listed: tuple[Listed, ...]
    cause_ok: bool
    culprit_ok: bool
    extra: tuple[str, ...]
    """Slugs listed as causes that are none of the scenario's."""
    parts: int
    parts_found: int
    seconds: float
    crashed: tuple[str, ...]
    """Rules that crashed."""
    problem: str | None
    """Why there is no report, or why its exit status contradicts it."""

    @property
    def ok(self) -> bool:
        """First cause, culprit and exit status are right; for a healthy one: silence."""
        return self.cause_ok and self.culprit_ok and self.problem is None


def scenario_from(data: Mapping[str, Any]) -> Scenario:
    """Takes what a judgement needs out of a scenario file.

    Args:
        data: The scenario as `lab.py show ID --answer` prints it.

    Returns:
        The scenario.
    """
    steps = [*data.get("steps", ()), *data.get("heal", ())]
    installed = [name for step in steps for name in step.get("packages", ())]
    return Scenario(
        id=data["id"],
        family=data["family"],
        title=data["title"],
        wish=data.get("wish") or None,
        command=(data.get("fails") or {}).get("command"),
        cause=data["cause"],
        also=tuple(data.get("also", ())),
        culprit=data.get("culprit", ""),
        parts=len({step.get("part", 1) for step in data.get("heal", ())}),
        requirements=tuple(dict.fromkeys([*data.get("packages", ()), *installed])),
    )


def names_culprit(culprit: str, texts: Iterable[str]) -> bool:
    """Says whether one of the texts names the culprit.

    Case does not count, nor does ``_`` against ``-``. A longer name that merely contains it does
    not count (``keras`` is not ``keras-nightly``). A path counts by its end: ``project/random.py``
    is named by ``/home/me/project/random.py`` and by ``random.py``.

    Args:
        culprit: What the scenario blames; "" matches everything.
        texts: The culprit field and the title of a cause.
    """
    wanted = _plain(culprit)
    if not wanted:
        return True
    whole = re.compile(rf"(?<![\w-]){re.escape(wanted)}(?![\w-]|\.\w)")
    for text in texts:
        plain = _plain(text)
        if whole.search(plain) or ("/" in wanted and _path_ends(wanted, plain)):
            return True
    return False


def _path_ends(wanted: str, text: str) -> bool:
    words = (word.strip("`'\".,:;()") for word in text.split())
    return any(word and f"/{wanted}".endswith(f"/{word}") for word in words)


def _plain(text: str) -> str:
    return text.lower().replace("_", "-").replace("\\", "/").rstrip("/")


def judge(
    scenario: Scenario,
    report: Mapping[str, Any] | None,
    *,
    exit_code: int | None,
    seconds: float,
    healed: bool = False,
    problem: str | None = None,
) -> Verdict:
    """Compares a report with the scenario's answer.

    Args:
        scenario: The answer.
        report: The parsed JSON of `check`; None when there was none.
        exit_code: The exit status of `check`.
        seconds: How long it took.
        healed: Whether the environment was repaired before; then the answer is `healthy`.
        problem: Why there is no report.

    Returns:
        The verdict.
    """
    healthy = healed or scenario.cause == HEALTHY
    accepted = () if healthy else (scenario.cause, *scenario.also)
    listed = tuple(_listed(cause) for cause in (report or {}).get("causes", ()))
    extra = tuple(cause.cause for cause in listed if cause.cause not in accepted)
    first = listed[0] if listed else None
    if healthy:
        cause_ok = culprit_ok = report is not None and first is None
    else:
        cause_ok = first is not None and first.cause in accepted
        culprit_ok = first is not None and names_culprit(
            scenario.culprit, (first.culprit, first.title)
        )
    found = len({cause.cause for cause in listed} & set(accepted))
    return Verdict(
        id=scenario.id,
        family=scenario.family,
        healed=healed,
        expected=HEALTHY if healthy else scenario.cause,
        accepted=accepted,
        exit_code=exit_code,
        listed=listed,
        cause_ok=cause_ok,
        culprit_ok=culprit_ok,
        extra=extra,
        parts=0 if healthy else scenario.parts,
        parts_found=0 if healthy else min(found, scenario.parts),
        seconds=seconds,
        crashed=tuple(str(rule.get("code", rule)) for rule in (report or {}).get("crashed", ())),
        problem=problem or _contradiction(report, exit_code),
    )


def _listed(cause: Mapping[str, Any]) -> Listed:
    return Listed(
        code=str(cause.get("code")),
        cause=str(cause.get("cause")),
        culprit=str(cause.get("culprit")),
        title=str(cause.get("title")),
        confidence=str(cause.get("confidence")),
    )


def _contradiction(report: Mapping[str, Any] | None, exit_code: int | None) -> str | None:
    if report is None:
        return "no report"
    expected = 1 if report.get("causes") else 0
    if exit_code != expected:
        return f"exit status {exit_code} with {len(report.get('causes', ()))} causes"
    return None


class Totals(NamedTuple):
    """Sums over some verdicts."""

    environments: int
    right: int
    cause_right: int
    culprit_right: int
    causes_listed: int
    causes_extra: int
    parts: int
    parts_found: int

    @property
    def recall(self) -> float | None:
        """Right answers over environments; None without any."""
        return self.right / self.environments if self.environments else None

    @property
    def precision(self) -> float | None:
        """Listed causes that are the scenario's over all listed; None when none was listed."""
        if not self.causes_listed:
            return None
        return 1 - self.causes_extra / self.causes_listed


def total(verdicts: Iterable[Verdict]) -> Totals:
    """Adds verdicts up."""
    chosen = list(verdicts)
    several = [verdict for verdict in chosen if verdict.parts > 1]
    return Totals(
        environments=len(chosen),
        right=sum(verdict.ok for verdict in chosen),
        cause_right=sum(verdict.cause_ok for verdict in chosen),
        culprit_right=sum(verdict.culprit_ok for verdict in chosen),
        causes_listed=sum(len(verdict.listed) for verdict in chosen),
        causes_extra=sum(len(verdict.extra) for verdict in chosen),
        parts=sum(verdict.parts for verdict in several),
        parts_found=sum(verdict.parts_found for verdict in several),
    )
