"""KD203 multiple-installations and KD205 foreign-path: packages from the wrong folder win."""

from __future__ import annotations

import re

from keras_doctor.model import Change
from keras_doctor.rules.base import RuledOut, finding, listing, seen, sign
from keras_doctor.rules.context import same_path
from keras_doctor.rules.remedies import edit, path_separator, set_variable
from keras_doctor.rules.stages import PATH, START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Fix, Module, PathEntry
    from keras_doctor.rules.context import Context

ADDED = ("pythonpath", "pth", "user-site", "other")
"""Origins of entries that somebody added to what the environment has by itself."""


def foreign_path(context: Context) -> Iterator[Finding]:
    """PYTHONPATH, PYTHONHOME or a .pth file brings in the packages of another Python.

    What it checks: entries of sys.path that name another Python version than the one that runs
    (``…/lib/python3.6/site-packages`` on a Python 3.8) and from which a package on the way of the
    import would be taken; PYTHONHOME on a Python that does not start with it.

    Why it breaks the import: extension modules are compiled for one Python version. The message
    is about numpy's C extensions, a missing ``_multiarray_umath``, or "do not import numpy from
    its source directory".

    How it is fixed: unset the variable, or take the line out of the .pth file.

    Example: ``PYTHONPATH`` still points at the site-packages of an older environment.
    """
    found = False
    home = context.variables.get("PYTHONHOME")
    if home and home.value and _cannot_find_its_library(context):
        found = True
        yield _pythonhome(context, home.value)
    for entry, winners in _winning_entries(context):
        if entry.python and entry.python != _running(context):
            found = True
            yield _entry(context, entry, winners, foreign=True)
    if not found:
        raise RuledOut("no package on the way comes from another Python's folder")


def multiple_installations(context: Context) -> Iterator[Finding]:
    """A package lies on several sys.path entries, and one that was added wins.

    What it checks: for every package on the way of the import that is there more than once:
    whether the copy that Python takes comes from PYTHONPATH, the user site or a .pth file rather
    than from the environment.

    Why it breaks the import: pip shows the version in the environment, Python runs the other one,
    and the other one was never meant for the packages around it.

    How it is fixed: take the entry off the path, or remove the copy there.

    Example: an old keras in ``~/.local`` that PYTHONPATH puts before a virtual environment.
    """
    found = False
    for entry, winners in _winning_entries(context):
        if entry.python and entry.python != _running(context):
            continue
        doubled = [m for m in winners if _hidden_copies(m)]
        if doubled:
            found = True
            yield _entry(context, entry, doubled, foreign=False)
    if not found:
        raise RuledOut("no added folder hides a package of the environment")


_NO_LIBRARY = re.compile(r"encodings|platform (in)?dependent libraries|PYTHONHOME|SRE module")
"""What a Python prints that finds no standard library of its own, seen on 3.6 to 3.13."""


def _cannot_find_its_library(context: Context) -> bool:
    start = context.snapshot.start
    return start.mode != "normal" and bool(_NO_LIBRARY.search(start.failure or ""))


def _running(context: Context) -> str:
    interpreter = context.snapshot.interpreter
    return ".".join(interpreter.version.split(".")[:2]) if interpreter else ""


def _winning_entries(context: Context) -> Iterator[tuple[PathEntry, list[Module]]]:
    """Added entries, each with the modules on the way that Python would take from it."""
    holders = {d.location for d in context.snapshot.distributions}
    done = set()
    for entry in context.snapshot.path:
        if entry.path in done:  # a line of a .pth file that inserts a folder may run twice
            continue
        done.add(entry.path)
        if entry.origin not in ADDED or (entry.path not in holders and not entry.python):
            continue
        winners = [
            module
            for name in sorted(context.way_modules)
            if (module := context.module(name))
            and module.entry
            and same_path(module.entry, entry.path)
        ]
        if winners:
            yield entry, winners


def _hidden_copies(module: Module) -> list[str]:
    return [
        copy.entry
        for copy in module.copies
        if copy.kind != "namespace" and module.entry and not same_path(copy.entry, module.entry)
    ]


def _entry(context: Context, entry: PathEntry, winners: list[Module], *, foreign: bool) -> Finding:
    culprit = _culprit(entry)
    names = listing([m.name for m in winners][:4]) + (" …" if len(winners) > 4 else "")
    if foreign:
        code, cause = "KD205", "foreign-path"
        title = (
            f"{culprit} brings in packages of Python {entry.python} ({names}); this is Python "
            f"{_running(context)}"
        )
        why = (
            "Compiled parts of a package load in the Python version that they were built for only."
        )
    else:
        code, cause = "KD203", "multiple-installations"
        title = f"{culprit} puts other copies of {names} before those of the environment"
        why = "Python takes the first copy on its path; pip shows you the other one."
    return finding(
        code,
        cause,
        culprit,
        title=title,
        why=why,
        evidence=[
            seen(f"{entry.path} is on the path", entry.where or entry.origin),
            *_copies(context, winners),
        ],
        stage=PATH,
        weight="likely" if foreign else "risk",
        subject=entry.path,
        fixes=_fixes(context, entry),
        signs=[sign(file=entry.path), *(sign(text=rf"\b{m.name}\b") for m in winners)],
        explains=[],
        changes=[_change(entry)],
    )


def _copies(context: Context, winners: list[Module]) -> list[Evidence]:
    rows = []
    for module in winners[:6]:
        versions = {
            d.location: f"{d.name} {d.version}" for d in reversed(context.owners(module.name))
        }
        taken = versions.get(module.entry or "", module.name)
        hidden = [versions.get(path, path) for path in _hidden_copies(module)]
        tail = f", hides {listing(hidden)}" if hidden else ""
        rows.append(seen(f"{taken} is taken from there{tail}", module.path))
    return rows


def _culprit(entry: PathEntry) -> str:
    if entry.origin == "pythonpath":
        return "PYTHONPATH"
    if entry.origin == "pth" and entry.where:
        return entry.where.rpartition(":")[0] or entry.where
    return entry.path


def _change(entry: PathEntry) -> Change:
    if entry.origin == "user-site":
        return Change(kind="set-variable", name="PYTHONNOUSERSITE", value="1")
    return Change(kind="drop-path-entry", name=entry.path, value=None)


def _fixes(context: Context, entry: PathEntry) -> list[Fix]:
    if entry.origin == "pythonpath":
        rest = [
            e.path
            for e in context.snapshot.path
            if e.origin == "pythonpath" and not same_path(e.path, entry.path)
        ]
        if not rest:
            return [set_variable(context, "PYTHONPATH", None, "Unset PYTHONPATH.")]
        value = path_separator(context).join(rest)
        return [set_variable(context, "PYTHONPATH", value, f"Take {entry.path} off PYTHONPATH.")]
    if entry.origin == "user-site":
        return [
            set_variable(
                context,
                "PYTHONNOUSERSITE",
                "1",
                "Keep the packages in your home folder out of this Python.",
            )
        ]
    if entry.origin == "pth" and entry.where:
        return [edit("edit-config", entry.where, f"Remove the line {entry.where}.")]
    return [
        edit("delete", entry.path, f"Remove the copies in {entry.path}, or take it off the path.")
    ]


def _pythonhome(context: Context, value: str) -> Finding:
    failure = context.snapshot.start.failure or ""
    last = failure.strip().splitlines()[-1] if failure.strip() else "it does not start"
    return finding(
        "KD205",
        "foreign-path",
        "PYTHONHOME",
        title=f"PYTHONHOME={value} makes this Python look for its own library in another place",
        why="Python takes its standard library from there, and that one is not its own.",
        evidence=[seen(f"PYTHONHOME is {value}", "environment"), seen(last, "start of Python")],
        stage=START,
        weight="fatal",
        blocks=("python",),
        fixes=[set_variable(context, "PYTHONHOME", None, "Unset PYTHONHOME.")],
        changes=[Change(kind="unset-variable", name="PYTHONHOME", value=None)],
    )
