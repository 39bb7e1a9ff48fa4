"""A private HOME: the patient sees its own, and writes into a copy.

`import keras` writes keras.json, Theano makes its compile folder, matplotlib and others fill
caches. A run gets a temporary folder as HOME whose entries are links to the real entries,
except those that an import writes: these are copies or fresh, with the same rights, so that
what fails on the real HOME fails here too. On Windows only the Keras folder is there.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile

from keras_doctor.live import homefiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from keras_doctor.model import Change

SHARED_KERAS = "/tmp/.keras"  # noqa: S108 - Keras' own literal, used when HOME is not writable
MAX_ENTRIES = 20000

# Written by imports, of no use to them: fresh in a private HOME.
_FRESH = (".triton", ".nv", ".matplotlib", ".numba_cache", ".plaidml")
_CACHES_WRITTEN = ("matplotlib", "fontconfig", "pip", "torch_extensions", "jax")
_COMPILEDIR = re.compile(r"(?:^|,)\s*(base_compiledir|compiledir)\s*=\s*([^,]*)")
_COMPILEDIR_LINE = re.compile(r"^\s*(base_compiledir|compiledir)\s*[=:]\s*(.*?)\s*$", re.MULTILINE)


def real_home(environ: Mapping[str, str]) -> str:
    """Returns what ``os.path.expanduser('~')`` is for a process with these variables."""
    if os.name == "nt":
        return environ.get("USERPROFILE") or os.path.expanduser("~")
    if environ.get("HOME"):
        return environ["HOME"]
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


class PrivateHome:
    """A context: makes the private HOME, gives the variables for it, removes it.

    Attributes:
        root: the temporary folder; `root`/home is the HOME.
        environ: the variables of the user with those changed that lead there.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: str,
        *,
        changes: Sequence[Change] = (),
        keras_homes: Sequence[str] = (),
        own_program: bool = False,
        keep: bool = True,
    ) -> None:
        """Prepares; nothing is written before the context is entered.

        Args:
            environ: the user's variables.
            folder: the working folder.
            changes: of these, `config-text` is done here, in the private copy.
            keras_homes: values of KERAS_HOME that a line of the script sets.
            own_program: the run is the user's program, not only imports: its caches and
                temporary files stay the user's.
            keep: of such a run: what it leaves in HOME is kept.
        """
        self.real = os.path.abspath(os.path.join(folder, real_home(environ)))
        self.folder = folder
        self.user_environ = environ
        self.changes = [each for each in changes if each.kind == "config-text"]
        self.keras_homes = keras_homes
        self.own_program = own_program
        self.keep = keep
        self.environ = dict(environ)
        self.root = ""
        self._renamed: list[tuple[str, str]] = []
        self._shared: tuple[bool, bool] = (True, True)
        self._made: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Makes the folder."""
        # As the patient will see it: on macOS the temporary folder is behind a link. The name is
        # known before the folder is made, so that no end in between leaves it behind.
        temporary = os.path.realpath(tempfile.gettempdir())
        self.root = os.path.join(temporary, f"keras-doctor-{os.urandom(8).hex()}")
        try:
            os.mkdir(self.root, 0o700)
            self._build()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Removes everything that the run left."""
        try:
            if self.own_program and self.keep:
                self._hand_over()
        finally:
            self._remove()

    # ------------------------------------------------------------------ making it

    def _build(self) -> None:
        self._shared = _shared_state()
        self.home = os.path.join(self.root, "home")
        self._renamed.append((self.home, self.real))
        if os.path.isdir(self.real):
            os.mkdir(self.home)
            self._link_entries()
        else:
            # A HOME that does not exist: neither does the private one, and it cannot be made
            # where the real one could not.
            parent = os.path.join(self.root, "absent")
            os.mkdir(parent)
            self._renamed[0] = (os.path.join(parent, "home"), self.real)
            self.home = self._renamed[0][0]
            if os.path.lexists(self.real) or not _creatable(self.real):
                os.chmod(parent, 0o500)
        self.environ["USERPROFILE" if os.name == "nt" else "HOME"] = self.home
        self._redirect_variables()
        for value in self.keras_homes:
            self.redirect("KERAS_HOME", value)
        for change in self.changes:
            self._write_config(change)
        self._made = _listing(self.home)
        homefiles.copy_rights(self.real, self.home)

    def _link_entries(self) -> None:
        home, real = self.home, self.real
        try:
            names = os.listdir(real)[:MAX_ENTRIES]
        except OSError:
            names = []
        special = {".keras", ".theano", ".cache", ".config", *_FRESH}
        for name in names:
            if name not in special:
                homefiles.link(os.path.join(real, name), os.path.join(home, name))
        homefiles.copy_keras_folder(os.path.join(real, ".keras"), os.path.join(home, ".keras"))
        homefiles.copy_theano_folder(os.path.join(real, ".theano"), os.path.join(home, ".theano"))
        homefiles.link_some(real, home, ".config", without=("matplotlib",))
        if self.own_program:
            homefiles.link_some(real, home, ".cache", without=_CACHES_WRITTEN)
        elif os.path.isdir(os.path.join(real, ".cache")):
            os.mkdir(os.path.join(home, ".cache"))
            homefiles.copy_rights(os.path.join(real, ".cache"), os.path.join(home, ".cache"))

    def _redirect_variables(self) -> None:
        environ = self.environ
        environ["PYTHONDONTWRITEBYTECODE"] = "1"
        if os.name != "nt" and "PYTHONUSERBASE" not in environ:
            environ["PYTHONUSERBASE"] = os.path.join(self.real, ".local")
        for name in ("KERAS_HOME", "THEANO_FLAGS"):
            if name in environ:
                environ[name] = self.redirect(name, environ[name])
        self._redirect_theanorc()
        matplotlib = self._private("matplotlib")
        theirs = environ.get("MPLCONFIGDIR") or os.path.join(self.real, ".config", "matplotlib")
        homefiles.copy_small_files(theirs, matplotlib)
        self._renamed.append((matplotlib, theirs))
        environ["MPLCONFIGDIR"] = matplotlib
        environ["NUMBA_CACHE_DIR"] = self._private("numba")
        if self.own_program:
            return
        if environ.get("XDG_CACHE_HOME"):
            self._renamed.append((self._private("cache"), environ["XDG_CACHE_HOME"]))
            environ["XDG_CACHE_HOME"] = self._private("cache")
        usual = environ.get("TMPDIR") or tempfile.gettempdir()
        if os.name != "nt" and os.path.isdir(usual) and os.access(usual, os.W_OK):
            self._renamed.append((self._private("tmp"), usual))
            environ["TMPDIR"] = self._private("tmp")

    def _private(self, name: str) -> str:
        path = os.path.join(self.root, name)
        os.makedirs(path, exist_ok=True)
        return path

    def redirect(self, variable: str, value: str) -> str:
        """Returns the value that gives a variable its meaning without its effect on the disk.

        Args:
            variable: KERAS_HOME and THEANO_FLAGS are redirected, others stay.
            value: as the user, or a line of their script, sets it.
        """
        if variable == "KERAS_HOME":
            real = os.path.join(self.folder, self._expand(value))
            return self._keras_home(os.path.normpath(real))
        if variable == "THEANO_FLAGS":
            found = _COMPILEDIR.findall(value)
            return self._redirect_compiledir(value, found[-1] if found else None)
        return value

    def _keras_home(self, real: str) -> str:
        """The private copy of a folder that KERAS_HOME names, made when first asked for."""
        for private, known in self._renamed:
            if known == real and os.path.basename(private).startswith("keras-home"):
                return private
        parent = self._private(f"keras-{len(self._renamed)}")
        private = os.path.join(parent, "keras-home")
        self._renamed.append((private, real))
        homefiles.copy_keras_folder(real, private)
        if not os.path.isdir(real) and not _creatable(real):
            os.chmod(parent, 0o500)
        return private

    def _redirect_theanorc(self) -> None:
        """A compile folder named in a .theanorc: THEANO_FLAGS has the last word."""
        listed = self.environ.get("THEANORC") or os.path.join("~", ".theanorc")
        flags = self.environ.get("THEANO_FLAGS", "")
        if _COMPILEDIR.search(flags):
            return
        for name in listed.split(os.pathsep):
            text = homefiles.read_text(os.path.join(self.folder, self._expand(name)))
            found = _COMPILEDIR_LINE.findall(text or "")
            if found:
                redirected = self._redirect_compiledir(flags, found[-1])
                if redirected:
                    self.environ["THEANO_FLAGS"] = redirected

    def _redirect_compiledir(self, flags: str, found: tuple[str, str] | None) -> str:
        if found is None:
            return flags
        key, value = found
        real = os.path.join(self.folder, self._expand(value.strip()))
        if os.path.isdir(real):
            writable = os.access(real, os.W_OK)
        else:
            writable = not os.path.lexists(real) and _creatable(real)
        if not value.strip() or not writable:
            return flags  # fails as it does for the user, and writes nothing
        private = self._private("theano-compile")
        self._renamed.append((private, real))
        return f"{flags},{key}={private}" if flags else f"{key}={private}"

    def _expand(self, path: str) -> str:
        if path == "~" or path.startswith("~" + os.sep):
            return self.real + path[1:]
        return path

    # ------------------------------------------------------------- counterfactuals

    def _write_config(self, change: Change) -> None:
        """Puts a configuration file's other text where the patient will read it."""
        real = os.path.normpath(os.path.join(self.folder, self._expand(change.name)))
        for private, known in sorted(self._renamed, key=lambda pair: -len(pair[1])):
            inside = os.path.relpath(real, known)
            if not inside.startswith(os.pardir) and not os.path.isabs(inside):
                homefiles.replace_file(private, inside, change.value)
                return
        if os.path.dirname(real) == SHARED_KERAS:
            # Everybody's folder cannot be copied; KERAS_HOME is the same question.
            private = os.path.join(self._private("shared-keras"), "keras-home")
            os.mkdir(private)
            homefiles.replace_file(private, os.path.basename(real), change.value)
            self._renamed.append((private, SHARED_KERAS))
            self.environ["KERAS_HOME"] = private
            return
        if real in self.environ.get("THEANORC", "").split(os.pathsep):
            private = os.path.join(self._private("config"), os.path.basename(real))
            homefiles.replace_file(os.path.dirname(private), os.path.basename(real), change.value)
            self._renamed.append((private, real))
            self.environ["THEANORC"] = self.environ["THEANORC"].replace(real, private)
            return
        raise ValueError(f"no private copy of {change.name} can be made for a trial")

    # ---------------------------------------------------------------------- after

    def translate(self, text: str) -> str:
        """Returns a text with the private paths as the user knows them."""
        if self.root not in text:
            return text
        for private, real in sorted(self._renamed, key=lambda pair: -len(pair[0])):
            text = text.replace(private, real)
        return text

    def _hand_over(self) -> None:
        """Moves what the user's own program left in HOME, by a visible name, to the real one."""
        for name, inode in _listing(self.home).items():
            if self._made.get(name) != inode and not name.startswith("."):
                target = os.path.join(self.real, name)
                source = os.path.join(self.home, name)
                if not os.path.isdir(target) and not os.path.islink(source):
                    shutil.move(source, target)

    def _remove(self) -> None:
        homefiles.remove_tree(self.root)
        before_folder, before_file = self._shared
        try:
            if not before_file:
                os.unlink(os.path.join(SHARED_KERAS, "keras.json"))
            if not before_folder:
                os.rmdir(SHARED_KERAS)
        except OSError:
            pass  # it was not made, or is somebody else's by now


def _shared_state() -> tuple[bool, bool]:
    config = os.path.join(SHARED_KERAS, "keras.json")
    return os.path.lexists(SHARED_KERAS), os.path.lexists(config)


def _creatable(path: str) -> bool:
    """Whether this process could make a folder there."""
    parent = os.path.dirname(path)
    while parent != os.path.dirname(parent) and not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    return os.path.isdir(parent) and os.access(parent, os.W_OK | os.X_OK)


def _listing(folder: str) -> dict[str, int]:
    """Names and inodes in a folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.inode() for entry in entries}
    except OSError:
        return {}
