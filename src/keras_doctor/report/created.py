"""The report of `create` for a terminal: what is there now, and how to use it."""

from __future__ import annotations

import os

from keras_doctor.report import wording
from keras_doctor.report.layout import Page
from keras_doctor.rules.remedies import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Examination
    from keras_doctor.model.creation import Creation


def render_create(
    creation: Creation,
    *,
    verbose: bool = False,
    quiet: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """The report of one new environment.

    Args:
        creation: What was made, or would be.
        verbose: Also every package.
        quiet: Only the verdict and how to activate it.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.

    Returns:
        Text ending in a line break.
    """
    page = Page(width=width, color=color, unicode=unicode)
    sentence, tone = _verdict(creation)
    page.text(sentence, style=tone)
    if not quiet:
        page.blank()
        _facts(page, creation, verbose=verbose)
        _program(page, creation)
        for remark in creation.remarks:
            page.text(f"Note: {remark.rstrip('.')}.", hang=6)
    if creation.activate is not None:
        page.blank()
        page.text("To use it:")
        page.command(creation.activate, indent=4)
    return page.render()


def render_all(
    made: Sequence[Creation],
    refused: Sequence[tuple[str, Exception]],
    *,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """The report of one environment for each backend.

    Args:
        made: What was made, or would be.
        refused: Of each other backend, why not.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
    """
    page = Page(width=width, color=color, unicode=unicode)
    done = sum(one.made for one in made)
    count = wording.plural(len(made), "environment")
    if done:
        page.text(f"Made {count}; Keras was tried in each.", style="green")
    elif made:
        page.text(f"{count} would be made; nothing was fetched or changed.", style="yellow")
    else:
        page.text("None could be made.", style="red")
    page.blank()
    page.table(
        [(one.backend, f"{one.keras}, Python {one.python}", one.folder) for one in made], indent=2
    )
    for name, error in refused:
        hint = getattr(error, "hint", None)
        page.text(f"{name}: {error}" + (f" {hint}" if hint else ""), indent=2, hang=4)
    return page.render()


def render_lock(
    written: Sequence[str],
    examined: Examination,
    *,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """The report of `lock`.

    Args:
        written: The files; () when it does not work.
        examined: What was seen.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
    """
    page = Page(width=width, color=color, unicode=unicode)
    if not written:
        page.text("Not locked: Keras does not train here.", style="red")
        page.blank()
        for cause in examined.diagnosis.causes:
            page.text(f"- {cause.title} [{cause.code}]", indent=2, hang=2)
        return page.render()
    page.text("Locked: Keras trained one step here, and saved and loaded a model.", style="green")
    page.blank()
    for path in written:
        page.text(path, indent=2)
    page.blank()
    page.text("To make it again:")
    page.command(f"keras-doctor create DIR --from-lock {quoted((written[0],))}", indent=4)
    return page.render()


def _verdict(creation: Creation) -> tuple[str, str]:
    if not creation.made:
        return "This would be made; nothing was fetched or changed.", "yellow"
    seen = creation.verified
    device = f" on {seen.device}" if seen is not None and seen.device else ""
    did = "trained one step" if creation.trained else "built a model and predicted"
    return f"Made: Keras {did}{device}, and saved and loaded a model.", "green"


def _facts(page: Page, creation: Creation, *, verbose: bool) -> None:
    page.table(
        [
            ("Folder", creation.folder),
            ("Python", f"{creation.python} ({creation.interpreter})"),
            ("Keras", creation.keras),
            ("Backend", creation.backend),
        ]
    )
    page.blank()
    page.text("Why:")
    for reason in creation.reasons:
        page.text(f"- {reason.rstrip('.')}.", indent=2, hang=2)
    if verbose or not creation.made:
        page.blank()
        page.text("Packages:" if creation.complete else "Packages, and what they need:")
        for package in (*creation.packages, *(() if creation.complete else creation.constraints)):
            page.text(package, indent=4)
    elif creation.made:
        page.blank()
        count = wording.plural(len(creation.packages), "package")
        names = ", ".join(os.path.basename(path) for path in creation.files)
        page.text(f"{count}; written down in {names}.")


def _program(page: Page, creation: Creation) -> None:
    if creation.local_modules:
        page.blank()
        page.text(f"Your own modules: {', '.join(creation.local_modules)}.")
    if creation.unknown:
        page.blank()
        page.text("Not known, so nothing is installed for them:")
        for each in creation.unknown:
            page.text(f"- import {each.module} ({each.where})", indent=2, hang=2)
    ran = creation.imported
    if ran is None:
        return
    page.blank()
    if ran.status == "passed":
        page.text("The program's import statements were run in it: all passed.")
        return
    last = ran.chain[-1] if ran.chain else None
    said = f"{last.type}: {last.message}" if last else ran.status
    where = f" (line {ran.failed_line})" if ran.failed_line else ""
    page.text(
        f"The program's import statements were run in it, up to "
        f"`{ran.failed_statement or 'one of them'}`{where}: {said}",
        style="yellow",
    )
