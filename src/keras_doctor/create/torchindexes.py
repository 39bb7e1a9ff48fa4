"""The builds of torch for the processor alone, as far as a named index holds them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from keras_doctor.create.torchbuild import newest_first
from keras_doctor.fixes.pipsettings import pip_settings
from keras_doctor.registry import RegistryError
from keras_doctor.registry.address import index_from
from keras_doctor.registry.client import Client
from keras_doctor.registry.pages import ACCEPT, parse_page

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_UV_INDEXES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_SILENCE = 10.0
"""Seconds without an answer after which an index has none."""
_LARGEST = 1 << 24


def small_torch_on_indexes(
    environ: Mapping[str, str], pythons: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """The builds for the processor that named indexes have, newest first.

    It asks them: one that does not answer, or has no torch, has none of these builds.

    Args:
        environ: The user's variables, and the configuration of pip that they lead to.
        pythons: Versions like ``3.11`` that will do.

    Returns:
        As :func:`keras_doctor.create.torchbuild.small_torch`.
    """
    names: list[str] = []
    for address in _indexes(environ):
        with contextlib.suppress(RegistryError):
            index = index_from(address)
            page = f"{index.url}/torch/"
            answer = Client(index, silence=_SILENCE).get(page, largest=_LARGEST, accept=ACCEPT)
            if not answer.refused:
                files = parse_page(answer.body, answer.content_type, page)
                names += [file.filename for file in files]
    return newest_first(names, pythons)


def _indexes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses of indexes that were named; the usual one of installers is none of them."""
    settings = pip_settings(environ, None)
    said = [environ.get(name, "") for name in _UV_INDEXES]
    said += [settings.get(name, "") for name in ("extra-index-url", "index-url")]
    words = (word.rpartition("=")[2] for word in " ".join(said).split())  # uv: name=address
    return tuple(dict.fromkeys(word for word in words if word.startswith("http")))
