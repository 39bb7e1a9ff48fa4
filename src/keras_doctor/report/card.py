"""The report as a card of HTML, for notebooks.

Every text may come from the patient, so all of it is escaped, and nothing of it becomes an
attribute. The colours follow the notebook's theme where it has one.
"""

from __future__ import annotations

from html import escape

from keras_doctor.report import wording
from keras_doctor.report.layout import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Evidence, Examination, Finding

_TONES = {wording.GOOD: "#2e7d32", wording.BAD: "#c62828", wording.OPEN: "#b26a00"}
_STYLE = (
    "<style>.keras-doctor{border-left:4px solid;padding:.4em 1em;max-width:60em;"
    "font:14px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}"
    ".keras-doctor h4{margin:.9em 0 .2em;font-size:1em}"
    ".keras-doctor p{margin:.2em 0}.keras-doctor pre{margin:.3em 0;padding:.4em .7em;"
    "background:rgba(127,127,127,.14);border-radius:4px;white-space:pre-wrap}"
    ".keras-doctor .small{opacity:.75;font-size:.9em}</style>"
)


def render_card(examination: Examination, hints: Sequence[str] = ()) -> str:
    """The card of one examination.

    Args:
        examination: What `check` or `explain` concluded.
        hints: Sentences about the kernel itself; they come before the causes.
    """
    sentence, tone = _verdict(examination)
    color = _TONES[tone]
    parts = [_STYLE, f'<div class="keras-doctor" style="border-color:{color}">']
    parts.append(f'<p><strong style="color:{color}">{_text(sentence)}</strong></p>')
    snapshot = examination.snapshot
    if snapshot.target.python:
        version = f" ({snapshot.interpreter.version})" if snapshot.interpreter else ""
        parts.append(f'<p class="small">{_text(snapshot.target.python + version)}</p>')
    parts += [f"<p><strong>{_text(hint)}</strong></p>" for hint in hints]
    causes = examination.diagnosis.causes
    for number, cause in enumerate(causes, 1):
        parts.append(_cause(cause, f"{number}. " if len(causes) > 1 else ""))
    for ask in examination.diagnosis.asks:
        parts.append(f"<p>This would settle it: {_text(ask.question)}</p>")
        if ask.command:
            parts.append(f"<pre>{_text(ask.command)}</pre>")
    return "".join([*parts, "</div>"])


def _verdict(examination: Examination) -> tuple[str, str]:
    if any(outcome.kind == "text" for outcome in examination.outcomes):
        from keras_doctor.report.explained import verdict

        return verdict(examination), wording.OPEN if examination.diagnosis.causes else wording.GOOD
    return wording.verdict(examination)


def _cause(cause: Finding, lead: str) -> str:
    parts = [f"<h4>{_text(lead + cause.title)}</h4>", f"<p>{_text(cause.why)}</p>"]
    parts += [f'<p class="small">{_text(_evidence(item))}</p>' for item in cause.evidence]
    word = "To mend: "
    for fix in cause.fixes[:2]:
        text = fix.summary.rstrip(",").removeprefix("Or ").removeprefix("then ")
        parts.append(f"<p>{_text(word + text)}</p>")
        word = "Then: " if fix.continues else "Or: "
        if fix.command:
            parts.append(f"<pre>{_text(fix.command)}</pre>")
    return "".join(parts)


def _evidence(item: Evidence) -> str:
    return f"{item.text} ({item.where})" if item.where else item.text


def _text(text: str) -> str:
    return escape(clean(text)).replace("\n", "<br>")
