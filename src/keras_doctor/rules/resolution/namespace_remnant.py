"""KD207 namespace-remnant."""

from __future__ import annotations

from keras_doctor.knowledge.selection import backends
from keras_doctor.rules.base import RuledOut, finding, seen, signs_of_an_empty_package
from keras_doctor.rules.remedies import install, remove
from keras_doctor.rules.stages import PRESENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context


def namespace_remnant(context: Context) -> Iterator[Finding]:
    """A leftover folder without the package's files imports as an empty namespace.

    What it checks: whether what Python finds for Keras or its backend is a folder without an
    ``__init__`` file, and whether any metadata says that the package is installed. A folder of the
    user's own beside the program is no remnant: there the package is simply not installed.

    Why it breaks the import: Python 3 imports any folder as a namespace package. So ``import
    keras`` succeeds and nothing is in it: "module 'keras' has no attribute …", or "cannot import
    name … from 'keras' (unknown location)".

    How it is fixed: remove the folder (look into it first: it holds what pip did not own, such as
    downloaded data) and install the package.

    Example: ``pip uninstall keras`` left ``keras/datasets/my_cache`` behind.
    """
    found = False
    for name in _names(context):
        module = context.module(name)
        if module is None or module.kind != "namespace" or module.path is None:
            continue
        if context.owners(name):
            continue  # installed, but its files are gone: a matter of integrity
        if context.folder_of_the_users(name):
            continue  # no remnant: the package is not installed
        found = True
        yield finding(
            "KD207",
            "namespace-remnant",
            name,
            title=(
                f"{context.shown(module.path)} is a leftover folder without code: {name} is not "
                "installed"
            ),
            why=f"Python takes the folder for an empty package, so `import {name}` gives nothing.",
            evidence=[
                seen("a folder without __init__.py", module.path),
                seen(f"no distribution on the path installs {name}"),
            ],
            stage=PRESENCE,
            weight="fatal",
            fixes=[
                remove(
                    context,
                    (module.path,),
                    "Remove the folder, after a look into it,",
                    module.path,
                    continues=True,
                ),
                install(context, name, summary=f"then install {name}."),
            ],
            signs=signs_of_an_empty_package(name),
            explains=[f"not-installed:{name}", f"backend-not-installed:{name}"],
        )
    if not found:
        raise RuledOut("what answers to the import has code in it")


def _names(context: Context) -> list[str]:
    names = ["keras"]
    if "tf_keras" in context.script_modules:
        names.append("tf_keras")
    wanted = {context.choice.backend, context.wish} | (context.script_modules & set(backends()))
    for name, backend in backends().items():
        if name in wanted:
            names += [m for m in backend.imports if m not in names]
    return names
