"""KD509 windows-dll."""

from __future__ import annotations

import re

from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.context import is_inside
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import LOADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Fix, Outcome
    from keras_doctor.rules.context import Context

# What Python's dynload_win.c says, with the module in newer releases.
_FAILED = r"DLL load failed(?: while importing ([\w.]+))?: ?([^\n]*)"
_LONG = r"(?i)\[WinError 206\]|filename or extension is too long"
_LIMIT = 260
"""MAX_PATH of the Windows API: what most programs can open without a setting."""


def windows_dll(context: Context) -> Iterator[Finding]:
    """Windows does not load a DLL that an extension module needs.

    What it checks: on Windows: "DLL load failed" in a run, and files of packages on the way that
    are missing where their path is longer than Windows allows without a setting.

    Why it breaks the import: mostly the Microsoft Visual C++ run time is missing or older than the
    package; else a DLL of the package itself, or the install stopped at paths that were too long.

    How it is fixed: install the current Visual C++ Redistributable; allow long paths, then install
    the package again.

    Example: TensorFlow on a fresh Windows: "DLL load failed while importing _pywrap_tensorflow".
    """
    interpreter = context.snapshot.interpreter
    if interpreter is None or interpreter.platform != "win32":
        raise NotApplicable("this is not Windows")
    found = False
    for path in _too_long(context):
        found = True
        yield _long_paths(path)
        break
    for outcome in context.failures:
        for raised in outcome.chain:
            match = re.search(_FAILED, raised.message)
            if match and not found:
                found = True
                yield _failed(context, match, outcome)
    if not found:
        raise RuledOut("no DLL failed to load")


def _too_long(context: Context) -> list[str]:
    missing = [
        a.path
        for check in context.snapshot.files
        for a in check.anomalies
        if a.state == "missing" and len(a.path) >= _LIMIT
    ]
    told = [
        raised.message
        for outcome in context.failures
        for raised in outcome.chain
        if re.search(_LONG, raised.message)
    ]
    return missing + told


def _long_paths(path: str) -> Finding:
    return finding(
        "KD509",
        "windows-dll",
        "long paths",
        title=f"Windows allows no paths of {_LIMIT} characters and more, and a package needs them",
        why="The installer could not write those files, or Python cannot open them.",
        evidence=[seen(f"{len(path)} characters", path)],
        stage=LOADER,
        weight="likely",
        fixes=[
            edit(
                "system-package",
                "LongPathsEnabled",
                "Set LongPathsEnabled to 1 in the registry (Computer\\HKEY_LOCAL_MACHINE\\SYSTEM"
                "\\CurrentControlSet\\Control\\FileSystem), then install the package again; or "
                "make the environment in a short folder.",
                "1",
            )
        ],
        signs=[sign(text=_LONG), sign("ModuleNotFoundError", "FileNotFoundError")],
        explains=["missing-files:*"],
    )


def _failed(context: Context, match: re.Match[str], outcome: Outcome) -> Finding:
    module, said = match[1], match[2]
    frames = [frame for raised in outcome.chain for frame in raised.frames]
    owners = [
        d
        for frame in reversed(frames)
        for d in context.snapshot.distributions
        if any(is_inside(frame.file, f"{d.location}/{p}") for p in d.import_packages)
    ]
    name = owners[0].name if owners else module or "DLL"
    fixes: list[Fix] = [
        edit(
            "system-package",
            "Microsoft Visual C++ Redistributable",
            "Install the current Microsoft Visual C++ Redistributable for this Python's processor "
            "(https://aka.ms/vs/17/release/vc_redist.x64.exe), then start Python anew.",
        )
    ]
    what = f" ({module})" if module else ""
    return finding(
        "KD509",
        "windows-dll",
        name,
        title=f"Windows does not load a DLL of {name}{what}: {said or 'no reason given'}",
        why="A DLL that it needs is missing or too old, mostly the Visual C++ run time.",
        evidence=[seen(match[0].strip(), "live run")],
        stage=LOADER,
        weight="risk",
        fixes=fixes,
        signs=[sign(text="DLL load failed")],
    )
