"""What `--verbose` adds to the report: every rule, every run, every source of a setting."""

from __future__ import annotations

from keras_doctor.report import wording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Diagnosis, Examination, Outcome, Raised, Selection, Snapshot
    from keras_doctor.report.layout import Page

_STATES = {
    "finding": "found",
    "ok": "ruled out",
    "skipped": "not checked",
    "not-applicable": "does not apply",
    "crashed": "failed (ours)",
}
_OUTPUT_LINES = 20


def add(
    page: Page, examination: Examination, considered: Sequence[str], *, selection: bool = True
) -> None:
    """Append all sections of details to a page; `selection` is False where it was shown."""
    snapshot, diagnosis = examination.snapshot, examination.diagnosis
    if considered:
        _heading(page, "Pythons that were considered")
        for line in considered:
            page.text(line, indent=2, hang=2)
    _start(page, snapshot)
    if selection and diagnosis.selection is not None:
        sources(page, diagnosis.selection)
    _runs(page, examination.outcomes)
    _path(page, snapshot)
    _verified(page, snapshot)
    _rules(page, diagnosis)


def sources(page: Page, selection: Selection) -> None:
    """The places that say, or could say, which backend is meant."""
    if selection.sources:
        _heading(page, "What could choose the backend, the strongest first")
        page.table(
            [
                (
                    source.source,
                    source.value if source.value is not None else "not set",
                    "wins" if source.wins else "",
                    source.where + (f": {source.remark}" if source.remark else ""),
                )
                for source in selection.sources
            ],
            indent=2,
        )
    if selection.apis:
        _heading(page, "Other ways to a Keras")
        page.table(
            [
                (
                    api.import_name,
                    " ".join(part for part in (api.distribution, api.version) if part) or "-",
                    api.backend or "backend unknown",
                )
                for api in selection.apis
            ],
            indent=2,
        )


def _verified(page: Page, snapshot: Snapshot) -> None:
    verified = snapshot.verified
    if verified is None or not (verified.mismatches or verified.not_verifiable):
        return
    _heading(page, "What hashing the files showed")
    for one in verified.mismatches:
        page.text(f"{one.path} is not as {one.distribution} has shipped it", indent=2, hang=2)
    for left in verified.not_verifiable:
        page.text(
            f"{left.distribution} {left.version}: not verified: {left.reason}", indent=2, hang=2
        )


def _heading(page: Page, text: str) -> None:
    page.blank()
    page.text(text, style="bold")


def _start(page: Page, snapshot: Snapshot) -> None:
    if snapshot.start.mode in ("normal", "given") and not snapshot.start.failure:
        return
    _heading(page, "How Python started")
    page.text(f"{snapshot.start.mode}; the normal start failed:", indent=2)
    if snapshot.start.failure:
        page.verbatim(snapshot.start.failure.rstrip("\n"), indent=4)


def _runs(page: Page, outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    _heading(page, "Runs")
    for number, run in enumerate(outcomes, 1):
        took = wording.seconds(run.seconds)
        page.text(f"{number}. {run.what}: {run.status} after {took}", indent=2, hang=3)
        if run.changes:
            changed = ", ".join(wording.change(item) for item in run.changes)
            page.text(f"with {changed}", indent=5, hang=2)
        _facts(page, run)
        same = next((i for i, other in enumerate(outcomes, 1) if _is_same(other, run)), number)
        if run.chain and same < number:
            page.text(f"{wording.raised(run.chain[-1])} (as in run {same})", indent=5, hang=2)
        else:
            for raised in run.chain:
                _raised(page, raised)
        for frame in run.crash_frames:
            page.text(f"{frame.file}:{frame.line} in {frame.function}", indent=5, hang=2)
        if run.output.strip() and not run.chain:
            page.text("it printed, at the end:", indent=5)
            lines = run.output.rstrip().splitlines()[-_OUTPUT_LINES:]
            page.verbatim("\n".join(lines), indent=7)


def _is_same(one: Outcome, other: Outcome) -> bool:
    """Whether two runs ended in the same exceptions, raised at the same lines."""
    return [(r.type, r.message, r.frames[-1:]) for r in one.chain] == [
        (r.type, r.message, r.frames[-1:]) for r in other.chain
    ]


def _facts(page: Page, run: Outcome) -> None:
    facts = (
        ("keras", run.keras_version),
        ("from", run.keras_file),
        ("backend", run.backend),
        ("device", run.device),
        ("signal", run.signal),
        ("exit status", None if run.exit_code is None else str(run.exit_code)),
    )
    text = ", ".join(f"{name} {value}" for name, value in facts if value)
    if text:
        page.text(text, indent=5, hang=2)


def _raised(page: Page, raised: Raised) -> None:
    for frame in raised.frames:
        page.text(f"{frame.file}:{frame.line} in {frame.function}", indent=5, hang=2)
        if frame.text:
            page.text(frame.text.strip(), indent=7, hang=2)
    page.text(wording.raised(raised), indent=5, hang=2)
    links = {"cause": "which was turned into:", "context": "and while that was handled:"}
    if raised.link:
        page.text(links.get(raised.link, raised.link), indent=5)


def _path(page: Page, snapshot: Snapshot) -> None:
    if not snapshot.path:
        return
    _heading(page, "Where this Python looks for packages, in order")
    page.table(
        [
            (
                entry.origin,
                entry.path
                + ("" if entry.kind == "folder" else f" ({entry.kind})")
                + (f", put there by {entry.where}" if entry.where else ""),
            )
            for entry in snapshot.path
        ],
        indent=2,
    )


def _rules(page: Page, diagnosis: Diagnosis) -> None:
    if not diagnosis.results:
        return
    _heading(page, "What was checked")
    page.table(
        [
            (
                result.code,
                result.name,
                _STATES.get(result.state, result.state),
                result.reason or "",
            )
            for result in diagnosis.results
        ],
        indent=2,
    )
