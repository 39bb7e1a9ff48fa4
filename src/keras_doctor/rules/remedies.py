"""The ways out that findings offer, as a person would do them by hand."""

from __future__ import annotations

import re

from keras_doctor.model import Change, Distribution, Fix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.selection.explain import Source

_NOT_NAME = re.compile(r"[^A-Za-z0-9._-]")
_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+\Z")


def quoted(argv: tuple[str, ...], *, windows: bool = False) -> str:
    """The command line for the user's shell: POSIX, or cmd on Windows."""
    return " ".join(_quote(word, windows=windows) for word in argv)


def _quote(word: str, *, windows: bool) -> str:
    if _SAFE.match(word) or (windows and re.match(r"[\w\\:.=-]+\Z", word)):
        return word
    if windows:
        return '"' + word.replace('"', '""') + '"'
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _is_windows(context: Context) -> bool:
    interpreter = context.snapshot.interpreter
    return bool(interpreter and interpreter.platform == "win32")


def path_separator(context: Context) -> str:
    """What separates the entries of PYTHONPATH there."""
    return ";" if _is_windows(context) else ":"


def command(
    context: Context,
    kind: str,
    summary: str,
    argv: tuple[str, ...],
    name: str,
    targets: tuple[str, ...] = (),
) -> Fix:
    """A fix that is one command."""
    return Fix(
        kind=kind,
        summary=summary,
        argv=argv,
        command=quoted(argv, windows=_is_windows(context)),
        name=name,
        value=None,
        targets=targets,
    )


def remove(
    context: Context,
    paths: tuple[str, ...],
    summary: str,
    name: str,
    *,
    folders: bool = True,
    continues: bool = False,
) -> Fix:
    """Remove files, or files and folders; `continues`: before what the next fix installs."""
    if _is_windows(context):
        argv: tuple[str, ...] = ("powershell", "-Command", "Remove-Item", "-Recurse", *paths)
    else:
        argv = ("rm", *(("-r",) if folders else ()), *paths)
    return command(context, "delete", summary, argv, name, paths)._replace(continues=continues)


def rename(context: Context, old: str, new: str, summary: str) -> Fix:
    """Give a file or folder another name."""
    argv = ("move" if _is_windows(context) else "mv", old, new)
    return command(context, "rename-file", summary, argv, old)._replace(value=new)


def make_readable(context: Context, path: str, mode: str, summary: str) -> Fix:
    """Give files back their read permission; `mode` is chmod's."""
    if _is_windows(context):
        return edit("chmod", path, summary)
    argv = ("chmod", *(("-R",) if mode.startswith("u") else ()), mode, path)
    return command(context, "chmod", summary, argv, path, (path,))._replace(value=mode)


def set_variable(context: Context, name: str, value: str | None, summary: str) -> Fix:
    """Set a variable in the user's shell, or unset it (`value` None).

    One that start-up code of this Python sets is changed there, for the shell is overruled.
    """
    place = context.set_at_start(name)
    if place is not None:
        kind = "edit-config" if place.rpartition(":")[0].endswith(".pth") else "edit-code"
        what = "Take out" if value is None or kind == "edit-config" else "Change"
        text = f"{what} the line {place}: it sets {name} each time that this Python starts."
        return edit(kind, place, text, value)
    if _is_windows(context):
        line = f"set {name}={value or ''}"
    elif value is None:
        line = f"unset {name}"
    else:
        line = f"export {name}={_quote(value, windows=False)}"
    return Fix(
        kind="unset-env" if value is None else "set-env",
        summary=summary,
        argv=None,
        command=line,
        name=name,
        value=value,
    )


def edit(kind: str, path: str, summary: str, value: str | None = None) -> Fix:
    """A change by hand to one file (``edit-config``, ``edit-code``, ``rename-file`` ...)."""
    return Fix(kind=kind, summary=summary, argv=None, command=None, name=path, value=value)


def install(context: Context, *requirements: str, summary: str | None = None) -> Fix:
    """Install distributions into the target; where installers refuse that, into one beside it."""
    argv = _with_target(context, (*_installer(context), "install", *requirements))
    summary = summary or f"Install {' '.join(requirements)}."
    interpreter = context.snapshot.interpreter
    if interpreter is not None and interpreter.externally_managed:
        summary += " Not into this Python, which is closed to installers (PEP 668): beside it."
        argv = ("keras-doctor", "fix", "--python", _python(context))
    return command(
        context,
        "install",
        summary,
        argv,
        _NOT_NAME.split(requirements[0])[0],
        requirements,
    )


def reinstall(context: Context, distribution: Distribution, summary: str | None = None) -> Fix:
    """Install the same version of a distribution again, over what is there."""
    requirement = f"{distribution.name}=={distribution.version}"
    argv: tuple[str, ...] = (*_installer(context), "install")
    if argv[0] == "uv":
        argv += ("--reinstall-package", distribution.name)
    else:
        argv += ("--force-reinstall",)
    return command(
        context,
        "reinstall",
        summary or f"Install {distribution.name} {distribution.version} again, over what is there.",
        _with_target(context, (*argv, "--no-deps", requirement)),
        distribution.name,
        (requirement,),
    )


def uninstall(context: Context, name: str, summary: str) -> Fix:
    """Remove a distribution from the target."""
    installer = _installer(context)
    argv = (*installer, "uninstall", *(() if installer[0] == "uv" else ("-y",)), name)
    return command(context, "uninstall", summary, _with_target(context, argv), name, (name,))


def _installer(context: Context) -> tuple[str, ...]:
    """The command of the manager that owns the environment's packages: its pip, else uv."""
    if context.first("pip") or not context.is_complete:
        return (_python(context), "-m", "pip")
    return ("uv", "pip")


def _with_target(context: Context, argv: tuple[str, ...]) -> tuple[str, ...]:
    if argv[0] != "uv":
        return argv
    return (*argv[:3], "--python", _python(context), *argv[3:])


def _python(context: Context) -> str:
    interpreter = context.snapshot.interpreter
    return context.snapshot.target.python or (interpreter.executable if interpreter else "python")


def choose_backend(context: Context, backend: str, source: Source) -> tuple[Fix, ...]:
    """Make `backend` the selected one by mending `source`, the setting that decides now."""
    if source.kind == "environment":
        fixes = [
            set_variable(
                context, "KERAS_BACKEND", backend, f"Set KERAS_BACKEND to {backend} in your shell."
            )
        ]
        if _without_variable(context) == backend:
            fixes.insert(
                0,
                set_variable(
                    context,
                    "KERAS_BACKEND",
                    None,
                    f"Unset KERAS_BACKEND: then {backend} is taken.",
                ),
            )
        setter = source.where.partition("set by ")[2]
        if setter and not context.set_at_start("KERAS_BACKEND"):
            fixes.append(edit("edit-config", setter, f"Or change the line in {setter}."))
        return tuple(fixes)
    if source.kind == "config":
        return (
            edit(
                "edit-config",
                source.where,
                f'Write "backend": "{backend}" in {source.where}.',
                backend,
            ),
            _variable_for(context, backend),
        )
    if source.kind == "code":
        return (
            edit(
                "edit-code",
                source.where,
                f"Change the line {source.where} so that it says {backend}.",
                backend,
            ),
        )
    return (_variable_for(context, backend),)


def _variable_for(context: Context, backend: str) -> Fix:
    return set_variable(
        context, "KERAS_BACKEND", backend, f"Set KERAS_BACKEND to {backend} in your shell."
    )


def _without_variable(context: Context) -> str | None:
    """The backend that would be taken if KERAS_BACKEND were not set."""
    for source in context.choice.sources:
        if source.kind != "environment" and source.counts:
            return source.value
    return None


def backend_change(backend: str) -> Change:
    """The counterfactual in which `backend` is asked for, whatever the settings say."""
    return Change(kind="set-variable", name="KERAS_BACKEND", value=backend)
