"""Enter a world of one's own, in which folders can be changed without changing them.

A process that calls :func:`enter` gets a private mount namespace (and, where it is not root, a
private user namespace), in which an overlay lies over each given folder: everybody else sees the
folder as it was, this process and its children see their own changes, which the kernel keeps
in another folder. Linux only. Sources: ``unshare(2)``, ``user_namespaces(7)``, and the kernel's
Documentation/filesystems/overlayfs.rst for ``userxattr`` (Linux 5.11).

Only the standard library, and no threads may run: the kernel gives a user namespace to
single-threaded processes alone.
"""

from __future__ import annotations

import ctypes
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 1 << 18
_PR_CAPBSET_DROP = 24
_PR_SET_PDEATHSIG = 1
_CAP_SYS_ADMIN = 21


def enter(mounts: Iterable[tuple[str, str, str]]) -> None:
    """Leave the common world: lay an overlay over each folder.

    Args:
        mounts: For each, the folder, where changes are kept (``upper``), and a folder that the
            kernel needs beside it (``work``); both on one file system, outside of the folder.
            With "" for both, the folder stays the common one inside another of the list.

    Raises:
        OSError: The kernel, or its configuration, does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    capabilities = effective_capabilities()
    is_root = bool(capabilities >> _CAP_SYS_ADMIN & 1)
    uid, gid = os.geteuid(), os.getegid()
    _check(libc.unshare(_CLONE_NEWNS | (0 if is_root else _CLONE_NEWUSER)), "unshare")
    if not is_root:
        _map_ids(uid, gid)
    _check(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount --make-rprivate /")
    # Opened before anything lies over them: one folder may be inside another.
    opened = [(layers[0], [_opened(layer) for layer in layers if layer]) for layers in mounts]
    for folder, layers in sorted(opened):
        if len(layers) == 1:
            _bind(libc, folder, layers[0])
        else:
            _overlay(libc, folder, layers, private=not is_root)
        for descriptor in layers:
            os.close(descriptor)
    # A mapped root would not obey the permission bits, which the user whom it stands for does.
    for number in range(64):
        if not capabilities >> number & 1:
            libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)


def end_with_parent() -> None:
    """Have the kernel terminate this process when the one that started it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def effective_capabilities() -> int:
    """The capabilities of this process, as a bit set; see ``capabilities(7)``."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def _map_ids(uid: int, gid: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _opened(folder: str) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _bind(libc: ctypes.CDLL, folder: str, there: int) -> None:
    source = f"/proc/self/fd/{there}".encode()
    result = libc.mount(source, os.fsencode(folder), None, _MS_BIND | _MS_REC, None)
    _check(result, f"mount --rbind {folder}")


def _overlay(libc: ctypes.CDLL, folder: str, layers: list[int], *, private: bool) -> None:
    names = ("lowerdir", "upperdir", "workdir")
    options = ",".join(
        f"{name}=/proc/self/fd/{number}" for name, number in zip(names, layers, strict=True)
    )
    # A renamed or chmodded file must be whole in the upper folder, whatever the kernel's default.
    options += ",userxattr" if private else ",redirect_dir=off,metacopy=off"
    result = libc.mount(b"overlay", os.fsencode(folder), b"overlay", 0, options.encode())
    _check(result, f"mount -t overlay over {folder}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
