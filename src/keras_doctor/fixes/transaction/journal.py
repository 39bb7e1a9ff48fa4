"""What a repair changes, written down before it changes anything, and where that is kept."""

import json
import os
import re
import secrets
import time

from keras_doctor.codec import MAX_ITEMS, CodecError, decode, encode
from keras_doctor.fixes.transaction.errors import TransactionError, reason, shown
from keras_doctor.fixes.transaction.states import FileChange
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Step = Callable[[str], None]
    """Told before and after each thing that is done to a file system."""

SCHEMA = 1
PLANNED = "planned"
APPLYING = "applying"
APPLIED = "applied"
VERIFIED = "verified"
UNDOING = "undoing"
UNDONE = "undone"
ROLLED_BACK = "rolled-back"
STATUSES = (PLANNED, APPLYING, APPLIED, VERIFIED, UNDOING, UNDONE, ROLLED_BACK)
LARGEST = 1 << 28
"""Bytes of one journal; a larger file is not read."""
_SUFFIX = ".json"
_FOLDER = "journals"
_ID = re.compile(r"[0-9a-z][0-9a-z-]{0,63}\Z")
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


class FolderTime(NamedTuple):
    """When a folder in which something changes was changed before."""

    path: str
    mtime_ns: int


class Journal(NamedTuple):
    """What one repair changes; enough to take it back after any interruption."""

    schema_version: int
    id: str
    """Begins with the time (UTC), so that journals sort by it."""
    created: str
    """ISO 8601, UTC."""
    tool_version: str
    environment: str
    """The root folder of the environment."""
    roots: tuple[str, ...]
    """The folders in which changes may lie: absolute, and reached through no link."""
    files: tuple[str, ...]
    """Single files outside of them that may change; their folders are reached through no link."""
    status: str
    summary: tuple[str, ...]
    """What the plan does, for a person to read."""
    changes: tuple[FileChange, ...]
    folders: tuple[FolderTime, ...]
    """The folders that were there before and in which something changes; known once applied."""
    stage: str | None
    """The folder with the new files; it is removed at the end."""
    left: tuple[str, ...] = ()
    """What was found in the way when the old state was restored, was not ours, and was left."""
    provisional: bool = False
    """Whether it stays only when it is seen to work afterwards."""
    made: bool = False
    """Whether the environment itself is new: taken back, its empty folder goes too."""


class Listing(NamedTuple):
    """What a store holds."""

    journals: tuple[Journal, ...]
    """Newest first."""
    unreadable: tuple[str, ...]
    """One sentence for each file that is no journal."""


def nothing(name: str) -> None:
    """The step that does nothing.

    Args:
        name: What is being done.
    """


def new_id(now_ns: int | None = None) -> str:
    """The id of a new journal, like ``20260131-120000-123456-0a1b2c3d``."""
    seconds, rest = divmod(time.time_ns() if now_ns is None else now_ns, 10**9)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(seconds))
    return f"{stamp}-{rest // 1000:06d}-{secrets.token_hex(4)}"


def is_id(text: str) -> bool:
    """Whether a text may be the id of a journal, and thus part of a path."""
    return _ID.match(text) is not None


def planned(
    *,
    environment: str,
    roots: "Iterable[str]",
    changes: "Iterable[FileChange]",
    tool_version: str,
    files: "Iterable[str]" = (),
    summary: "Iterable[str]" = (),
    stage: str | None = None,
) -> Journal:
    """A journal of changes of which none is made yet."""
    return Journal(
        schema_version=SCHEMA,
        id=new_id(),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        tool_version=tool_version,
        environment=environment,
        roots=tuple(roots),
        files=tuple(files),
        status=PLANNED,
        summary=tuple(summary),
        changes=tuple(changes),
        folders=(),
        stage=stage,
    )


class Store:
    """The journals of one user, each a file that is always written whole.

    Attributes:
        folder: Where they lie; made when the first is saved.
    """

    def __init__(self, folder: str) -> None:
        """Args: the folder that :func:`state_folder` names."""
        self.folder = os.path.join(folder, _FOLDER)

    def save(self, journal: Journal, *, step: "Step" = nothing) -> None:
        """Write a journal; when this returns it is on the disk.

        Raises:
            TransactionError: It cannot be a journal that could be read again.
            OSError: It could not be written.
        """
        name = self._name(journal.id)
        if len(journal.changes) > MAX_ITEMS:
            raise TransactionError(
                f"{len(journal.changes)} changes are too many for one repair (at most {MAX_ITEMS})."
            )
        text = json.dumps(encode(journal), separators=(",", ":")).encode()
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self._make_private()
        handle = os.open(self.folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            step("before journal")
            _write(name + ".new", text)
            step("between journal")
            os.replace(name + ".new", name)
            os.fsync(handle)
            step("after journal")
        finally:
            os.close(handle)

    def load(self, journal_id: str) -> Journal:
        """Read one journal.

        Raises:
            TransactionError: There is none, or it is damaged.
        """
        name = self._name(journal_id)
        try:
            text = _read(name)
        except FileNotFoundError:
            raise TransactionError(
                f"There is no journal {shown(journal_id)} in {shown(self.folder)}."
            ) from None
        except OSError as error:
            raise TransactionError(
                f"The journal {shown(name)} cannot be read: {reason(error)}."
            ) from error
        return _decoded(text, journal_id, name)

    def journals(self) -> Listing:
        """All journals, newest first, and what is none."""
        found = []
        unreadable = []
        try:
            names = sorted(os.listdir(self.folder), reverse=True)
        except FileNotFoundError:
            names = []
        except OSError as error:
            names = []
            unreadable = [f"{shown(self.folder)} cannot be read: {reason(error)}."]
        for name in names:
            if not name.endswith(_SUFFIX):
                continue
            try:
                found.append(self.load(name.removesuffix(_SUFFIX)))
            except TransactionError as error:
                unreadable.append(str(error))
        return Listing(journals=tuple(found), unreadable=tuple(unreadable))

    def remove(self, journal_id: str, *, step: "Step" = nothing) -> None:
        """Forget one journal; its backups are not touched here."""
        name = self._name(journal_id)
        for path in (name + ".new", name):
            step("before forget")
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue
            finally:
                step("after forget")

    def _name(self, journal_id: str) -> str:
        if not is_id(journal_id):
            raise TransactionError(f"{shown(journal_id)} is not the id of a journal.")
        return os.path.join(self.folder, journal_id + _SUFFIX)

    def _make_private(self) -> None:
        status = os.lstat(self.folder)
        geteuid = getattr(os, "geteuid", None)
        if geteuid is not None and status.st_mode & 0o077 and status.st_uid == geteuid():
            os.chmod(self.folder, 0o700)


def _write(path: str, text: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NOFOLLOW, 0o600)
    with open(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: str) -> bytes:
    with open(os.open(path, os.O_RDONLY | _NOFOLLOW | _NONBLOCK), "rb") as file:
        return file.read(LARGEST + 1)


def _decoded(text: bytes, journal_id: str, path: str) -> Journal:
    """The journal that a file holds."""
    if len(text) > LARGEST:
        raise TransactionError(f"{shown(path)} is no journal: it is larger than any.")
    try:
        journal = decode(Journal, json.loads(text), where="journal")
    except (CodecError, ValueError, RecursionError) as error:
        raise TransactionError(f"{shown(path)} is no journal: {reason(error)}.") from None
    if journal.schema_version != SCHEMA:
        raise TransactionError(
            f"{shown(path)} was written by another release of keras-doctor "
            f"({shown(journal.tool_version)}): use that one."
        )
    if journal.id != journal_id or journal.status not in STATUSES:
        raise TransactionError(f"{shown(path)} is no journal: its id or its status is wrong.")
    return journal
