"""The folder in which journals are kept from one run to the next."""

from __future__ import annotations

import os
import stat
import sys
import tempfile

from keras_doctor.fixes.transaction.errors import TransactionError, reason, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "keras-doctor"


def state_folder(
    environ: Mapping[str, str], platform: str = sys.platform
) -> tuple[str, str | None]:
    """The folder for journals, made if it is not there.

    Args:
        environ: The user's environment variables.
        platform: As :data:`sys.platform`.

    Returns:
        The folder, and a sentence for the user when it is not the usual one.

    Raises:
        TransactionError: Neither the usual folder nor one for temporary files can be used.
    """
    usual = usual_folder(environ, platform)
    try:
        return _try(usual), None
    except OSError as error:
        folder = _temporary()
        place = "the usual one" if usual is None else shown(usual)
        return folder, (
            f"What is needed to undo this is kept in {shown(folder)}, because {place} cannot be "
            f"written: {reason(error)}."
        )


def usual_folder(environ: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Where the journals belong; None when no home folder is known. Nothing is made.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/ (a relative
    XDG_STATE_HOME is to be ignored), and what Apple and Microsoft name for such data.
    """
    if platform == "win32":
        base = environ.get("LOCALAPPDATA", "")
    else:
        home = environ.get("HOME") or os.path.expanduser("~")
        below = ("Library", "Application Support") if platform == "darwin" else (".local", "state")
        base = os.path.join(home, *below)
        given = environ.get("XDG_STATE_HOME", "")
        if platform != "darwin" and os.path.isabs(given):
            base = given
    return os.path.join(base, _NAME) if os.path.isabs(base) else None


def _try(folder: str | None) -> str:
    """A folder, made if need be, after a look whether files can be made in it."""
    if folder is None:
        raise OSError("no home folder is known")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".try-", dir=folder)
    try:
        # An empty file fits on a full disk.
        os.write(handle, b"x" * 4096)
    finally:
        os.close(handle)
        os.unlink(name)
    return folder


def _temporary() -> str:
    """A private folder among the temporary files, found again by its name."""
    getuid = getattr(os, "geteuid", None)
    owner = getuid() if getuid is not None else 0
    folder = os.path.join(tempfile.gettempdir(), f"{_NAME}-state-{owner}")
    try:
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            # Anybody could have made it: then it is not ours, and not used.
            status = os.lstat(folder)
            private = getuid is None or (
                status.st_uid == owner and stat.S_IMODE(status.st_mode) == 0o700
            )
            if not stat.S_ISDIR(status.st_mode) or not private:
                raise TransactionError(
                    f"{shown(folder)} does not belong to you alone: remove it, or set "
                    "XDG_STATE_HOME to a folder that can be written."
                ) from None
        _try(folder)
    except OSError as error:
        raise TransactionError(
            f"There is no folder to note down what is changed: {shown(folder)} cannot be "
            f"written: {reason(error)}."
        ) from error
    return folder
