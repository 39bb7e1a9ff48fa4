"""What was installed, written so that it can be installed again: PEP 751, and hashes for pip."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
import threading
from typing import TYPE_CHECKING

from keras_doctor.create.wanted import CreateError
from keras_doctor.fixes.installer import OFFLINE, find_installer, uv_environ
from keras_doctor.fixes.judged import works
from keras_doctor.fixes.pipsettings import uv_options
from keras_doctor.fixes.said import is_unreachable, last_words
from keras_doctor.fixes.trial import Asked, examine
from keras_doctor.live.process import Child
from keras_doctor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keras_doctor.model import Distribution, Examination

PYLOCK = "pylock.toml"
REQUIREMENTS = "requirements.txt"
_OPTIONS = {PYLOCK: ("--format", "pylock.toml"), REQUIREMENTS: ("--generate-hashes",)}
_SITE = (os.pardir, "lib", "python3*", "site-packages")
_SECONDS = 600.0
_SEEDS = ("pip", "wheel")
"""What an environment has for the installer alone."""
_TABLE = "\n[tool.keras-doctor]\n"


def pins_of(distributions: Iterable[Distribution]) -> tuple[str, ...]:
    """What is installed, as exact requirements; what came from a folder or an address is left out.

    Args:
        distributions: Of one environment.
    """
    found = {
        normalize(one.name): f"{normalize(one.name)}=={one.version}"
        for one in distributions
        if one.origin_url is None and not one.editable and normalize(one.name) not in _SEEDS
    }
    return tuple(found[name] for name in sorted(found))


def lock_environment(
    folder: str,
    python: str | None,
    *,
    replace: bool,
    timeout: float,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
) -> tuple[tuple[str, ...], Examination]:
    """Lock an environment that is seen to train; arguments as for :func:`keras_doctor.api.lock`.

    Raises:
        CreateError: A file is there already, something cannot be locked, or uv is not here.
    """
    there = [name for name in (PYLOCK, REQUIREMENTS) if os.path.exists(os.path.join(folder, name))]
    if there and not replace:
        raise CreateError(
            f"{os.path.join(folder, there[0])} exists.", hint="--replace writes it anew."
        )
    asked = Asked(
        python=python,
        kernel=None,
        project=None,
        command=(),
        wish=None,
        timeout=timeout,
        environ=dict(environ),
        folder=os.getcwd(),
        saves=True,
    )
    examined = examine(asked, run_command=False, keep=True, progress=progress)
    snapshot = examined.snapshot
    if not works(examined) or snapshot.interpreter is None or snapshot.target.python is None:
        return (), examined
    version = ".".join(snapshot.interpreter.version.split(".")[:2])
    about = {"python": version, "backend": examined.outcomes[-1].backend or ""}
    pins = pins_of(snapshot.distributions)
    progress("Writing the locks")
    texts = lock_texts(pins, snapshot.target.python, environ)
    return write_locks(folder, texts, about), examined


class LocksAhead:
    """Locks that are made while the environment is tried.

    Args:
        python: The environment's interpreter.
        environ: The user's variables.
    """

    def __init__(self, python: str, environ: Mapping[str, str]) -> None:
        self._python = python
        self._environ = environ
        self._pins: tuple[str, ...] = ()
        self._texts: dict[str, str] = {}
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    def _make(self) -> None:
        site = next(glob.iglob(os.path.join(os.path.dirname(self._python), *_SITE)), "")
        rows = (os.path.basename(path).split("-")[:2] for path in glob.glob(f"{site}/*.dist-info"))
        found = {normalize(row[0]): row[1].removesuffix(".dist") for row in rows if row[1:]}
        pins = tuple(f"{n}=={v}" for n, v in sorted(found.items()) if n not in _SEEDS)
        # What goes wrong here is done again, and told, when it is asked for.
        with contextlib.suppress(CreateError, OSError):
            self._texts = lock_texts(pins, self._python, self._environ)
            self._pins = pins

    def texts(self, pins: tuple[str, ...]) -> dict[str, str]:
        """The locks of some pins: those that were made, if these are the ones.

        Raises:
            CreateError: As :func:`lock_texts`.
        """
        self._thread.join()
        same = self._pins == pins
        return self._texts if same else lock_texts(pins, self._python, self._environ)


def write_locks(folder: str, texts: Mapping[str, str], about: Mapping[str, str]) -> tuple[str, ...]:
    """Write ``pylock.toml`` (PEP 751) and a ``requirements.txt`` with hashes.

    Args:
        folder: Where they are written.
        texts: From :func:`lock_texts`.
        about: What else belongs to it, like the backend: written to ``[tool.keras-doctor]``.

    Returns:
        The files.

    Raises:
        OSError: A file cannot be written.
    """
    written = []
    for name, text in texts.items():
        table = _TABLE + "".join(f'{key} = "{value}"\n' for key, value in about.items())
        target = os.path.join(folder, name)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text + (table if name == PYLOCK else ""))
        written.append(target)
    return tuple(written)


def lock_texts(pins: Iterable[str], python: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The texts of both locks, by their names.

    Args:
        pins: All that is installed, as exact requirements.
        python: The environment's interpreter.
        environ: The user's variables, by which uv finds its index.

    Raises:
        CreateError: uv is not here, or does not find one of the pins any more.
        OSError: A file cannot be written.
    """
    installer = find_installer(python, environ, has_pip=False)
    if installer is None or installer.name != "uv":
        raise CreateError("A lock file needs uv.", hint="pip install uv")
    prefix = os.path.dirname(os.path.dirname(python))
    variables = uv_environ(environ, prefix)
    texts = {}
    with tempfile.TemporaryDirectory(prefix="keras-doctor-") as place:
        asked = os.path.join(place, "pins.in")
        with open(asked, "w", encoding="utf-8") as file:
            file.writelines(pin + "\n" for pin in pins)
        begun = []
        for name, options in _OPTIONS.items():
            made = os.path.join(place, name)
            argv = [*installer.argv, "pip", "compile", "--quiet", "--no-deps", "--no-header"]
            argv += ["--no-annotate", "--python", python, *options, "--output-file", made]
            argv += [*uv_options(environ, prefix), asked]
            begun.append((name, made, Child(argv, variables, place, place)))
        all_ended = [child.finish(_SECONDS, lambda _child: None) for _, _, child in begun]
        for (name, made, _child), ended in zip(begun, all_ended, strict=True):
            if ended.code != 0 and is_unreachable(ended.output) and OFFLINE not in environ:
                return lock_texts(pins, python, {**environ, OFFLINE: "1"})
            if ended.code != 0:
                raise CreateError(f"The lock could not be written: {last_words(ended.output)}")
            with open(made, encoding="utf-8") as file:
                texts[name] = file.read()
    return texts
