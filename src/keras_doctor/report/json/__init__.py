"""The JSON contract: one envelope for every command, drawn from the same values as the text.

Within a schema version keys are only ever added. Unknown is null and never absent, so a
report that ends in an error carries null for everything that it could not find out. The
published schema is ``schemas/report.json``.
"""

from keras_doctor.report.json.changed import create, create_all, fix, history, lock, undo, use
from keras_doctor.report.json.envelope import (
    OWN_KEYS,
    SCHEMA_VERSION,
    Problem,
    dumps,
    failure,
    target,
)
from keras_doctor.report.json.examined import backends, check, explain, run
from keras_doctor.report.json.known import compat, envs, knowledge, rule, rules, scan, snapshot

__all__ = [
    "OWN_KEYS",
    "SCHEMA_VERSION",
    "Problem",
    "backends",
    "check",
    "compat",
    "create",
    "create_all",
    "dumps",
    "envs",
    "explain",
    "failure",
    "fix",
    "history",
    "knowledge",
    "lock",
    "rule",
    "rules",
    "run",
    "scan",
    "snapshot",
    "target",
    "undo",
    "use",
]
