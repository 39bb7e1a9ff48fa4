"""Draws the verdicts of `make lab` as Markdown and as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from judging import Totals, Verdict, total

# What the first issue promises; the rest is examined too, and its misses are listed.
PROMISED = ("selection", "resolution", "integrity", "healthy")


class Run(NamedTuple):
    """What was examined, with what, and when."""

    tool: str
    """Version of keras-doctor."""
    commit: str
    """Short commit, with ``+`` when the checkout had changes."""
    date: str
    machine: str
    arguments: str


def markdown(run: Run, verdicts: Sequence[Verdict]) -> str:
    """The table of results: totals, then every environment, then the misses.

    Args:
        run: What was examined with what.
        verdicts: In the order of examination.
    """
    broken = [verdict for verdict in verdicts if not verdict.healed]
    healed = [verdict for verdict in verdicts if verdict.healed]
    lines = [
        "# The laboratory, examined",
        "",
        (
            f"keras-doctor {run.tool} ({run.commit}), {run.date}, {run.machine}; "
            f"`make lab{run.arguments}`."
        ),
        "",
        (
            "Right: the first cause listed is the scenario's cause or one that its file accepts, "
            "the culprit stands in its culprit field or title, and the exit status says the same. "
            "For a healthy environment: no cause, exit 0. Extra: a cause listed that is none of "
            "the scenario's. {DIR} is the folder of the environment. The environments are new and "
            "have no bytecode, which makes the first import of a TensorFlow take 20 seconds."
        ),
        "",
        *_totals(broken, healed),
        "",
        "## Every environment",
        "",
        (
            "| environment | expected | got first | right | culprit | parts | extra causes "
            "| confidence | s |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- | --- | ---: |",
        *(_row(verdict) for verdict in verdicts),
        "",
        *_misses(verdicts),
    ]
    return "\n".join(lines).rstrip() + "\n"


def as_json(run: Run, verdicts: Sequence[Verdict]) -> str:
    """The same for programs: the run, the totals, and every verdict with all that was listed."""
    document = {
        "run": run._asdict(),
        "totals": _totals_dict(total(verdicts)),
        "families": {
            name: _totals_dict(total(chosen)) for name, chosen in _by_family(verdicts).items()
        },
        "environments": [
            {
                **verdict._asdict(),
                "listed": [cause._asdict() for cause in verdict.listed],
                "right": verdict.ok,
            }
            for verdict in verdicts
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def line(verdict: Verdict) -> str:
    """One line for the terminal while it runs."""
    got = ", ".join(f"{cause.cause} ({cause.culprit})" for cause in verdict.listed) or "nothing"
    state = "ok  " if verdict.ok else "MISS"
    name = verdict.id + (" healed" if verdict.healed else "")
    tail = f"; {verdict.problem}" if verdict.problem else ""
    return f"{state} {name:<38} {verdict.expected:<38} got {got}{tail} [{verdict.seconds:.1f} s]"


def summary(verdicts: Sequence[Verdict]) -> str:
    """The closing line: how many are right, and the precision."""
    sums = total(verdicts)
    return (
        f"{sums.right} of {sums.environments} right; causes listed {sums.causes_listed}, "
        f"extra {sums.causes_extra} (precision {_percent(sums.precision)}); "
        f"parts of multi-fault environments {sums.parts_found} of {sums.parts}"
    )


def _by_family(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault("healed" if verdict.healed else verdict.family, []).append(verdict)
    return groups


def _totals(broken: Sequence[Verdict], healed: Sequence[Verdict]) -> list[str]:
    rows = [
        (
            "| family | environments | right | first cause | culprit | causes listed | extra "
            "| precision | parts found |"
        ),
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, chosen in _by_family([*broken, *healed]).items():
        rows.append(_totals_row(name, total(chosen)))
    promised = [verdict for verdict in broken if verdict.family in PROMISED]
    rows.append(_totals_row(f"**{', '.join(PROMISED)}**", total(promised)))
    rows.append(_totals_row("**all**", total([*broken, *healed])))
    return rows


def _totals_row(name: str, sums: Totals) -> str:
    parts = f"{sums.parts_found} of {sums.parts}" if sums.parts else ""
    return (
        f"| {name} | {sums.environments} | {sums.right} ({_percent(sums.recall)}) "
        f"| {sums.cause_right} | {sums.culprit_right} | {sums.causes_listed} "
        f"| {sums.causes_extra} | {_percent(sums.precision)} | {parts} |"
    )


def _row(verdict: Verdict) -> str:
    first = verdict.listed[0] if verdict.listed else None
    cells = [
        verdict.id + (" (healed)" if verdict.healed else ""),
        verdict.expected,
        f"{first.code} {first.cause}" if first else "nothing" if not verdict.problem else "-",
        "yes" if verdict.ok else "**no**",
        "" if verdict.expected == "healthy" else "yes" if verdict.culprit_ok else "**no**",
        f"{verdict.parts_found} of {verdict.parts}" if verdict.parts > 1 else "",
        ", ".join(verdict.extra),
        first.confidence if first else "",
        f"{verdict.seconds:.1f}",
    ]
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _misses(verdicts: Sequence[Verdict]) -> list[str]:
    missed = [verdict for verdict in verdicts if not verdict.ok or verdict.crashed]
    if not missed:
        return []
    lines = ["## Misses", ""]
    for verdict in missed:
        name = verdict.id + (" (healed)" if verdict.healed else "")
        got = "; ".join(
            f"{cause.code} {cause.cause}, {cause.culprit}: {cause.title}"
            for cause in verdict.listed
        )
        lines.append(f"- {name}: expected {verdict.expected}; got {got or 'nothing'}.")
        if verdict.problem:
            lines.append(f"  Problem: {verdict.problem}")
        if verdict.crashed:
            lines.append(f"  Crashed rules: {', '.join(verdict.crashed)}")
    return [*lines, ""]


def _totals_dict(sums: Totals) -> dict[str, object]:
    return {**sums._asdict(), "recall": sums.recall, "precision": sums.precision}


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
