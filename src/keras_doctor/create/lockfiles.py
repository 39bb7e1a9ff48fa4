"""What was installed, written so that it can be installed again: PEP 751, and hashes for pip."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from keras_doctor.create.wanted import CreateError
from keras_doctor.fixes.installer import HIDDEN, find_installer, last_words
from keras_doctor.fixes.judged import works
from keras_doctor.fixes.pipsettings import uv_options, uv_variables
from keras_doctor.fixes.trial import Asked, examine
from keras_doctor.live.process import Child
from keras_doctor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keras_doctor.model import Distribution, Examination

PYLOCK = "pylock.toml"
REQUIREMENTS = "requirements.txt"
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
    return write_locks(folder, pins, snapshot.target.python, environ, about), examined


def write_locks(
    folder: str,
    pins: Iterable[str],
    python: str,
    environ: Mapping[str, str],
    about: Mapping[str, str],
) -> tuple[str, ...]:
    """Write ``pylock.toml`` (PEP 751) and a ``requirements.txt`` with hashes.

    Args:
        folder: Where they are written.
        pins: All that is installed, as exact requirements.
        python: The environment's interpreter.
        environ: The user's variables, by which uv finds its index.
        about: What else belongs to it, like the backend: written to ``[tool.keras-doctor]``.

    Returns:
        The files.

    Raises:
        CreateError: uv is not here, or does not find one of the pins any more.
        OSError: A file cannot be written.
    """
    installer = find_installer(python, environ, has_pip=False)
    if installer is None or installer.name != "uv":
        raise CreateError("A lock file needs uv.", hint="pip install uv")
    variables = {name: value for name, value in environ.items() if name not in HIDDEN}
    variables.update(uv_variables(environ, folder), NO_COLOR="1", UV_NO_PROGRESS="1")
    variables.pop("VIRTUAL_ENV", None)
    written = []
    with tempfile.TemporaryDirectory(prefix="keras-doctor-") as place:
        asked = os.path.join(place, "pins.in")
        with open(asked, "w", encoding="utf-8") as file:
            file.writelines(pin + "\n" for pin in pins)
        for name, options in (
            (PYLOCK, ("--format", "pylock.toml")),
            (REQUIREMENTS, ("--generate-hashes",)),
        ):
            made = os.path.join(place, name)
            argv = [*installer.argv, "pip", "compile", "--quiet", "--no-deps", "--no-header"]
            argv += ["--no-annotate", "--python", python, *options, "--output-file", made]
            child = Child([*argv, *uv_options(environ, folder), asked], variables, place, place)
            ended = child.finish(_SECONDS, lambda _child: None)
            if ended.code != 0:
                raise CreateError(f"The lock could not be written: {last_words(ended.output)}")
            with open(made, encoding="utf-8") as file:
                text = file.read()
            if name == PYLOCK:
                text += _TABLE + "".join(f'{key} = "{value}"\n' for key, value in about.items())
            target = os.path.join(folder, name)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
            written.append(target)
    return tuple(written)
