"""The recorded files of one location beside what is there."""

from __future__ import annotations

import os
import stat

from keras_doctor.verify.cache import Cache, is_racy, key_of
from keras_doctor.verify.place import ABSENT, OUTSIDE, Place
from keras_doctor.verify.record import to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.model import Distribution
    from keras_doctor.verify.record import File, Record

_ENDS = 64
_PART = 200
_MUCH = 1 << 22


class Entry:
    """One file that is there, with what a RECORD says about it.

    Attributes:
        path: Its absolute path.
        distribution: Whose RECORD knows it; the first, when several do.
        recorded: The SHA-256 in it, as the RECORD writes it.
        recorded_size: The size in it.
        size: The size that the file has.
        mtime_ns: Its modification time.
        key: What the cache may remember of it; None when it must not.
        memory: Where that is to be put when the file is as shipped.
        found: Its SHA-256, when it was read.
        trouble: Why it could not be read, a clause.
        fine: Whether it is what was shipped; None while, or because, that is not known.
        twins: The same file as other distributions have recorded it.
    """

    __slots__ = (
        "distribution",
        "fine",
        "found",
        "key",
        "memory",
        "mtime_ns",
        "path",
        "recorded",
        "recorded_size",
        "size",
        "trouble",
        "twins",
    )

    def __init__(
        self,
        path: str,
        distribution: Distribution,
        file: File,
        status: os.stat_result,
        key: bytes | None,
        memory: list[bytes],
    ) -> None:
        _, self.recorded, self.recorded_size = file
        self.path = path
        self.distribution = distribution
        self.size = status.st_size
        self.mtime_ns = status.st_mtime_ns
        self.key = key
        self.memory = memory
        self.found: bytes | None = None
        self.trouble: str | None = None
        self.fine: bool | None = None
        self.twins: tuple[Entry, ...] = ()

    @property
    def claims(self) -> tuple[Entry, ...]:
        """This and its twins: all that was recorded about the file."""
        return (self, *self.twins)

    @property
    def digest(self) -> bytes:
        """The recorded SHA-256."""
        return to_bytes(self.recorded)

    def accept(self, found: bytes) -> None:
        """Take note of the SHA-256 that the file has; mostly, that is all there is to know."""
        self.found = found
        if found == self.digest:
            self.fine = True

    def remember(self) -> None:
        """Put the keys where they belong: the file is as shipped."""
        for claim in self.claims if self.twins else (self,):
            if claim.key is not None:
                claim.memory.append(claim.key)

    def may_fit(self) -> bool:
        """Whether by its size it may be what somebody has recorded."""
        return any(claim.recorded_size in (None, self.size) for claim in self.claims)

    def changed_meanwhile(self) -> bool:
        """Whether somebody writes to it just now."""
        try:
            status = os.stat(self.path)
        except OSError:
            return True
        return (status.st_size, status.st_mtime_ns) != (self.size, self.mtime_ns)

    def is_zeros(self) -> bool:
        """Whether it begins and ends with zero bytes, as a crash leaves a file behind."""
        try:
            with open(self.path, "rb") as file:
                head = file.read(_ENDS)
                file.seek(max(0, self.size - _ENDS))
                return bool(head) and not (head + file.read(_ENDS)).strip(b"\0")
        except OSError:
            return False


class Location:
    """One entry of sys.path with distributions that are verified.

    Attributes:
        path: As the patient's Python writes it.
        entries: The files that must be read, by path.
        known: The sizes of the files that are as an earlier run has read them, by path.
        metadata: The metadata folders that were verified.
        counts: How many recorded files are absent, and how many lead outside through a link.
        problems: What could not be looked at, a clause each.
    """

    def __init__(self, path: str, cache: str | None, started_ns: int) -> None:
        """Begin with none of its files.

        Args:
            path: The location.
            cache: The folder of the cache, or None.
            started_ns: When the run started, in nanoseconds since the epoch.
        """
        self.path = path
        self.entries: dict[str, Entry] = {}
        self.known: dict[str, int] = {}
        self.metadata: list[str] = []
        self.counts = {ABSENT: 0, OUTSIDE: 0}
        self.problems: list[str] = []
        self._place = Place(path)
        self._cache = Cache(cache, path) if cache is not None else None
        self._started_ns = started_ns
        self._keys: dict[str, list[bytes]] = {}

    def add(
        self, distribution: Distribution, record: Record, read: Callable[[list[Entry]], None]
    ) -> None:
        """Look which of the recorded files of a distribution are there.

        Args:
            distribution: One of this location.
            record: What it has recorded.
            read: Given the files that must be read to know whether they are as shipped, a part
                at a time: what is large is read while the rest is still looked for.
        """
        self.metadata.append(distribution.metadata)
        section = _section(distribution.metadata)
        known = self._cache.known(section) if self._cache else None
        self._keys[section] = []
        unknown: list[Entry] = []
        for folder, files in sorted(record.folders.items(), key=_weight, reverse=True):
            refusal = self._place.refusal(folder)
            if refusal is None:
                self._add_files(folder, distribution, files, known, unknown)
                if len(unknown) >= _PART or sum(entry.size for entry in unknown) >= _MUCH:
                    read(unknown)
                    unknown = []
            elif refusal in self.counts:
                self.counts[refusal] += len(files)
            else:
                self.problems.append(f"the folder {self._place.path(folder)} may not be read")
        read(unknown)

    def _add_files(
        self,
        folder: str,
        distribution: Distribution,
        files: Sequence[File],
        known: frozenset[bytes] | None,
        unknown: list[Entry],
    ) -> None:
        start = self._place.path(folder, "")
        if folder:
            start += os.sep
        entries, look, kind = self.entries, os.lstat, stat.S_IFMT
        keys = self._keys[_section(distribution.metadata)]
        for file in files:
            path = start + file[0]
            try:
                status = look(path)
            except (OSError, ValueError):
                status = None
            if status is None or kind(status.st_mode) != stat.S_IFREG:
                unusual = self._place.status(path)
                if isinstance(unusual, str):
                    self._refuse(path, unusual)
                    continue
                status = unusual
            key = None
            if known is not None:
                key = key_of(path, status, file[1])
                # Several may have recorded it; that it is as one of them says is enough.
                if key in known or path in self.known:
                    keys.append(key)
                    self.known[path] = status.st_size
                    continue
                if is_racy(status, self._started_ns):
                    key = None
            entry = Entry(path, distribution, file, status, key, keys)
            first = entries.setdefault(path, entry)
            if first is entry:
                unknown.append(entry)
            else:
                first.twins += (entry,)

    def _refuse(self, path: str, reason: str) -> None:
        if reason in self.counts:
            self.counts[reason] += 1
        else:
            self.problems.append(f"{path} may not be read")

    def remember(self, existing: Sequence[Distribution]) -> None:
        """Write down which files were as recorded.

        Args:
            existing: All distributions of this location.
        """
        if self._cache is None:
            return
        for entry in self.entries.values():
            if entry.fine:
                entry.remember()
        self._cache.keep(self._keys, {*self._keys, *(_section(one.metadata) for one in existing)})

    def settle_known(self) -> None:
        """Take the files that the cache turned out to know from those that must be judged."""
        for path in self.known.keys() & self.entries.keys():
            self.entries.pop(path).remember()


def _weight(item: tuple[str, list[File]]) -> int:
    """How large the files of a folder are, as they are recorded."""
    return sum(size or 0 for _, _, size in item[1])


def _section(metadata: str) -> str:
    return os.path.basename(metadata)
