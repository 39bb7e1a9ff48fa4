"""Take the build of a backend that is for the processor alone, where there is one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.knowledge.releases import releases_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keras_doctor.knowledge.stacks import Stack

_SUFFIX = "-cpu"


def smaller(pins: Mapping[str, str], stack: Stack, *, accelerator: str) -> dict[str, str]:
    """The pins with the small build instead of the large one.

    Not where another distribution among them asks for the large one by its name: no installer
    knows that they are the same.

    Args:
        pins: Releases by normalised name.
        stack: Where they are from.
        accelerator: ``cpu``, or what the large build is wanted for.
    """
    large = stack.backend
    small = large + _SUFFIX
    result = dict(pins)
    if accelerator != "cpu" or large not in pins:
        return result
    if any(large in stack.pins[name].needs for name in pins if name in stack.pins):
        return result
    word = "cp" + stack.python.replace(".", "")
    for one in releases_of(small):
        if one.version == pins[large] and any(word in tag for tag in one.tags):
            result[small] = result.pop(large)
    return result
