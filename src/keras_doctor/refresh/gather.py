"""Reads what an index knows of one package; what is known already is not asked for again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from keras_doctor.records import NamedTuple
from keras_doctor.refresh.assemble import assemble, speakers, uploads_by_version
from keras_doctor.registry.client import AT_ONCE
from keras_doctor.registry.metadata import NoMetadataError
from keras_doctor.registry.project import read_listing, read_requires

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keras_doctor.knowledge.packages import Wanted
    from keras_doctor.knowledge.releasefile import Package, Release
    from keras_doctor.refresh.assemble import Upload
    from keras_doctor.registry.answers import Answers

    Requires = dict[str, dict[str, tuple[str, ...]]]


class Steps(NamedTuple):
    """Whom to tell how the work goes on."""

    begin: Callable[[str, int], None]
    """A package, and how many metadata files will be read."""
    advance: Callable[[], None]
    """One of them was read."""


SILENT = Steps(begin=lambda _name, _count: None, advance=lambda: None)


def gather(
    answers: Answers, wanted: Wanted, *, known: Package | None = None, steps: Steps = SILENT
) -> Package | None:
    """The releases of a package as the index tells them; None when it refuses the package.

    Args:
        answers: Who asks.
        wanted: The package, and how much of it is read.
        known: What is known of it; the requirements of its releases are taken over, and those
            that it lacks stay unread.
        steps: Told how the work goes on.

    Raises:
        keras_doctor.registry.RegistryError: The index cannot be asked.
    """
    listing = read_listing(answers, wanted.name)
    if listing is None:
        return None
    versions = uploads_by_version(listing)
    old = {row.version: row for row in known.releases} if known else {}
    requires: Requires = {v: _taken_over(row) for v, row in old.items() if row.requires is not None}
    newest = list(versions)[-wanted.newest :] if wanted.newest else list(versions)
    unread = {
        version: speakers(versions[version], per_platform=wanted.per_platform)
        for version in newest
        if version not in old
    }
    found, failed = _read_all(answers, wanted.name, unread, steps)
    requires |= found
    gaps = [gap for gap in (known.gaps if known else ()) if gap[0] != "requirements"]
    missing = [version for version in versions if version not in requires]
    if missing:
        gaps.append(("requirements", _why(missing, versions, failed, wanted)))
    return assemble(listing, requires, gaps)


def _taken_over(row: Release) -> dict[str, tuple[str, ...]]:
    rows = {"": row.requires or ()}
    return rows | {place: lines for place, lines in row.requires_on if lines is not None}


def _read_all(
    answers: Answers, name: str, unread: Mapping[str, Mapping[str, Upload]], steps: Steps
) -> tuple[Requires, dict[str, str]]:
    """The requirements by version and platform, and why some could not be read."""
    tasks = [(v, place, row) for v, rows in unread.items() for place, row in rows.items()]
    steps.begin(name, len(tasks))
    found: Requires = {}
    failed: dict[str, str] = {}

    def read(task: tuple[str, str, Upload]) -> tuple[str, ...] | str:
        try:
            return read_requires(answers, name, task[0], task[2].file)
        except NoMetadataError as error:
            return str(error)

    # Leaving the pool after an error must not wait for a thousand questions more.
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for (version, place, _), lines in zip(tasks, pool.map(read, tasks), strict=True):
            steps.advance()
            if isinstance(lines, str):
                failed[version] = lines
            else:
                found.setdefault(version, {})[place] = lines
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return found, failed


def _why(
    missing: list[str], versions: Mapping[str, object], failed: dict[str, str], wanted: Wanted
) -> str:
    text = f"read for {len(versions) - len(missing)} of {len(versions)} releases"
    if wanted.newest:
        text += f", from the newest {wanted.newest} on"
    reasons = sorted(set(failed.values()))
    return text + "".join(f"; {reason}" for reason in reasons)
