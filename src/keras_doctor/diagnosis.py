"""From findings to a diagnosis: causes in causal order, consequences, notes.

A finding becomes a cause by what was seen, not by what was read:

- the import was run, works, and the wish is met: nothing is a cause, except an explicit request
  that is not honoured;
- it fails: a finding is a cause when it is fatal, when a failure matches one of its signs, or when
  it is likely and nothing contradicts it; the rest are notes;
- it was not tried: fatal and likely findings are causes, risks are notes.

Confidence is about causation. ``certain``: the failure that it predicts was seen, or nothing else
can happen. ``proven``: with only that change the failure went away. ``likely``: neither.
"""

from __future__ import annotations

from keras_doctor.model import Diagnosis
from keras_doctor.rules import run_rules
from keras_doctor.rules.stages import CONFIGURATION, SELECTION
from keras_doctor.selected import backends_of, selection_of
from keras_doctor.signs import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Ask, BackendState, Finding, Outcome, RuleResult
    from keras_doctor.rules.context import Context

MAX_ASKS = 2
BY_WORDS = ("KD903", "KD904")
"""The rules that judge by the words of a failure alone."""


def diagnose(context: Context, *, backends: tuple[BackendState, ...] = ()) -> Diagnosis:
    """Judge everything that is known about a target.

    Args:
        context: The facts, what was run, and the wish.
        backends: What trying each backend showed, when that was done.
    """
    results = run_rules(context)
    if not context.is_complete:
        findings = [f for result in results for f in result.findings]
        return _of_what_was_told(context, findings, results)
    findings = _findings(results)
    kept, folded = _causes(context, findings)
    if not kept and context.works is False:
        kept, folded = _causes(context, findings, weak=True)
    kept += _unexplained(context, kept, results)
    chosen = {f.key for f in (*kept, *folded)}
    return Diagnosis(
        healthy=_healthy(context, bool(kept)),
        causes=tuple(kept),
        consequences=tuple(folded),
        notes=tuple(f for f in findings if f.key not in chosen and not _follows(f, kept)),
        results=results,
        selection=selection_of(context),
        backends=backends or backends_of(context),
        asks=(),
    )


def _findings(results: tuple[RuleResult, ...]) -> list[Finding]:
    """All findings, without what only a message says where facts say it too."""
    read = {f.cause for result in results if result.code not in BY_WORDS for f in result.findings}
    return [
        f
        for result in results
        for f in result.findings
        if result.code not in BY_WORDS or f.cause not in read
    ]


def _of_what_was_told(
    context: Context, findings: list[Finding], results: tuple[RuleResult, ...]
) -> Diagnosis:
    """Partial facts: what may be the cause, the most probable first, instead of all that is."""
    from keras_doctor.hypotheses import ranked

    kept = ranked(context, findings)
    kept += _unexplained(context, kept, results)
    chosen = {f.key for f in kept}
    return Diagnosis(
        healthy=_healthy(context, bool(kept)),
        causes=tuple(kept),
        consequences=(),
        notes=tuple(f for f in findings if f.key not in chosen),
        results=results,
        selection=selection_of(context),
        backends=backends_of(context),
        asks=_asks(kept),
    )


def _asks(causes: list[Finding]) -> tuple[Ask, ...]:
    """What would decide between causes of which none is certain."""
    if not causes or causes[0].confidence != "likely":
        return ()
    asks: dict[str, Ask] = {}
    for cause in causes:
        if cause.ask is not None:
            before = asks.get(cause.ask.question, cause.ask._replace(decides=()))
            asks[cause.ask.question] = before._replace(decides=(*before.decides, cause.code))
    return tuple(asks.values())[:MAX_ASKS]


def _causes(
    context: Context, findings: list[Finding], *, weak: bool = False
) -> tuple[list[Finding], list[Finding]]:
    """The findings that are causes, in order, and what follows from them."""
    ranked = [(_rank(context, f, weak=weak), f) for f in findings]
    causes = _in_order(
        [(rank, f) for rank, f in ranked if _is_cause(context, f, matched=rank is not None)]
    )
    return _fold([_with_confidence(context, f, None if weak else rank) for rank, f in causes])


def _unexplained(
    context: Context, causes: list[Finding], results: tuple[RuleResult, ...]
) -> list[Finding]:
    """The failure that no cause predicts: the first one, or what is left at the end."""
    from keras_doctor.rules.other.unknown import unknown

    if context.works is not False:
        return []
    first, last = context.failures[0], context.outcomes[-1]
    if not causes:
        return list(unknown(context, results, first))
    if not last.changes or last.status in ("passed", "stopped") or _same_failure(first, last):
        return []
    if any(matches(sign, last) for cause in causes for sign in cause.signs):
        return []
    return list(unknown(context, results, last))


def _same_failure(one: Outcome, other: Outcome) -> bool:
    if one.chain and other.chain:
        ends = [(o.chain[-1].type, o.chain[-1].message) for o in (one, other)]
        return ends[0] == ends[1]
    return (one.status, one.signal, one.exit_code, bool(one.chain)) == (
        other.status,
        other.signal,
        other.exit_code,
        bool(other.chain),
    )


def _healthy(context: Context, has_causes: bool) -> bool | None:  # noqa: FBT001
    if context.works is None:
        return None
    return context.works and not has_causes


_SETTINGS = (SELECTION, CONFIGURATION)


def _in_order(causes: list[tuple[int | None, Finding]]) -> list[tuple[int | None, Finding]]:
    """In causal order: as the failures were met, then by stage; what no run met comes last.

    Settings count as one: they are all read at once, and mended together.
    """
    met = [rank for rank, f in causes if rank is not None and f.stage in _SETTINGS]

    def key(pair: tuple[int | None, Finding]) -> tuple[bool, int, int]:
        rank, found = pair
        if rank is not None and found.stage in _SETTINGS:
            rank = min(met)
        return (rank is None, rank or 0, found.stage)

    return sorted(causes, key=key)


def _refuted(context: Context, found: Finding) -> bool:
    """Whether a run passed in which this finding still stood: then it is no cause.

    Only where the imports failed as they are; and a finding about the wish is refuted only by
    a run that met the wish.
    """
    imports = [o for o in context.outcomes if o.kind != "command"]
    if not imports or imports[0].changes or imports[0].status in ("passed", "stopped"):
        return False
    for outcome in imports:
        if outcome.status != "passed" or set(found.changes) & set(outcome.changes):
            continue
        if found.blocks or context.wish is None or outcome.backend == context.wish:
            return True
    return False


def _is_cause(context: Context, found: Finding, *, matched: bool) -> bool:
    if _refuted(context, found):
        return False
    if context.works:
        return found.weight == "fatal" and not _contradicted(context, found)
    if context.works is None:
        return found.weight in ("fatal", "likely")
    return matched or found.weight in ("fatal", "likely")


def _contradicted(context: Context, found: Finding) -> bool:
    """Whether what was seen to work shows that the finding does no harm."""
    if found.blocks:
        return True  # it blocks an import that was seen to pass
    return context.wish is not None and context.backend_seen == context.wish


def _rank(context: Context, found: Finding, *, weak: bool) -> int | None:
    """The first run whose failure the finding predicts; None when none does."""
    for index, outcome in enumerate(context.outcomes):
        if outcome.status in ("passed", "stopped"):
            continue
        if any(matches(sign, outcome) for sign in found.signs if weak or not sign.weak):
            return index
    if not found.blocks and found.weight == "fatal" and context.works:
        return 0
    return None


def _with_confidence(context: Context, found: Finding, rank: int | None) -> Finding:
    if _is_proven(context, found):
        return found._replace(confidence="proven")
    if rank is not None or found.weight == "fatal":
        return found._replace(confidence="certain")
    return found._replace(confidence="likely")


def _is_proven(context: Context, found: Finding) -> bool:
    """A run with this finding's changes added passed, and the run before it did not.

    When several changes were added at once, none of them is proven by it.
    """
    if not found.changes:
        return False
    before: Outcome | None = None
    for outcome in context.outcomes:
        if before is not None and outcome.changes and outcome.status == "passed":
            added = set(outcome.changes) - set(before.changes)
            wished = context.wish is None or outcome.backend in (None, context.wish)
            if added == set(found.changes) and wished:
                return True
        before = outcome
    return False


def _fold(causes: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Separate what merely follows from another cause."""
    kept: list[Finding] = []
    folded: list[Finding] = []
    for found in causes:
        explained = any(
            found is not other and _explains(other, found) and not _explains(found, other)
            for other in causes
        )
        (folded if explained else kept).append(found)
    return kept, folded


def _follows(found: Finding, causes: list[Finding]) -> bool:
    """Whether a cause says the same already: then it is no note of its own."""
    return any(_explains(cause, found) for cause in causes)


def _explains(cause: Finding, other: Finding) -> bool:
    slug = other.key.partition(":")[0]
    return other.key in cause.explains or f"{slug}:*" in cause.explains
