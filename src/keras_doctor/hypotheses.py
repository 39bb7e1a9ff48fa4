"""Which causes a failure may have that is known by its text and a few facts, in order.

In an environment that was examined, findings add up: each cause that was read is there. Of a text
they compete: most failures have one cause, and the facts that would decide were not told.
"""

from __future__ import annotations

from keras_doctor.signs import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context

MAX_CAUSES = 5


def ranked(context: Context, findings: list[Finding]) -> list[Finding]:
    """The findings that may be causes, the most probable first.

    Certain is what the failure settles and what facts say that it confirms; then comes what the
    failure makes probable; then what facts say and the failure does not show. Of one cause the
    best finding is kept.
    """
    rows = []
    for order, found in enumerate(findings):
        rank = _rank(context, found)
        level = _level(context, found, rank)
        if level is not None:
            rows.append((level, rank or 0, order, found))
    kept: list[Finding] = []
    for row in sorted(rows, key=lambda row: row[:3]):
        level, found = row[0], row[3]
        if any(other.cause == found.cause for other in kept):
            continue
        confidence = "certain" if level == 0 else "likely"
        kept.append(found._replace(confidence=confidence))
    return kept[:MAX_CAUSES]


def _level(context: Context, found: Finding, rank: int | None) -> int | None:
    """0 certain, 1 likely, 2 possible, 3 only by facts; None: no cause."""
    if not context.failures:
        return {"fatal": 0, "likely": 1}.get(found.weight)
    if rank is None:
        return 3 if found.weight in ("fatal", "likely") else None
    return {"fatal": 0, "likely": 1}.get(found.weight, 2)


def _rank(context: Context, found: Finding) -> int | None:
    """The first failure that the finding predicts."""
    for index, outcome in enumerate(context.outcomes):
        if any(matches(sign, outcome) for sign in found.signs):
            return index
    return None
