"""The parts of `create`: accelerators, wheels of torch, kernels, locks, siblings, the note."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from keras_doctor.create.accelerator import accelerator_of, driver_of, with_extra
from keras_doctor.create.kernel import check_kernel, write_kernel
from keras_doctor.create.locked import read_lock
from keras_doctor.create.torchbuild import small_torch
from keras_doctor.create.wanted import CreateError, Wanted
from keras_doctor.targets import kernels

# As the open and the closed kernel module write it (NVIDIA's README, and bug reports).
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023"
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs)\n"
    "GCC version:  gcc version 12.3.0"
)
PYTHONS = {"3.8": "/p/3.8", "3.11": "/p/3.11"}


@pytest.mark.parametrize(("text", "driver"), [(CLOSED, 535), (OPEN, 580), ("", None), ("?", None)])
def test_the_driver_is_read(text: str, driver: int | None) -> None:
    assert driver_of(text) == driver


@pytest.mark.parametrize(
    ("asked", "driver", "taken", "remark"),
    [
        ("auto", None, "cpu", None),
        ("auto", 535, "cuda12", None),
        ("auto", 590, "cuda13", None),
        ("auto", 400, "cpu", None),
        ("cpu", 590, "cpu", "--gpu cuda13"),
        ("cpu", None, "cpu", None),
        ("cuda12", None, "cuda12", "no NVIDIA GPU was found"),
        ("cuda12", 590, "cuda12", None),
    ],
)
def test_the_build_follows_the_wish_and_the_driver(
    asked: str, driver: int | None, taken: str, remark: str | None
) -> None:
    found, said = accelerator_of(asked, driver)
    assert found == taken
    assert (remark is None) == (said is None)
    assert remark is None or remark in (said or "")


def test_a_driver_that_is_too_old_is_refused() -> None:
    with pytest.raises(CreateError) as raised:
        accelerator_of("cuda13", 535)
    assert "580" in str(raised.value)
    assert "--gpu cuda12" in (raised.value.hint or "")


def test_extras_are_for_the_backend_alone() -> None:
    assert with_extra("keras==3.0.0", "jax", "cuda12") == "keras==3.0.0"
    assert with_extra("jax==0.5.3", "jax", "cpu") == "jax==0.5.3"
    assert with_extra("jax==0.5.3", "jax", "cuda13") == "jax[cuda13]==0.5.3"
    assert with_extra("torch==2.5.1", "torch", "cuda12") == "torch==2.5.1"


def test_small_builds_of_torch_are_found_in_folders(tmp_path: Path) -> None:
    machine = os.uname().machine
    for name in (
        f"torch-2.9.0+cpu-cp311-cp311-manylinux_2_28_{machine}.whl",
        f"torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_{machine}.whl",
        f"torch-2.13.0+cpu-cp39-cp39-manylinux_2_28_{machine}.whl",
        f"torch-2.14.0-cp311-cp311-manylinux_2_28_{machine}.whl",
        "torch-2.14.0+cpu-cp311-cp311-win_amd64.whl",
        f"torchvision-0.20.0+cpu-cp311-cp311-linux_{machine}.whl",
    ):
        (tmp_path / name).touch()
    environ = {"PIP_FIND_LINKS": str(tmp_path), "HOME": str(tmp_path / "home")}
    assert small_torch(environ, {"3.11", "3.8"}) == (("2.13.0+cpu", "3.11"), ("2.9.0+cpu", "3.11"))
    environ = {"UV_FIND_LINKS": f"{tmp_path / 'absent'},{tmp_path}", "HOME": str(tmp_path / "h")}
    assert len(small_torch(environ, {"3.11"})) == 2


def test_a_kernel_is_found_by_jupyter_and_names_its_backend(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    path = check_kernel("old-keras", environ)
    write_kernel(path, "/envs/old", "theano", "Keras 2.3.1 on theano")
    kernel = kernels.find("old-keras", environ, str(tmp_path), ())
    assert kernel is not None
    assert kernel.argv[0] == os.path.join("/envs/old", "bin", "python")
    assert dict(kernel.variables) == {"KERAS_BACKEND": "theano"}
    assert json.loads(Path(path).read_text())["display_name"] == "Keras 2.3.1 on theano"
    with pytest.raises(CreateError, match="already"):
        check_kernel("old-keras", environ)
    with pytest.raises(CreateError, match="cannot be the name"):
        check_kernel("../up", environ)


LOCK = """\
lock-version = "1.0"
requires-python = ">=3.8"
[[packages]]
name = "Keras"
version = "2.3.1"
[[packages]]
name = "theano"
version = "1.0.5"
"""


def test_a_lock_says_its_packages_python_and_backend(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(LOCK + '[tool.keras-doctor]\npython = "3.8"\nbackend = "theano"\n')
    found = read_lock(str(path), Wanted(backend=None), PYTHONS)
    assert (found.python, found.backend, found.keras) == ("3.8", "theano", "keras==2.3.1")
    assert found.pins == ("keras==2.3.1", "theano==1.0.5")


def test_a_lock_of_another_tool_is_judged_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(LOCK)
    found = read_lock(str(path), Wanted(backend=None), PYTHONS)
    assert (found.python, found.backend) == ("3.11", "theano")


def test_pins_with_hashes_are_a_lock_too(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("keras==2.3.1 \\\n    --hash=sha256:00\ntensorflow==1.15.5 --hash=sha256:11\n")
    found = read_lock(str(path), Wanted(backend=None, python="3.8"), PYTHONS)
    assert (found.backend, found.pins) == ("tensorflow", ("keras==2.3.1", "tensorflow==1.15.5"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pylock.toml", "this is no TOML", "no lock of PEP 751"),
        ("pylock.toml", 'packages = "none"', "no lock of PEP 751"),
        ("requirements.txt", "keras==2.3.1\n", "no pins with hashes"),
        ("absent.toml", None, "cannot be read"),
        ("pylock.toml", LOCK + '[tool.keras-doctor]\npython = "3.5"\n', "for Python 3.5"),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(CreateError, match=said):
        read_lock(str(path), Wanted(backend=None), PYTHONS)
