"""What a repair would do, and what became of it."""

from keras_doctor.model.findings import Examination
from keras_doctor.records import NamedTuple


class Command(NamedTuple):
    """A step as a person would do it by hand, with one of the managers."""

    manager: str
    """``pip`` | ``uv`` | ``conda`` | ``shell``."""
    argv: tuple[str, ...] | None
    text: str
    """Quoted for the shell."""


class Step(NamedTuple):
    """One typed change. What its kind does not use is None or empty."""

    kind: str
    """``install`` | ``reinstall`` | ``uninstall`` | ``delete`` | ``chmod`` | ``write-file`` (a
    configuration file) | ``drop-line`` (of a .pth file) | ``set-env`` | ``rename-file`` |
    ``edit-code`` | ``use-env`` | ``system-package`` | ``run-command`` (of the manager that owns
    the environment) | ``other`` (words only)."""
    risk: str
    """``safe``: it is done once the plan is accepted. ``consent``: only when the user says yes to
    this very thing. ``shown``: the user's to do."""
    summary: str
    code: str
    """The rule that asks for it."""
    cause: str
    culprit: str
    name: str | None = None
    """The variable, the distribution, the system package."""
    value: str | None = None
    """The variable's new value; None to unset it. The text of a configuration file. A mode."""
    path: str | None = None
    to: str | None = None
    line: int | None = None
    old: str | None = None
    new: str | None = None
    paths: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


class Way(NamedTuple):
    """One way out of one cause: steps that belong together."""

    key: str
    """``code:cause:culprit`` of the finding."""
    steps: tuple[Step, ...]


class DistributionChange(NamedTuple):
    """What a repair does to one distribution."""

    name: str
    before: str | None
    """Its version; None when it was not installed."""
    after: str | None
    again: bool
    """The same release is installed again: its files changed."""


class Alternative(NamedTuple):
    """Another plan for the same diagnosis, with what it costs."""

    steps: tuple[Step, ...]
    why_not: str
    """Why it is not the one that was taken, as a clause."""


class Rehearsal(NamedTuple):
    """How the plan did where it changes nothing."""

    rung: str
    """``overlay`` | ``reflink`` | ``hard links`` | ``copy``."""
    attempts: int
    passed: bool
    distributions: tuple[DistributionChange, ...]
    files: int
    """How many files it adds, replaces or removes."""
    newly_broken: tuple[str, ...]
    """Requirements that were met before and are not after it, one sentence each."""
    untouched: bool
    """Whether the original was compared before and after, and is as it was."""
    failure: str | None
    """Why the last attempt did not pass."""
    seconds: float
    install_seconds: float
    """How long of it the installers ran: what is beyond that is the price of trying first."""


class Repair(NamedTuple):
    """Everything that one `fix` found out and did."""

    examination: Examination
    """Of the world as it was."""
    steps: tuple[Step, ...]
    """What the plan does by itself, in order."""
    manual: tuple[Step, ...]
    """What is left to the user, in order."""
    alternatives: tuple[Alternative, ...]
    rehearsal: Rehearsal | None
    applied: bool
    verified: bool | None
    """Whether it works now in the real environment; None: not tried, or steps are left."""
    journal: str | None
    environment: str | None
    """The folder of a new environment, when the plan makes one."""
    remarks: tuple[str, ...]
    """What the user should know: who owns the environment, which processes have it loaded."""
    refusal: str | None
    """Why nothing was changed although something is wrong."""


class Consent(NamedTuple):
    """What the user has said yes to."""

    apply: bool
    """The plan as a whole; False: it is only rehearsed and shown."""
    moves: tuple[str, ...] = ()
    """Their own files that may get another name."""
