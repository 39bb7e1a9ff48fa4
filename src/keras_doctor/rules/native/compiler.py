"""KD506 compiler-missing."""

from __future__ import annotations

import os
import re

from keras_doctor.model import Change
from keras_doctor.rules.base import NotApplicable, RuledOut, Skip, finding, seen, sign
from keras_doctor.rules.remedies import command, edit, path_separator, quoted, set_variable
from keras_doctor.rules.stages import COMPILER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Fix, Theano
    from keras_doctor.rules.context import Context

# Theano's words, in its releases from 0.6 to 1.0.
WARNING = r"g\+\+ not (?:available|detected)"


def compiler_missing(context: Context) -> Iterator[Finding]:
    """Theano finds no C++ compiler, or is told to use one that is not there.

    What it checks: when Theano is the backend: ``cxx`` in THEANO_FLAGS and in .theanorc, and
    whether g++ (on macOS clang++) is on PATH.

    Why it breaks the import: a ``cxx`` that names no program ends the import of Theano with an
    AssertionError. No compiler at all only makes Theano warn and compute in Python, many times
    slower; a program that asks for compiled code then fails by itself.

    How it is fixed: install g++, put it on PATH, or take the setting away.

    Example: ``THEANO_FLAGS=cxx=/opt/gcc/bin/g++`` after that compiler was removed.
    """
    if context.choice.backend != "theano" and context.wish != "theano":
        raise NotApplicable("only Theano compiles while it is used, and it is not chosen")
    theano = context.snapshot.theano
    if theano is None:
        raise Skip("Theano's settings were not looked at")
    if theano.compiler:
        raise RuledOut(f"Theano finds its compiler, {theano.compiler}")
    if theano.cxx:
        yield _names_nothing(context, theano)
    else:
        yield _slow(context, theano)


def _names_nothing(context: Context, theano: Theano) -> Finding:
    where = theano.cxx_where or "a setting"
    changes: list[Change] = []
    fixes: list[Fix]
    if where == "THEANO_FLAGS":
        fixes, changes = _without_flag(context, "cxx")
    else:
        fixes = [edit("edit-config", where, f"Take the line {where} out, or correct it.")]
    return finding(
        "KD506",
        "compiler-missing",
        where.rpartition(":")[0] or where,
        title=f"Theano is told to compile with {theano.cxx}, which is not there",
        why="Theano starts its compiler while it is imported.",
        evidence=[seen(f"cxx = {theano.cxx}", where)],
        stage=COMPILER,
        weight="fatal",
        subject="theano",
        fixes=fixes,
        signs=[
            sign(text=re.escape(theano.cxx or "")),
            sign("AssertionError", "FileNotFoundError", "OSError", text="No such file|not found"),
        ],
        changes=changes,
    )


def _slow(context: Context, theano: Theano) -> Finding:
    path = context.variables.get("PATH")
    evidence = [seen("no g++ on PATH", f"PATH={path.value}" if path else "PATH")]
    signs = [sign("AssertionError", text=WARNING)]
    fixes: list[Fix] = []
    if theano.cxx == "":
        evidence = [seen("cxx is empty: Theano shall not compile", theano.cxx_where)]
        fixes.append(edit("edit-config", theano.cxx_where or "cxx", "Take the setting cxx away."))
    elif theano.compiler_off_path:
        evidence.append(seen("a compiler that PATH does not lead to", theano.compiler_off_path))
        fixes.append(_with_folder_on_path(context, os.path.dirname(theano.compiler_off_path)))
    else:
        fixes.append(
            command(
                context,
                "system-package",
                "On Debian and Ubuntu: install g++, or put the folder of yours on PATH.",
                ("apt-get", "install", "g++"),
                "g++",
            )
        )
    if _imports_pass(context):
        # It imports with a warning; then what asks for compiled code fails in its own way.
        signs.append(sign(printed=WARNING, weak=True))
    return finding(
        "KD506",
        "compiler-missing",
        "g++",
        title="Theano has no C++ compiler: it computes in Python, many times slower",
        why="Theano then runs its Python code; what needs compiled code does not work.",
        evidence=evidence,
        stage=COMPILER,
        weight="risk",
        subject="theano",
        fixes=fixes,
        signs=signs,
    )


def _with_folder_on_path(context: Context, folder: str) -> Fix:
    path = context.variables.get("PATH")
    value = path_separator(context).join(filter(None, [path.value if path else None, folder]))
    fix = set_variable(context, "PATH", value, f"Put {folder} on PATH: the compiler is there.")
    interpreter = context.snapshot.interpreter
    if interpreter is not None and interpreter.platform == "win32":
        return fix
    return fix._replace(command=f'export PATH="$PATH":{quoted((folder,))}')


def _imports_pass(context: Context) -> bool:
    return any(o.kind != "command" and o.status == "passed" for o in context.outcomes)


def _without_flag(context: Context, name: str) -> tuple[list[Fix], list[Change]]:
    value = context.variables["THEANO_FLAGS"].value if "THEANO_FLAGS" in context.variables else ""
    kept = [part for part in value.split(",") if part.partition("=")[0].strip() != name]
    rest = ",".join(kept) or None
    fix = set_variable(context, "THEANO_FLAGS", rest, f"Take {name} out of THEANO_FLAGS.")
    kind = "set-variable" if rest else "unset-variable"
    return [fix], [Change(kind=kind, name="THEANO_FLAGS", value=rest)]
