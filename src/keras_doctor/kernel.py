"""The IPython extension: ``%keras_doctor`` in a notebook, about this very kernel."""

from __future__ import annotations

import os
import shutil
import sys

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from keras_doctor.model import Examination, Snapshot

USAGE = """%keras_doctor            why `import keras` fails in this kernel, or that it works
%keras_doctor explain    what the last exception means
%keras_doctor BACKEND    as the first, and this backend is wanted"""


class Card(NamedTuple):
    """A result as Jupyter shows it: HTML where it can, text elsewhere."""

    html: str
    text: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def load(ipython: Any) -> None:
    """Register the magic, and the hint after a cell that failed on an import."""
    ipython.register_magic_function(magic, "line", "keras_doctor")
    ipython.events.register("post_run_cell", after_cell)


def after_cell(result: Any) -> None:
    """One line after a cell that failed on an import of the Keras world."""
    from keras_doctor.hook import concerns_keras

    error = result.error_in_exec
    if isinstance(error, BaseException) and concerns_keras(error):
        sys.stderr.write("keras-doctor: `%keras_doctor explain` says why.\n")


def magic(line: str) -> Card | None:
    """What ``%keras_doctor`` answers."""
    from keras_doctor import api
    from keras_doctor.cli.errors import UsageError
    from keras_doctor.cli.options import backend

    words = line.split()
    if words[:1] == ["explain"]:
        error = getattr(sys, "last_value", None)
        if error is None:
            sys.stderr.write("No exception was raised yet.\n")
            return None
        return card(api.explain(error, python=sys.executable), kind="explain")
    wish = None
    if words:
        try:
            wish = backend(words[0])
        except UsageError:
            sys.stderr.write(USAGE + "\n")
            return None
    examination, _ = api.check(python=sys.executable, wish=wish)
    return card(examination, kind="check")


def card(examination: Examination, *, kind: str) -> Card:
    """The card of an examination, with what is true of this kernel alone."""
    from keras_doctor.report.card import render_card
    from keras_doctor.report.explained import render_explained
    from keras_doctor.report.text import render_check

    hints = [*stale_modules(examination.snapshot), *other_pip()]
    render = render_explained if kind == "explain" else render_check
    text = render(examination, program="!uvx keras-doctor")
    text += "".join(f"\n{hint}\n" for hint in hints)
    return Card(html=render_card(examination, hints), text=text)


def stale_modules(snapshot: Snapshot) -> list[str]:
    """Packages that this kernel has loaded and that are not what is installed by now."""
    from keras_doctor.rules.message.world import is_of_the_world

    hints = []
    for distribution in snapshot.distributions:
        for package in distribution.import_packages:
            module = sys.modules.get(package)
            loaded = getattr(module, "__version__", None)
            if not isinstance(loaded, str) or not is_of_the_world(package):
                continue
            if loaded.partition("+")[0] != distribution.version.partition("+")[0]:
                hints.append(
                    f"{package} {loaded} was imported before {distribution.version} was installed: "
                    "restart the kernel."
                )
    keras = sys.modules.get("keras")
    asked = os.environ.get("KERAS_BACKEND")
    if keras is not None and asked:
        try:
            got = keras.backend.backend()
        except Exception:  # noqa: BLE001 -- whatever half a module answers
            return hints
        if got != asked:
            hints.append(
                f"keras was imported with the {got} backend before KERAS_BACKEND said {asked}: "
                "restart the kernel, and set it before the import."
            )
    return hints


def other_pip() -> list[str]:
    """When `!pip` installs into another Python than the one of this kernel."""
    pip = shutil.which("pip")
    if pip is None:
        return []
    folder = os.path.dirname(os.path.realpath(pip))
    own = {os.path.dirname(os.path.realpath(sys.executable)), os.path.join(sys.prefix, "bin")}
    own.add(os.path.join(sys.prefix, "Scripts"))
    if {os.path.dirname(pip), folder} & {os.path.normpath(each) for each in own}:
        return []
    hint = (
        f"`!pip` is {pip}, which installs into another Python than this kernel "
        f"({sys.executable}): use `%pip install`."
    )
    return [hint]
