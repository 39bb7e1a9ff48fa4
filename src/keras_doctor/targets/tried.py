"""What of a program can be tried without running it, beside its import statements.

A program that imports may still stop at its first line: an attribute that is no longer there, a
module that TensorFlow loads only when it is asked for, a model that cannot be loaded again.
"""

from __future__ import annotations

import ast
import warnings

from keras_doctor.scan.judge import DISTRIBUTIONS
from keras_doctor.targets.script import Unreadable, sources_of
from keras_doctor.targets.uses import uses_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Script
    from keras_doctor.model.uses import Use

MAX_USES = 200
_SAVING = frozenset({"load_model", "save_model", "load_weights", "save_weights", "ModelCheckpoint"})


def attributes_of(script: Script) -> tuple[Use, ...]:
    """The attributes of imported modules that a program needs in any case, each once.

    Args:
        script: The program; its own file is read again, modules of the user's are not.
    """
    found: dict[str, Use] = {}
    try:
        for source in sources_of(script.path):
            for use in uses_of(source, DISTRIBUTIONS)[0]:
                if not use.guarded and not use.is_import:
                    found.setdefault(use.path, use)
    except Unreadable:
        return ()
    return tuple(found.values())[:MAX_USES]


def saves_models(script: Script) -> bool:
    """Whether a program saves or loads models, by the names that it mentions."""
    try:
        trees = [_parsed(source.code) for source in sources_of(script.path)]
    except Unreadable:
        return False
    return any(
        (isinstance(node, ast.Attribute) and node.attr in _SAVING)
        or (isinstance(node, ast.Name) and node.id in _SAVING)
        for tree in trees
        for node in ast.walk(tree)
    )


def _parsed(code: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])
