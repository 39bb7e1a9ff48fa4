"""Write the backend where only one environment sees it: into what activates it, and its start.

An activated shell exports KERAS_BACKEND, and gives back what was there before. What starts the
environment's Python without activating it, as a notebook or a service does, is told by a ``.pth``
file, which gives way to whatever the user has set. The user's keras.json is not touched.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.rules.remedies import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

PTH = "keras_doctor_backend.pth"
"""Its name sorts after those of editable installs, which may bring a start of their own."""

_SH_LEAVE = f"""
    # keras-doctor: the backend of this environment
    if [ -n "${{_KERAS_DOCTOR_SET+x}}" ] ; then
        if [ -n "${{_KERAS_DOCTOR_OLD+x}}" ] ; then
            export {VARIABLE}="$_KERAS_DOCTOR_OLD"
        else
            unset {VARIABLE}
        fi
        unset _KERAS_DOCTOR_OLD
        unset _KERAS_DOCTOR_SET
    fi
"""
_SH_ENTER = f"""
# keras-doctor: the backend of this environment
if [ -n "${{{VARIABLE}+x}}" ] ; then
    _KERAS_DOCTOR_OLD="${VARIABLE}"
fi
_KERAS_DOCTOR_SET=1
export {VARIABLE}=@
"""
_FISH_LEAVE = f"""
    # keras-doctor: the backend of this environment
    if set -q _KERAS_DOCTOR_SET
        if set -q _KERAS_DOCTOR_OLD
            set -gx {VARIABLE} $_KERAS_DOCTOR_OLD
        else
            set -e {VARIABLE}
        end
        set -e _KERAS_DOCTOR_OLD
        set -e _KERAS_DOCTOR_SET
    end
"""
_FISH_ENTER = f"""
# keras-doctor: the backend of this environment
if set -q {VARIABLE}
    set -g _KERAS_DOCTOR_OLD ${VARIABLE}
end
set -g _KERAS_DOCTOR_SET 1
set -gx {VARIABLE} @
"""
# It runs once when the environment is entered, too: then there is nothing to leave.
_CSH_LEAVE = (
    f"test $?_KERAS_DOCTOR_SET != 0 && unsetenv {VARIABLE} && unset _KERAS_DOCTOR_SET; "
    "test $?_KERAS_DOCTOR_OLD != 0 && "
    f'setenv {VARIABLE} "$_KERAS_DOCTOR_OLD" && unset _KERAS_DOCTOR_OLD;'
)
_CSH_ENTER = f"""
# keras-doctor: the backend of this environment
if ( $?{VARIABLE} ) then
    set _KERAS_DOCTOR_OLD="${VARIABLE}"
endif
set _KERAS_DOCTOR_SET=1
setenv {VARIABLE} @
"""
_POWERSHELL_LEAVE = f"""
    # keras-doctor: the backend of this environment
    if (Test-Path variable:global:_KERAS_DOCTOR_OLD) {{
        $env:{VARIABLE} = $global:_KERAS_DOCTOR_OLD
        Remove-Variable "_KERAS_DOCTOR_OLD" -Scope global
    }}
"""
_POWERSHELL_ENTER = f"""
# keras-doctor: the backend of this environment
$global:_KERAS_DOCTOR_OLD = $env:{VARIABLE}
$env:{VARIABLE} = "@"
"""


def write_backend(folder: str, site_packages: str, backend: str) -> tuple[str, ...]:
    """Make a backend the one of an environment, and of nothing else.

    Args:
        folder: The environment.
        site_packages: Its folder of packages.
        backend: The name.

    Returns:
        The files that were written.

    Raises:
        OSError: One cannot be written.
    """
    path = os.path.join(site_packages, PTH)
    with open(path, "w", encoding="ascii") as file:
        file.write(f"import os; os.environ.setdefault({VARIABLE!r}, {backend!r})\n")
    if is_conda(folder):
        return (path, _write_conda(folder, backend))
    written = [path]
    programs = os.path.join(folder, "Scripts" if os.name == "nt" else "bin")
    for name, change in _CHANGES.items():
        script = os.path.join(programs, name)
        if os.path.isfile(script) and not os.path.islink(script):
            with open(script, encoding="utf-8", newline="") as text:
                before = text.read()
            with open(script, "w", encoding="utf-8", newline="") as text:
                text.write(change(before, backend))
            written.append(script)
    return tuple(written)


def is_conda(folder: str) -> bool:
    """Whether an environment is one of conda's."""
    return os.path.isdir(os.path.join(folder, "conda-meta"))


def entrances(folder: str) -> tuple[tuple[str, str], ...]:
    """How an environment is activated: (shells, command), that of bash first."""
    if is_conda(folder):
        return (("any that conda was set up for", f"conda activate {quoted((folder,))}"),)

    def source(script: str) -> str:
        return f"source {quoted((os.path.join(folder, 'bin', script),))}"

    return (
        ("bash, zsh", source("activate")),
        ("fish", source("activate.fish")),
        ("csh", source("activate.csh")),
        ("PowerShell", os.path.join(folder, "bin", "activate.ps1")),
        ("cmd", os.path.join(folder, "Scripts", "activate.bat")),
    )


def _write_conda(folder: str, backend: str) -> str:
    """Where ``conda env config vars set`` keeps variables (conda 4.8 and later)."""
    path = os.path.join(folder, "conda-meta", "state")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "env_vars": {VARIABLE: backend}}, file)
    return path


def _with_function(opening: str, leave: str, enter: str) -> Callable[[str, str], str]:
    """A change of a script that defines ``deactivate`` as a function."""
    pattern = re.compile(opening, re.MULTILINE)

    def change(text: str, backend: str) -> str:
        body = pattern.sub(lambda match: match[0] + leave, text, count=1)
        return body.rstrip("\n") + "\n" + enter.replace("@", backend)

    return change


def _csh(text: str, backend: str) -> str:
    text = text.replace("alias deactivate '", f"alias deactivate '{_CSH_LEAVE} ", 1)
    return f"{text.rstrip()}\n{_CSH_ENTER.replace('@', backend)}"


def _batch(text: str, backend: str) -> str:
    keep = f'@set "_KERAS_DOCTOR_OLD=%{VARIABLE}%"'
    return f'{text.rstrip()}\r\n{keep}\r\n@set "{VARIABLE}={backend}"\r\n'


def _batch_leave(text: str, _backend: str) -> str:
    back = f'@set "{VARIABLE}=%_KERAS_DOCTOR_OLD%"'
    return f"{text.rstrip()}\r\n{back}\r\n@set _KERAS_DOCTOR_OLD=\r\n"


_POWERSHELL = _with_function(
    r"^function global:deactivate.*\{\r?$", _POWERSHELL_LEAVE, _POWERSHELL_ENTER
)
_CHANGES: dict[str, Callable[[str, str], str]] = {
    "activate": _with_function(r"^deactivate \(\) ?\{$", _SH_LEAVE, _SH_ENTER),
    "activate.fish": _with_function(r"^function deactivate\b.*$", _FISH_LEAVE, _FISH_ENTER),
    "activate.csh": _csh,
    "activate.ps1": _POWERSHELL,
    "Activate.ps1": _POWERSHELL,
    "activate.bat": _batch,
    "deactivate.bat": _batch_leave,
}
