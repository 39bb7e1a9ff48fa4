"""The screen of `envs`: one line for each Python that holds a Keras or a backend."""

from __future__ import annotations

from keras_doctor.report.layout import Page, cells, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.targets.inventory import EnvironmentFound

_FIRST = ("keras", "tf-keras")


def render_envs(
    found: Sequence[EnvironmentFound],
    *,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """One line each, never folded, so that it can be searched and cut.

    Args:
        found: The environments, in the order in which they are shown.
        width: Columns of the terminal, for the sentences around the lines.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
    """
    page = Page(width=width, color=color, unicode=unicode)
    if not found:
        page.text("No Python that holds a Keras or a backend was found on this machine.")
        return page.render()
    rows = [_row(one) for one in found]
    sizes = [max(cells(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row, one in zip(rows, found, strict=True):
        head = [cell + " " * (size - cells(cell)) for cell, size in zip(row, sizes, strict=False)]
        page.verbatim("  ".join([*head, row[-1]]), style="bold" if one.active else "")
    _remarks(page, found)
    return page.render()


def _row(one: EnvironmentFound) -> tuple[str, ...]:
    packages = sorted(one.packages, key=lambda p: (p.name not in _FIRST, p.name == "numpy"))
    names = dict.fromkeys(f"{package.name} {package.version}" for package in packages)
    held = ", ".join(names) or "no Keras, no backend"
    if one.problem:
        held = one.problem
    ways = [*one.found, *(f"{name} installs here" for name in one.pip)]
    return tuple(
        one_line(cell)
        for cell in (
            "*" if one.active else " ",
            one.python,
            one.version or "?",
            held,
            f"({', '.join(ways)})" if ways else "",
        )
    )


def _remarks(page: Page, found: Sequence[EnvironmentFound]) -> None:
    page.blank()
    active = next((one for one in found if one.active), None)
    if active is None:
        page.text("None of these is what `python` means here.")
        return
    page.text("* is the Python that is meant here when none is named.")
    for one in found:
        if one.pip and not one.active:
            names = " and ".join(f"`{name}`" for name in one.pip)
            page.text(
                f"{names} installs into {one.python}, not into that one. `{active.python} -m pip "
                "install ...` installs where it is seen."
            )
