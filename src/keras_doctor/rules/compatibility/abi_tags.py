"""KD406 abi-mismatch, as far as names tell: extension modules for another Python."""

from __future__ import annotations

import os
import re

from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, counted, finding, seen, sign
from keras_doctor.rules.native.loading import native_facts
from keras_doctor.rules.remedies import reinstall
from keras_doctor.rules.stages import FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Finding, ModuleNames
    from keras_doctor.rules.context import Context

_TAG = r"cp3\d{1,2}-cp3\d{1,2}[a-z]*-"


def extension_abi(context: Context) -> Iterator[Finding]:
    """The extension modules of a package are named for another Python, so none is seen.

    What it checks: the tags in the file names of the extension modules on the way of the import
    (``x.cpython-310-x86_64-linux-gnu.so``) against those that this Python looks for, and the
    tags of the wheel that they came from.

    Why it breaks the import: Python passes over the files: "No module named 'numpy.core.
    _multiarray_umath'", though it is there under a name with another tag.

    How it is fixed: install the package again with this Python's own pip.

    Example: site-packages of Python 3.10 that were copied, or put on PYTHONPATH, for Python 3.11.
    """
    found = False
    for names in native_facts(context).named:
        if context.on_the_way(names.distribution) and not names.own:
            found = True
            yield _foreign(context, names)
    if not found:
        raise RuledOut("the extension modules on the way are named for this Python")


def _tag_of(path: str) -> str:
    return os.path.basename(path).partition(".")[2].rpartition(".")[0]


def _foreign(context: Context, names: ModuleNames) -> Finding:
    distribution = next(
        (d for d in context.snapshot.distributions if d.metadata == names.metadata), None
    )
    interpreter = context.snapshot.interpreter
    example = names.example or names.metadata
    evidence = [
        seen(f"{counted(names.foreign, 'extension module')} for {_tag_of(example)}", example)
    ]
    if interpreter:
        suffix = next(iter(interpreter.extension_suffixes), "")
        evidence.append(seen(f"this Python looks for {suffix}", interpreter.executable))
    evidence += [
        seen(f"the wheel was {tag}", f"{names.metadata}/WHEEL") for tag in _wheel_tags(distribution)
    ]
    packages = distribution.import_packages if distribution else ()
    version = interpreter.version if interpreter else ""
    return finding(
        "KD406",
        "abi-mismatch",
        names.distribution,
        title=f"{names.distribution} is installed for another Python than this {version}",
        why="Python looks only for extension modules that carry its own tag.",
        evidence=evidence,
        stage=FILES,
        weight="likely",
        subject=normalize(names.distribution),
        fixes=[reinstall(context, distribution)] if distribution else [],
        signs=[
            *(sign(module=package) for package in packages),
            *(
                sign(
                    "ImportError", "AttributeError", raised_in=f"{distribution.location}/{package}"
                )
                for package in packages
                if distribution
            ),
        ],
    )


def _wheel_tags(distribution: Distribution | None) -> list[str]:
    return [tag for tag in distribution.tags if re.match(_TAG, tag)][:2] if distribution else []
