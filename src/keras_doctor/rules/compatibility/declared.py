"""What the metadata declares and the installed versions violate."""

from __future__ import annotations

import re

from keras_doctor.knowledge.imports import import_name_of
from keras_doctor.rules.base import seen, sign
from keras_doctor.rules.compatibility.clash import Clash, culprit_of
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Sign
    from keras_doctor.rules.context import Context


def declared_clashes(context: Context) -> Iterator[Clash]:
    """Every requirement on the way of the import that an installed version does not satisfy."""
    for name in context.way:
        parent = context.first(name)
        if parent is None:
            continue
        for needed, specifier, line in context.requirements(parent):
            installed = context.first(needed)
            if installed and satisfies(installed.version, specifier) is False:
                yield _clash(parent, installed, line)


def _clash(parent: Distribution, installed: Distribution, line: str) -> Clash:
    needs = line.partition(";")[0].strip()
    return Clash(
        source="declared",
        user=parent,
        used=installed,
        title=f"{parent.name} {parent.version} needs {needs}",
        why=f"{parent.name} was made for other releases of {installed.name}.",
        evidence=(seen(f"{parent.name} {parent.version} requires {line}", parent.metadata),),
        signs=tuple(_signs(parent, installed)),
        weight="risk",
        bounds=(),
        fitting=None,
        culprit=culprit_of(parent, installed),
        abi=False,
    )


def _signs(parent: Distribution, installed: Distribution) -> list[Sign]:
    """The failure must come from the package that does not fit, or speak of it."""
    packages = installed.import_packages or (import_name_of(installed.name),)
    names = {re.escape(n) for n in (*packages, installed.name, installed.name.replace("-", "_"))}
    text = rf"(?i)\b({'|'.join(sorted(names))})\b"
    signs = [sign(text=text)]
    signs += [sign(module=p) for p in packages]
    signs += [sign(raised_in=f"{installed.location}/{p}") for p in packages]
    # What it breaks often fails elsewhere: in the middle of a traceback, or in who needs it.
    signs += [sign(file=f"{installed.location}/{p}", weak=True) for p in packages]
    signs += [sign(raised_in=f"{parent.location}/{p}", weak=True) for p in parent.import_packages]
    return signs
