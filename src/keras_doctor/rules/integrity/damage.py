"""What the file checks of the snapshot mean: damage told apart from editing."""

from __future__ import annotations

import os
import re
from collections import Counter

from keras_doctor.names import normalize
from keras_doctor.rules.base import seen, sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Distribution, Evidence, FileAnomaly, FileCheck, Sign
    from keras_doctor.rules.context import Context

_NOT_LOADED = re.compile(
    r"(^|[/\\])(examples?|benchmarks?)[/\\]|[/\\]tests[/\\](?!__init__)|(_test|conftest)\.py$"
)
"""Files that no import loads. Folders called `test` and `testing`, and the `tests` package itself,
do not belong here: importing numpy, TensorFlow or Theano loads such ones."""


def check_of(context: Context, distribution: Distribution) -> FileCheck | None:
    """The file check of a distribution, by the metadata folder that it was made from."""
    for check in context.snapshot.files:
        if check.metadata == distribution.metadata:
            return check
    return None


def distribution_of(context: Context, check: FileCheck) -> Distribution | None:
    """The distribution that a file check is about."""
    for distribution in context.snapshot.distributions:
        if distribution.metadata == check.metadata:
            return distribution
    return None


def all_states(check: FileCheck) -> Counter[str]:
    """How many anomalies of each state; the list is bounded, so its shares are scaled up."""
    counts = Counter(a.state for a in check.anomalies)
    if check.anomalies and check.anomalies_total > len(check.anomalies):
        factor = check.anomalies_total / len(check.anomalies)
        return Counter({state: round(n * factor) for state, n in counts.items()})
    return counts


def loadable(anomalies: tuple[FileAnomaly, ...]) -> list[FileAnomaly]:
    """Without the files that an import does not load: tests, examples."""
    return [a for a in anomalies if not _NOT_LOADED.search(a.path)]


def is_cut(anomaly: FileAnomaly) -> bool:
    """Whether a file is shorter than shipped, or full of zero bytes: damage, not editing."""
    if anomaly.state == "zeros":
        return True
    if anomaly.state != "size" or anomaly.size is None or anomaly.recorded_size is None:
        return False
    return anomaly.size < anomaly.recorded_size


def is_edit(anomaly: FileAnomaly) -> bool:
    """Whether a file has other content than shipped without the marks of damage."""
    return anomaly.state == "hash" or (anomaly.state == "size" and not is_cut(anomaly))


def is_code(anomaly: FileAnomaly) -> bool:
    """Whether an import could load the file itself."""
    return anomaly.path.endswith((".py", ".pyd", ".dll", ".dylib")) or ".so" in os.path.basename(
        anomaly.path
    )


def describe(anomaly: FileAnomaly) -> Evidence:
    """One anomaly in words."""
    state = anomaly.state
    if state == "hash" and anomaly.recorded_size not in (None, anomaly.size):
        state = "size"
    texts = {
        "missing": "is missing",
        "zeros": "is full of zero bytes",
        "unreadable": "may not be read",
        "folder-unreadable": "lies in a folder that may not be read",
        "size": f"has {anomaly.size} bytes, {anomaly.recorded_size} were shipped",
        "hash": "has the size that was shipped, but not the content (its SHA-256 differs)",
    }
    text = "is empty" if state == "size" and anomaly.size == 0 else texts[state]
    return seen(f"{os.path.basename(anomaly.path)} {text}", anomaly.path)


def is_top_init(distribution: Distribution, anomaly: FileAnomaly) -> bool:
    """Whether it is the file that `import PACKAGE` runs first."""
    parts = re.split(r"[/\\]", anomaly.path)
    return (
        parts[-1] == "__init__.py"
        and parts[-2:-1] != []
        and (parts[-2] in distribution.import_packages)
    )


def signs_of(distribution: Distribution, anomalies: list[FileAnomaly]) -> list[Sign]:
    """Failures that damaged files of a distribution predict."""
    packages = distribution.import_packages
    signs = [sign(raised_in=os.path.join(distribution.location, p)) for p in packages]
    signs += [sign(module=p) for p in packages]
    signs += [
        sign("AttributeError", "ImportError", text=rf"(module|from) '{re.escape(p)}[.']")
        for p in packages
    ]
    for anomaly in anomalies[:20]:
        name = os.path.basename(anomaly.path)
        signs += [sign(file=anomaly.path), sign(text=re.escape(anomaly.path))]
        if not name.endswith(".py"):
            signs.append(sign(text=re.escape(name)))
    signs.append(sign("SyntaxError", "ValueError", text="null bytes"))
    if any(".so" in a.path or a.path.endswith((".dll", ".pyd", ".dylib")) for a in anomalies):
        signs.append(sign(crash=True))
    return signs


def key_name(distribution: Distribution) -> str:
    """The subject of the keys of integrity findings."""
    return normalize(distribution.name)
