"""KD701 no-matching-distribution."""

from __future__ import annotations

import re

from keras_doctor.knowledge.releases import known_packages, releases_of
from keras_doctor.names import normalize
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import edit, install
from keras_doctor.rules.stages import PRESENCE
from keras_doctor.versions import compare_key, satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Fix, Sign
    from keras_doctor.rules.context import Context

# What pip, uv, conda and poetry say, with the requirement.
_PATTERNS = (
    re.compile(r"ould ?n[o']t find a version that satisfies the requirement ([\w.-]+)([^\s(]*)"),
    re.compile(r"No matching distribution found for ([\w.-]+)([^\s]*)"),
    re.compile(
        r"Because (?:all versions of |only the following versions of )?([\w.-]+)(==[\w.]+)?"
        r" ha(?:s|ve) no wheels with a matching"
    ),
    re.compile(
        r"Distribution `([\w.-]+)(==[\w.]+)[^`]*` can't be installed because it doesn't have"
    ),
    re.compile(r"Because there (?:is|are) no versions? of ([\w.-]+)([=<>!~][^\s,]*)?"),
    re.compile(r"Unable to find installation candidates for ([\w.-]+) \(([\w.]+)\)"),
    re.compile(
        r"(?:PackagesNotFoundError|ResolvePackageNotFound)[^\n]*\n+(?:[^\n]*\n){0,3}?\s+- ([\w.-]+)"
        r"([=<>!~][^\s\[]*)?"
    ),
)
_UNREACHED = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|SSLError|Could not fetch URL|NewConnectionError|ssl module in"
)
_REQUIREMENT = re.compile(r"([A-Za-z][\w.-]*)(?:\[[\w,]*\])?((?:[<>=!~]=?[\w.*,<>=!~]+)?)")


def no_matching_distribution(context: Context) -> Iterator[Finding]:
    """The installer found no release of a package that fits this Python and system.

    What it checks: the output of pip, uv, conda or poetry for a requirement that nothing meets;
    and the releases of that package, with the Pythons that each has wheels for.

    Why it breaks the import: mostly this Python is newer than the newest, or older than the oldest,
    that the package has wheels for; the installer names the package, not the Python.

    How it is fixed: an environment with a Python that the release was made for, or a release that
    this Python can hold.

    Example: ``pip install tensorflow==1.15`` on Python 3.8: "(from versions: 2.2.0, ...)".
    """
    if not context.failures:
        raise NotApplicable("nothing was installed")
    told: set[str] = set()
    for outcome in context.failures:
        for pattern in _PATTERNS:
            for match in pattern.finditer(outcome.output[-100_000:]):
                name = normalize(match[1])
                if name not in told:
                    told.add(name)
                    yield _report(context, match, name)
    if not told:
        raise RuledOut("no installer was left without a release")


def unfit(context: Context, requirement: str) -> Iterator[Finding]:
    """The finding for a requirement that no known release meets on this Python and system.

    Args:
        context: The Python.
        requirement: As it was given to an installer, like ``tensorflow==1.15``.
    """
    found = _REQUIREMENT.fullmatch(requirement)
    interpreter = context.snapshot.interpreter
    if found is None or interpreter is None or normalize(found[1]) not in known_packages():
        return
    from keras_doctor.knowledge.releases import installable

    name, wanted = normalize(found[1]), found[2]
    fitting = installable(
        name,
        python=".".join(interpreter.version.split(".")[:2]),
        platform=interpreter.platform,
        machine=interpreter.machine,
        prereleases=True,
    )
    if not any(_meets(each.release.version, wanted) for each in fitting):
        yield _finding(context, name, wanted, requirement, [sign(text="no release of it fits")])


def _report(context: Context, match: re.Match[str], name: str) -> Finding:
    line = match[0].strip().splitlines()[0]
    signs = [sign(printed=re.escape(match[0][:200]))]
    return _finding(context, name, (match[2] or "").strip(), line, signs)


def _finding(context: Context, name: str, wanted: str, line: str, signs: list[Sign]) -> Finding:
    interpreter = context.snapshot.interpreter
    python = f"Python {interpreter.version}" if interpreter else "this Python and system"
    return finding(
        "KD701",
        "no-matching-distribution",
        name,
        title=f"No release of {name}{wanted} fits {python}",
        why="The installer takes only files that were made for the Python and the system it is on.",
        evidence=[seen(line), *_known(name, wanted)],
        stage=PRESENCE,
        # Where the index was not reached, that nothing was found says nothing.
        weight="risk" if _was_cut_off(context) or asked_in_vain(context, name) else "fatal",
        fixes=_fixes(context, name, wanted),
        signs=signs,
    )


_NOTHING = "(from versions: none)"


def asked_in_vain(context: Context, name: str) -> bool:
    """Whether an index offered nothing of a package of which releases fit this Python.

    Then it is not the Python: the index is another one, or was not reached.
    """
    interpreter = context.snapshot.interpreter
    if interpreter is None or normalize(name) not in known_packages():
        return False
    if not any(_NOTHING in outcome.output for outcome in context.failures):
        return False
    from keras_doctor.knowledge.releases import installable

    return any(
        one.how == "wheel"
        for one in installable(
            normalize(name),
            python=interpreter.version,
            platform=interpreter.platform,
            machine=interpreter.machine,
        )
    )


def _was_cut_off(context: Context) -> bool:
    return any(_UNREACHED.search(o.output[-100_000:]) for o in context.failures)


def _known(name: str, wanted: str) -> list[Evidence]:
    if name not in known_packages():
        return []
    rows = [row for row in releases_of(name) if not wanted or _meets(row.version, wanted)]
    if not rows:
        return [seen(f"no release of {name} is {wanted}")]
    pythons = _pythons(rows[-1].tags)
    spoken = f"{pythons[0]} to {pythons[-1]}" if len(pythons) > 1 else "".join(pythons)
    return [seen(f"{name} {rows[-1].version} has wheels for Python {spoken}")] if pythons else []


def _meets(version: str, wanted: str) -> bool:
    if not wanted:
        return True
    clause = wanted if wanted[:1] in "=<>!~" else f"=={wanted}"
    return satisfies(version, clause) is not False


def _pythons(tags: tuple[str, ...]) -> list[str]:
    """The CPython versions that wheel tags name, oldest first."""
    found = {f"{m[1]}.{m[2]}" for tag in tags for m in re.finditer(r"\bcp(\d)(\d+)-", tag)}
    return sorted(found, key=compare_key)


def _fixes(context: Context, name: str, wanted: str) -> list[Fix]:
    fixes: list[Fix] = []
    if name not in known_packages():
        return fixes
    rows = [row for row in releases_of(name) if not wanted or _meets(row.version, wanted)]
    pythons = _pythons(rows[-1].tags) if rows else []
    if pythons:
        fixes.append(
            edit(
                "use-env",
                name,
                f"Make an environment with Python {pythons[-1]}, which it was made for.",
                pythons[-1],
            )
        )
    interpreter, machine = context.snapshot.interpreter, context.snapshot.machine
    if interpreter is not None and machine is not None:
        from keras_doctor.knowledge.releases import installable

        fitting = installable(
            name,
            python=".".join(interpreter.version.split(".")[:2]),
            platform=interpreter.platform,
            machine=interpreter.machine,
        )
        if fitting:
            requirement = f"{name}=={fitting[0].release.version}"
            fixes.append(install(context, requirement, summary="Or the newest that fits here."))
    return fixes
