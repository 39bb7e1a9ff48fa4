"""What a failure shows by itself: one distribution asks another for what it does not have."""

from __future__ import annotations

import re

from keras_doctor.knowledge.compatibility import refusals
from keras_doctor.names import normalize
from keras_doctor.rules.base import seen, sign
from keras_doctor.rules.compatibility.clash import Clash, culprit_of, culprit_of_abi, speaks_of_abi
from keras_doctor.versions import release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Outcome, Raised
    from keras_doctor.rules.context import Context

_LACKS = (
    re.compile(r"module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'"),
    re.compile(r"cannot import name '?(?P<name>\w+)'? from '?(?P<module>[\w.]+)'?"),
    re.compile(r"No module named '?(?P<module>[\w.]+)\.(?P<name>\w+)'?"),
)
_CYTHON = re.compile(r"\A(?![/\\]|[A-Za-z]:).*\.(?:pyx|pxd|pxi)\Z")
_HALFWAY = re.compile(r"partially initialized|circular import")


def lacking(raised: Raised) -> tuple[str, str] | None:
    """(module, name) that an exception says is not there; None for other exceptions."""
    if _HALFWAY.search(raised.message):
        return None  # half loaded, not another release
    for pattern in _LACKS:
        match = pattern.search(raised.message)
        if match is not None:
            return match["module"], match["name"]
    return None


def observed_clashes(context: Context) -> Iterator[Clash]:
    """Pairs of sound distributions of which one lacks what the other asks of it."""
    damaged = _unsound(context)
    for outcome in context.failures:
        for raised in outcome.chain:
            found = (
                _abi(context, raised) or _refusal(context, raised) or _interface(context, raised)
            )
            if found is not None and not any(name in damaged for name in found.pair):
                yield found
        yield from _printed_abi(context, outcome)


def _unsound(context: Context) -> set[str]:
    """Distributions whose files may be the reason: damaged, of another release, or there twice."""
    found = {name for name, copies in context.distributions.items() if len(copies) > 1}
    for check in context.snapshot.files:
        own = context.first(check.distribution)
        stated = check.code_version
        if check.anomalies or (own and stated and release(stated)[:2] != release(own.version)[:2]):
            found.add(normalize(check.distribution))
    return found


def _interface(context: Context, raised: Raised) -> Clash | None:
    asked = lacking(raised)
    if asked is None or not raised.frames:
        return None
    module, name = asked
    top = module.partition(".")[0]
    used = _owner(context, top)
    user = _user(context, _asking(context, raised, used), used)
    if used is None or user is None or normalize(user.name) == normalize(used.name):
        return None
    return _clash(
        user,
        used,
        raised,
        why=f"{user.name} uses {module}.{name}, which {used.name} {used.version} does not have.",
        abi=False,
    )


def _asking(context: Context, raised: Raised, used: Distribution | None) -> Raised:
    """The exception as it looks to who asked: without the answering function of the module.

    What a distribution asks of itself and does not find is a matter of its own.
    """
    frames = list(raised.frames)
    while frames and "getattr" in frames[-1].function:
        frames.pop()
    asked_by = context.distribution_at(frames[-1].file) if frames else None
    own = asked_by and used and normalize(asked_by.name) == normalize(used.name)
    return raised._replace(frames=() if own else tuple(frames))


def _owner(context: Context, top: str) -> Distribution | None:
    """The distribution that a top-level module is loaded from: not a shadowing file."""
    module = context.module(top)
    for owner in context.owners(top):
        if module is None or module.entry is None or module.entry == owner.location:
            return owner
    return None


def _user(context: Context, raised: Raised, used: Distribution | None) -> Distribution | None:
    """Whose code asked: the innermost frame outside the one that was asked and outside Python."""
    for frame in reversed(raised.frames):
        if context.is_standard_library(frame.file) or frame.file.startswith("<"):
            continue
        found = context.distribution_at(frame.file)
        if found is None and _CYTHON.search(frame.file):
            # The source of a compiled module, named as it was when that was built.
            found = _owner(context, re.split(r"[/\\]", frame.file)[0])
            if found is None:
                continue
        if found is None:
            return None  # the user's own line: not a matter of two packages
        if used is None or normalize(found.name) != normalize(used.name):
            return found
    return None


def _refusal(context: Context, raised: Raised) -> Clash | None:
    for name, pattern in refusals():
        used = context.first(name)
        if used is None or not pattern.search(raised.message):
            continue
        user = _user(context, raised, used) or _who_needs(context, used)
        if user is not None:
            why = f"{used.name} {used.version} refuses what {user.name} {user.version} asks of it."
            return _clash(user, used, raised, why=why, abi=False)
    return None


def _who_needs(context: Context, used: Distribution) -> Distribution | None:
    """Who declares to need a distribution: for a failure that shows no frames."""
    name = normalize(used.name)
    parents = context.way.get(name) or context.roots
    return next((found for p in parents if p != name and (found := context.first(p))), None)


def _abi(context: Context, raised: Raised) -> Clash | None:
    if not speaks_of_abi(raised.message):
        return None
    numpy = context.first("numpy")
    user = _user(context, raised, numpy)
    if numpy is None or user is None:
        return None
    return _clash(user, numpy, raised, why=_abi_why(user, numpy), abi=True)


def _abi_why(user: Distribution, numpy: Distribution) -> str:
    return f"Extension modules of {user.name} were compiled for another numpy than {numpy.version}."


def _printed_abi(context: Context, outcome: Outcome) -> Iterator[Clash]:
    """Numpy prints the reason, and another exception follows much later."""
    if not speaks_of_abi(outcome.output) or any(speaks_of_abi(r.message) for r in outcome.chain):
        return
    numpy = context.first("numpy")
    for raised in outcome.chain:
        user = _user(context, raised, numpy)
        if numpy is not None and user is not None and raised.frames:
            yield _clash(user, numpy, raised, why=_abi_why(user, numpy), abi=True)
            return


def _clash(
    user: Distribution,
    used: Distribution,
    raised: Raised,
    *,
    why: str,
    abi: bool,
) -> Clash:
    return Clash(
        source="observed",
        user=user,
        used=used,
        title=f"{user.name} {user.version} does not go with {used.name} {used.version}",
        why=why,
        evidence=(
            seen(f"{raised.type}: {raised.message.partition(chr(10))[0]}", _place(raised)),
            seen(f"{user.name} {user.version}", user.metadata),
            seen(f"{used.name} {used.version}", used.metadata),
        ),
        signs=(sign(raised.type.rpartition(".")[2], text=re.escape(raised.message)),),
        weight="risk",
        bounds=(),
        fitting=None,
        culprit=culprit_of_abi(user, used) if abi else culprit_of(user, used),
        abi=abi,
    )


def _place(raised: Raised) -> str | None:
    frame = raised.frames[-1] if raised.frames else None
    return f"{frame.file}:{frame.line}" if frame else None
