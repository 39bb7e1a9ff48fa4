"""Trees to change: built from descriptions, compared with each other, and seen as they are."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from keras_doctor.fixes.transaction import (
    ABSENT,
    FileChange,
    FileState,
    Journal,
    Store,
    planned,
    state_of,
)

T0 = 1_600_000_000_123_456_789
Seen = dict[str, tuple[object, ...]]


class Node(NamedTuple):
    kind: str
    text: str = ""
    mode: int = 0o644
    mtime_ns: int = T0


Tree = dict[str, Node]


def file(text: str = "", mode: int = 0o644, mtime_ns: int = T0) -> Node:
    return Node("file", text, mode, mtime_ns)


def folder(mode: int = 0o755, mtime_ns: int = T0) -> Node:
    return Node("folder", "", mode, mtime_ns)


def link(target: str, mtime_ns: int = T0) -> Node:
    return Node("link", target, 0o777, mtime_ns)


def build(place: Path, tree: Tree) -> None:
    """Make a tree; folders that are not named are made too."""
    os.makedirs(place, exist_ok=True)
    for path, node in sorted(tree.items()):
        full = os.path.join(place, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if node.kind == "folder":
            os.makedirs(full, exist_ok=True)
        elif node.kind == "link":
            os.symlink(node.text, full)
        else:
            Path(full).write_bytes(node.text.encode("utf-8", "surrogateescape"))
    for path, node in sorted(tree.items(), reverse=True):
        full = os.path.join(place, path)
        if node.kind != "link":
            os.chmod(full, node.mode)
        os.utime(full, ns=(T0, node.mtime_ns), follow_symlinks=False)
    os.utime(place, ns=(T0, T0 + 7))


def see(place: Path, *, inodes: bool = True) -> Seen:
    """Everything about a tree that has to come back."""
    found: Seen = {}

    def walk(path: str, name: str) -> None:
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            found[name] = ("link", os.readlink(path), status.st_mtime_ns)
        elif stat.S_ISDIR(status.st_mode):
            found[name] = ("folder", mode, status.st_mtime_ns)
            for entry in os.listdir(path):
                walk(os.path.join(path, entry), f"{name}/{entry}")
        else:
            inode = status.st_ino if inodes else 0
            found[name] = ("file", mode, status.st_mtime_ns, Path(path).read_bytes(), inode)

    if os.path.lexists(place):
        walk(str(place), "")
    return found


def paths(place: Path) -> list[str]:
    """All paths below a folder, relative to it."""
    return sorted(name[1:] for name in see(place) if name)


def difference(old: Path, new: Path) -> list[FileChange]:
    """What turns one tree into the other; the new files stay where they are."""
    changes = []
    for name in sorted({*paths(old), *paths(new)}):
        one = os.path.join(old, name)
        other = os.path.join(new, name)
        before, after = _state(one), _state(other)
        same = before.kind == after.kind and before.mode == after.mode
        same_time = after.kind == "folder" or before.mtime_ns == after.mtime_ns
        if same and same_time and _same_content(one, other, before, after):
            continue
        changes.append(FileChange(one, before, after, _staged(one, other, before, after)))
    return changes


def _state(path: str) -> FileState:
    return state_of(path, hashed=False) if _reachable(path) else ABSENT


def _reachable(path: str) -> bool:
    """Whether a path leads through no link: one that does is not of this tree."""
    try:
        above = os.path.dirname(path)
        return os.path.realpath(above) == above and os.path.lexists(path)
    except OSError:
        return False


def _staged(one: str, other: str, before: FileState, after: FileState) -> str | None:
    if after.kind in ("absent", "folder"):
        return None
    return None if _same_content(one, other, before, after) else other


def _same_content(one: str, other: str, before: FileState, after: FileState) -> bool:
    if before.kind != after.kind or before.target != after.target:
        return False
    return after.kind != "file" or Path(one).read_bytes() == Path(other).read_bytes()


class World:
    """An environment, and a rehearsed copy that is its stage."""

    def __init__(self, place: Path, *, stage: Path | None = None) -> None:
        self.place = place
        self.root = place / "env"
        self.home = place / "home"
        self.stage = (stage or place) / "stage"
        self.store = Store(str(place / "state"))

    def build(self, old: Tree, home: Tree | None = None) -> None:
        build(self.root, old)
        if home is not None:
            build(self.home, home)

    def plan(
        self,
        new: Tree,
        config: Tree | None = None,
        files: Iterable[str] = (),
        extra: Callable[[list[FileChange]], list[FileChange]] = list,
    ) -> Journal:
        """The journal that makes of the environment (and the home folder) what is described."""
        remove(self.stage)
        build(self.stage / "env", new)
        changes = difference(self.root, self.stage / "env")
        if config is not None:
            build(self.stage / "home", config)
            changes += difference(self.home, self.stage / "home")
        return planned(
            environment=str(self.root),
            roots=[str(self.root)],
            files=[str(self.home / name) for name in files],
            changes=extra(changes),
            tool_version="1",
            summary=["test"],
            stage=str(self.stage),
        )

    def see(self) -> tuple[Seen, Seen]:
        return see(self.root), see(self.home)

    def check_applied(self, journal: Journal) -> None:
        """Each changed path is as the journal says, and nothing else came or went."""
        for change in journal.changes:
            now = state_of(change.path, hashed=True) if _reachable(change.path) else ABSENT
            wanted = change.after
            if wanted.mtime_ns is None:
                now = now._replace(mtime_ns=None)
            assert now == wanted, change.path


def remove(place: Path) -> None:
    """Remove a tree whatever its modes are."""
    if not place.exists():
        return
    for top, _, _ in os.walk(place):
        os.chmod(top, 0o700)
    shutil.rmtree(place)
