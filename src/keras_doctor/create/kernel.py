"""Register an environment as a Jupyter kernel of the user.

Source: jupyter_client's documentation, "Kernel specs": a folder with a kernel.json, whose ``env``
is added to the kernel's variables.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from keras_doctor.create.wanted import CreateError
from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.targets.kernels import user_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIREMENT = "ipykernel"
_NAME = re.compile(r"[A-Za-z0-9._-]+\Z")


def check_kernel(name: str, environ: Mapping[str, str]) -> str:
    """The file that a kernel of this name would be described in.

    Raises:
        CreateError: The name cannot be one, or is taken.
    """
    if not _NAME.match(name):
        raise CreateError(
            f"{name!r} cannot be the name of a kernel.", hint="Use letters, digits, . _ and -."
        )
    path = os.path.join(user_folder(environ), name, "kernel.json")
    if os.path.lexists(os.path.dirname(path)):
        raise CreateError(f"There is a kernel {name} already.", hint="Choose another name.")
    return path


def write_kernel(path: str, folder: str, backend: str, title: str) -> None:
    """Describe the kernel.

    Args:
        path: From :func:`check_kernel`.
        folder: The environment.
        backend: What its KERAS_BACKEND is.
        title: What people read in Jupyter's menu.

    Raises:
        OSError: It cannot be written.
    """
    text = {
        "argv": [
            os.path.join(folder, "bin", "python"),
            *("-m", "ipykernel_launcher", "-f", "{connection_file}"),
        ],
        "display_name": title,
        "language": "python",
        "env": {VARIABLE: backend},
        "metadata": {"debugger": True},
    }
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as file:
        json.dump(text, file, indent=1)
        file.write("\n")
