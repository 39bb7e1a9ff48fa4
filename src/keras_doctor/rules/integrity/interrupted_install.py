"""KD306 interrupted-install."""

from __future__ import annotations

import os

from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, finding, listing, seen, sign
from keras_doctor.rules.remedies import install, remove
from keras_doctor.rules.stages import PRESENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Leftover
    from keras_doctor.rules.context import Context


def interrupted_install(context: Context) -> Iterator[Finding]:
    """An install was stopped in the middle: the package is gone and its ``~`` folders are left.

    What it checks: folders that begin with ``~`` in site-packages, and whether the distribution
    that they belonged to is on the way of the import and is not installed any more. A ``~`` folder
    beside a whole install does no harm.

    Why it breaks the import: pip renames a package to ``~ackage`` while it replaces it. When it is
    stopped there (Ctrl-C, a file in use on Windows, a full disk), the package has no name that
    Python could import.

    How it is fixed: remove the ``~`` folders and install the package.

    Example: ``~eras`` and ``~eras-3.6.0.dist-info``.
    """
    names = {normalize(name) for name in (*context.way, "keras")}
    names |= {normalize(d) for d in _backend_distributions(context)}
    groups: dict[str, list[Leftover]] = {}
    for leftover in context.snapshot.leftovers:
        name = _belonged_to(leftover, names)
        if name and name in names and context.first(name) is None:
            groups.setdefault(name, []).append(leftover)
    if not groups:
        raise RuledOut("no package on the way was left in the middle of an install")
    for name, leftovers in groups.items():
        yield _finding(context, name, leftovers)


def _backend_distributions(context: Context) -> tuple[str, ...]:
    from keras_doctor.knowledge.selection import backends

    wanted = (context.choice.backend, context.wish)
    return tuple(d for b in backends().values() if b.name in wanted for d in b.distributions)


def _belonged_to(leftover: Leftover, names: set[str]) -> str | None:
    if leftover.name:
        return normalize(leftover.name)
    rest = os.path.basename(leftover.path).lstrip("~").replace("_", "-").lower()
    for name in sorted(names):
        if rest and name.endswith(rest) and len(name) - len(rest) <= 2:
            return name
    return None


def _finding(context: Context, name: str, leftovers: list[Leftover]) -> Finding:
    version = next((item.version for item in leftovers if item.version), None)
    shown = listing(os.path.basename(item.path) for item in leftovers)
    return finding(
        "KD306",
        "interrupted-install",
        name,
        title=f"An install of {name} was interrupted: only {shown} is left of it",
        why="pip moved the package aside while it replaced it, and was stopped there.",
        evidence=[seen("a leftover of pip", item.path) for item in leftovers],
        stage=PRESENCE,
        weight="fatal",
        fixes=[
            remove(
                context,
                tuple(item.path for item in leftovers),
                "Remove the leftovers,",
                name,
                continues=True,
            ),
            install(
                context,
                f"{name}=={version}" if version else name,
                summary=f"then install {name}.",
            ),
        ],
        signs=[sign(module=name.replace("-", "_")), sign(text=rf"\b{name}\b")],
        explains=[
            f"{cause}:{subject}"
            for cause in ("not-installed", "namespace-remnant", "backend-not-installed")
            for subject in (name, name.replace("-", "_"))
        ],
    )
