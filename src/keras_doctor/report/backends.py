"""The screen of `backends`: which one is chosen, who chose it, and which ones work."""

from __future__ import annotations

from keras_doctor.report import wording
from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import BackendState, Examination


def render_backends(
    examination: Examination,
    *,
    verbose: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
    considered: Sequence[str] = (),
) -> str:
    """The chosen backend, the settings that could choose, and one line for each backend.

    Args:
        examination: With `diagnosis.selection` and `diagnosis.backends`.
        verbose: Also every run and the places that were considered.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
        considered: One line for each place that was considered for the target.
    """
    from keras_doctor.report import details
    from keras_doctor.report.header import add_choice, add_target

    page = Page(width=width, color=color, unicode=unicode)
    diagnosis = examination.diagnosis
    page.text(_sentence(examination), style="bold")
    page.blank()
    add_target(page, examination)
    add_choice(page, examination)
    if diagnosis.selection is not None:
        details.sources(page, diagnosis.selection)
    page.blank()
    page.text("Backends that this Keras knows", style="bold")
    chosen = diagnosis.selection.backend.name if diagnosis.selection else None
    rows = [_row(state, chosen) for state in diagnosis.backends]
    page.table(rows or [("none: no Keras was found",)], indent=2)
    for state in diagnosis.backends:
        if state.reason and state.installed is not False:
            page.blank()
            page.text(f"{state.name}: {state.reason}", indent=2, hang=2)
    if verbose:
        details.add(page, examination, considered, selection=False)
    return page.render()


def _sentence(examination: Examination) -> str:
    selection = examination.diagnosis.selection
    if selection is None or not (selection.keras.version or selection.keras.path):
        return "No Keras is found here."
    version = selection.keras.version or "of unknown version"
    if selection.backend.name is None:
        return f"Keras {version} is found here; which backend it would take cannot be told."
    return f"Keras {version} takes the {selection.backend.name} backend here."


def _row(state: BackendState, chosen: str | None) -> tuple[str, ...]:
    took = f" in {wording.seconds(state.seconds)}" if state.seconds is not None else ""
    imports = _said(state.importable, (f"imports{took}", "does not import", "not tried"))
    trains = _said(state.trains, ("trains", "does not train", "training not tried"))
    if state.installed is False:
        imports, trains = "not installed", ""
    elif state.importable is False:
        trains = ""
    return (
        state.name,
        "chosen" if state.name == chosen else "",
        state.version or ("" if state.installed is False else "version unknown"),
        imports,
        trains + (f" on {state.device}" if state.device and state.trains else ""),
    )


def _said(answer: object, words: tuple[str, str, str]) -> str:
    """The word for yes, no, or not known (None)."""
    yes, no, unknown = words
    if answer is None:
        return unknown
    return yes if answer else no
