"""Which Python is meant, how the user would start it, and what their program imports.

:func:`find_target` lives in :mod:`keras_doctor.targets.find`, reading programs in
:mod:`keras_doctor.targets.script`, and the list of all environments in
:mod:`keras_doctor.targets.inventory`: three imports, because no command needs all of them.
"""

from __future__ import annotations

from keras_doctor.targets.find import find_target
from keras_doctor.targets.found import Found, TargetError

__all__ = ["Found", "TargetError", "find_target"]
