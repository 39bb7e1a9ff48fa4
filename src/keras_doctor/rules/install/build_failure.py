"""KD702 build-failure."""

from __future__ import annotations

import re

from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import PRESENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context

_PATTERNS = (
    re.compile(r"Failed building wheel for ([\w.-]+)"),
    re.compile(r"Could not build wheels for ([\w.-]+)"),
    re.compile(r"Failed to build (?!installable)`?([\w.-]+)(?:==[\w.]+)?"),
    re.compile(r"error: metadata-generation-failed[\s\S]{0,400}?╰─> (?:See above|([\w.-]+))"),
    re.compile(r"Failed to download and build `([\w.-]+)"),
    re.compile(r"python setup\.py (?:egg_info|bdist_wheel|install)\"? (?:failed|did not run)()"),
    re.compile(r"Command errored out with exit status 1:?()"),
)


def build_failure(context: Context) -> Iterator[Finding]:
    """A package had to be compiled on this machine, and that failed.

    What it checks: the output of an installer for a wheel that could not be built.

    Why it breaks the import: there is no wheel of that release for this Python and system, so pip
    takes the source, and building it needs a compiler and libraries, or does not work with today's
    setuptools, numpy or Cython. Mostly the Python is newer than the release.

    How it is fixed: a Python that the release has wheels for, or a release that has wheels for
    this Python (``--only-binary :all:`` shows which).

    Example: h5py 2.10 on Python 3.9.
    """
    if not context.failures:
        raise NotApplicable("nothing was installed")
    told: set[str] = set()
    for outcome in context.failures:
        for pattern in _PATTERNS:
            for match in pattern.finditer(outcome.output[-100_000:]):
                name = match[1] or ""
                if not told or (name and name not in told):
                    told.add(name)
                    yield _report(match, name)
    if not told:
        raise RuledOut("no build failed")


def _report(match: re.Match[str], name: str) -> Finding:
    what = name or "a package"
    return finding(
        "KD702",
        "build-failure",
        name or "the package",
        title=f"{what} has no wheel for this Python and system, and building it failed",
        why="Without a wheel the installer compiles the source, which needs what is not here.",
        evidence=[seen(match[0].strip().splitlines()[0])],
        stage=PRESENCE,
        weight="likely",
        fixes=[
            edit(
                "use-env",
                name,
                f"Use a Python that {what} has wheels for, or a release that has them for yours: "
                f"pip install --only-binary :all: {name}".rstrip(),
            )
        ],
        signs=[sign(printed=re.escape(match[0][:120]))],
    )
