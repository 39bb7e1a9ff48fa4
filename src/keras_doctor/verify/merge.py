"""What hashing showed, as facts of the snapshot."""

from __future__ import annotations

from keras_doctor.model import FileAnomaly, FileCheck, Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Distribution
    from keras_doctor.verify import Verification

_LOADABLE = (".py", ".so", ".pyd", ".dll", ".dylib")
_MOST = 200


def with_verified(snapshot: Snapshot, verification: Verification) -> Snapshot:
    """The snapshot with what :func:`keras_doctor.verify.verify` found in it.

    What the collector saw stays as it is: of a file whose size differs it says more.
    """
    left = dict(verification.anomalies)
    files = []
    for check in snapshot.files:
        news = _new(check, left.pop(check.metadata, []))
        files.append(
            check._replace(
                anomalies=(*check.anomalies, *news)[: max(_MOST, len(check.anomalies))],
                anomalies_total=check.anomalies_total + len(news),
            )
        )
    for distribution in snapshot.distributions:
        anomalies = left.pop(distribution.metadata, None)
        if anomalies:
            files.append(_check(distribution, anomalies))
    return snapshot._replace(
        files=tuple(files),
        verified=verification.verified,
        problems=(*snapshot.problems, *verification.problems),
    )


def _new(check: FileCheck, anomalies: Sequence[FileAnomaly]) -> list[FileAnomaly]:
    """The anomalies that the collector has not seen; it sees other sizes of what is loaded."""
    seen = {anomaly.path for anomaly in check.anomalies}
    return [
        anomaly
        for anomaly in anomalies
        if anomaly.path not in seen
        and not (
            check.checked and anomaly.size != anomaly.recorded_size and _is_loadable(anomaly.path)
        )
    ]


def _is_loadable(path: str) -> bool:
    return path.endswith(_LOADABLE) or ".so." in path


def _check(distribution: Distribution, anomalies: Sequence[FileAnomaly]) -> FileCheck:
    """Of a distribution whose files the collector did not look at.

    It is off the way or hardly ever loaded, so nothing is called damage on its word alone.
    """
    return FileCheck(
        distribution=distribution.name,
        metadata=distribution.metadata,
        checked=0,
        anomalies=tuple(a._replace(state="hash") for a in anomalies[:_MOST]),
        anomalies_total=len(anomalies),
        unrecorded=(),
        unrecorded_total=0,
        code_version=None,
        code_version_where=None,
        contents_checked=False,
    )
