"""Which Keras and backends an interpreter has, from the names of metadata folders alone."""

from __future__ import annotations

import os
import re

from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.targets import files
from keras_doctor.targets.environments import Environment, read_pyvenv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WANTED = re.compile(
    r"(?:keras|tf-keras|keras-nightly|tf-keras-nightly|keras-core|tensorflow(?:-(?:cpu|gpu|intel|macos|rocm"
    r"|cpu-aws|aarch64))?|tf-nightly(?:-(?:cpu|gpu))?|jax|jaxlib|torch|theano|theano-pymc|aesara|cntk"
    r"|cntk-gpu|openvino|plaidml-keras|numpy)\Z"
)
"""Normalised names of what counts; numpy is shown, but does not make an environment count."""
_METADATA = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(?:-py[23][\d.]*)?\.(?:dist|egg)-info\Z")


class PackageFound(NamedTuple):
    """An installed distribution, as the name of its metadata folder says."""

    name: str
    version: str
    location: str
    """The site-packages folder."""


def in_folder(folder: str) -> Iterator[PackageFound]:
    """The wanted distributions in one site-packages folder, by name."""
    for entry in files.listing(folder):
        match = _METADATA.match(entry)
        if match and WANTED.match(normalize(match["name"])):
            yield PackageFound(
                name=normalize(match["name"]), version=match["version"], location=folder
            )


def site_folders(environment: Environment, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The site-packages folders that an interpreter reads, user site first, as far as files tell.

    Source: the ``site`` module and Debian's ``dist-packages``.
    """
    found = []
    settings = read_pyvenv(environment.folder) if environment.folder else None
    outside = settings is None or settings.get("include-system-site-packages") == "true"
    if outside and "PYTHONNOUSERSITE" not in environ:
        found += _user_site(environment, environ)
    found += _prefix_sites(environment.prefix, environment.version)
    if settings is not None and outside and settings.get("home"):
        base = os.path.dirname(os.path.realpath(settings["home"]))
        found += _prefix_sites(base, environment.version)
    # lib64 is often a link to lib.
    once = {os.path.realpath(path): path for path in reversed(found) if os.path.isdir(path)}
    return tuple(reversed(once.values()))


def _minor(version: str | None) -> str | None:
    match = re.match(r"[23]\.\d+", version or "")
    return match[0] if match else None


def _prefix_sites(prefix: str, version: str | None) -> list[str]:
    if files.WINDOWS:
        return [os.path.join(prefix, "Lib", "site-packages")]
    minor = _minor(version)
    libs = ("lib", "lib64")
    names = [f"python{minor}", f"python{minor}t", f"pypy{minor}"] if minor else []
    if not names:
        names = [one for one in files.listing(os.path.join(prefix, "lib")) if "py" in one]
    found = [os.path.join(prefix, lib, name, "site-packages") for lib in libs for name in names]
    if prefix == "/usr":
        found = [
            *(f"/usr/local/lib/{name}/{kind}" for name in names
              for kind in ("site-packages", "dist-packages")),
            *found,
            "/usr/lib/python3/dist-packages",
        ]  # fmt: skip
    return found


def _user_site(environment: Environment, environ: Mapping[str, str]) -> list[str]:
    minor = _minor(environment.version)
    if minor is None:
        return []
    home = files.home(environ)
    base = environ.get("PYTHONUSERBASE")
    if files.WINDOWS:
        base = base or os.path.join(environ.get("APPDATA") or home, "Python")
        return [os.path.join(base, f"Python{minor.replace('.', '')}", "site-packages")]
    places = [os.path.join(base or os.path.join(home, ".local"), "lib", f"python{minor}")]
    if not base:
        places.append(os.path.join(home, "Library", "Python", minor, "lib", "python"))
    return [os.path.join(place, "site-packages") for place in places]
