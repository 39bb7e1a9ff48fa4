"""Which builds of a backend are taken: for the processor alone, or for an NVIDIA GPU."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from keras_doctor.create.wanted import CreateError
from keras_doctor.knowledge.native import oldest_driver

if TYPE_CHECKING:
    from collections.abc import Mapping

CPU, AUTO = "cpu", "auto"
CHOICES = (CPU, "cuda12", "cuda13", AUTO)
DRIVER = "/proc/driver/nvidia/version"
"""Where the NVIDIA kernel module says its version (its README, chapter 'Using the /proc')."""
_VERSION = re.compile(r"Kernel Module[^\n]*?\s(\d+)\.\d+")
_CUDA = re.compile(r"cuda(\d+)\Z")
_EXTRAS: Mapping[str, str] = {"tensorflow": "and-cuda", "jax": "{}"}
"""The extras that bring the CUDA libraries along; torch's wheels name them as requirements."""


def driver_of(text: str) -> int | None:
    """The first number of the NVIDIA driver, from what its kernel module says.

    Args:
        text: The text of :data:`DRIVER`; "" when there is none.
    """
    match = _VERSION.search(text)
    return int(match[1]) if match else None


def read_driver() -> int | None:
    """The driver of this machine; None when there is no NVIDIA GPU in use."""
    try:
        with open(DRIVER, encoding="utf-8", errors="replace") as file:
            return driver_of(file.read()) if os.path.exists("/dev/nvidia0") else None
    except OSError:
        return None


def accelerator_of(asked: str, driver: int | None) -> tuple[str, str | None]:
    """What is taken, and what is said of it.

    Args:
        asked: One of :data:`CHOICES`.
        driver: Of this machine.

    Returns:
        ``cpu``, ``cuda12`` or ``cuda13``; and a remark, or None.

    Raises:
        CreateError: A CUDA is asked for that the driver is too old for.
    """
    newest = max(
        (cuda for cuda in (12, 13) if driver is not None and driver >= (oldest_driver(cuda) or 0)),
        default=None,
    )
    if asked == AUTO:
        return (f"cuda{newest}", None) if newest else (CPU, None)
    match = _CUDA.match(asked)
    if match is None:
        if newest is not None:
            return CPU, f"a GPU is here and is not used; --gpu cuda{newest} takes it"
        return CPU, None
    if driver is None:
        return asked, "no NVIDIA GPU was found here: it will compute on the processor"
    needed = oldest_driver(int(match[1]))
    if needed is not None and driver < needed:
        raise CreateError(
            f"CUDA {match[1]} needs an NVIDIA driver from {needed} on; here it is {driver}.",
            hint=f"--gpu cuda{newest} goes with it." if newest else "Install a newer driver.",
        )
    return asked, None


def with_extra(requirement: str, backend: str, accelerator: str) -> str:
    """A requirement of a backend with what its GPU build needs.

    Args:
        requirement: Like ``jax==0.5.3``.
        backend: Its name.
        accelerator: ``cpu``, ``cuda12`` or ``cuda13``.
    """
    extra = _EXTRAS.get(backend)
    name, separator, version = requirement.partition("==")
    if accelerator == CPU or extra is None or name != backend:
        return requirement
    return f"{name}[{extra.format(accelerator)}]{separator}{version}"
