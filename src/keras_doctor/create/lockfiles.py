"""What was installed, written so that it can be installed again: PEP 751, and hashes for pip."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from keras_doctor.create.wanted import CreateError
from keras_doctor.fixes.installer import HIDDEN, find_installer, last_words
from keras_doctor.fixes.pipsettings import uv_options, uv_variables
from keras_doctor.live.process import Child
from keras_doctor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keras_doctor.model import Distribution

PYLOCK = "pylock.toml"
REQUIREMENTS = "requirements.txt"
_SECONDS = 600.0
_TABLE = "\n[tool.keras-doctor]\n"


def pins_of(distributions: Iterable[Distribution]) -> tuple[str, ...]:
    """What is installed, as exact requirements; what came from a folder or an address is left out.

    Args:
        distributions: Of one environment.
    """
    found = {
        normalize(one.name): f"{normalize(one.name)}=={one.version}"
        for one in distributions
        if one.origin_url is None and not one.editable
    }
    return tuple(found[name] for name in sorted(found))


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
