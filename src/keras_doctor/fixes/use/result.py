"""What is asked of `use`, and what became of it."""

from __future__ import annotations

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.fixes.shared import Reader, Switched
    from keras_doctor.model import Outcome, Snapshot
    from keras_doctor.model.plan import Step

CONFIG, KERNEL, CONDA, SHELL = "keras.json", "kernel", "conda", "shell"
"""Where a backend is written down; ``shell``: nowhere, a line is printed."""


class How(NamedTuple):
    """Which backend, and where it is written down."""

    backend: str
    where: str = CONFIG
    shell: str | None = None
    """Whose line is printed, with `where` ``shell``; ``auto``: of the shell that is used."""
    live: bool = True
    yes: bool = False
    """Whether other environments may be switched too."""
    dry_run: bool = False


class Where(NamedTuple):
    """The place of the setting."""

    kind: str
    path: str | None
    text: str | None
    """What the file holds then, or the line for the shell."""


class Override(NamedTuple):
    """Something that comes before the setting, or does not obey it."""

    name: str
    where: str
    value: str | None
    wins: bool
    """Whether it decides the backend of `import keras`."""
    summary: str
    """One clause."""


class Used(NamedTuple):
    """What one `use` found out and did."""

    snapshot: Snapshot
    """Of the world as it was."""
    backend: str
    """The one that was asked for."""
    keras: str | None
    where: Where | None
    before: str | None
    """The backend that was selected."""
    after: str | None
    """The one that is, or would be."""
    writes: bool
    """Whether the place says something else now."""
    changed: bool
    works: bool | None
    """Whether Keras imported with it and took one step; None: not tried."""
    outcome: Outcome | None
    overrides: tuple[Override, ...]
    others: tuple[Switched, ...]
    readers: tuple[Reader, ...]
    """Other environments that read the file."""
    manual: tuple[Step, ...]
    """What is left to the user; after a refusal, the ways out."""
    remarks: tuple[str, ...]
    journal: str | None
    dry_run: bool
    refusal: str | None
    """Why nothing was changed, as a clause."""


class RefusedError(Exception):
    """It is not done.

    Attributes:
        reason: Why, as a clause without a full stop.
        ways: What the user can do instead.
        fixable: Whether it is a matter of what is installed, which `fix` may change.
    """

    def __init__(self, reason: str, *ways: Step, fixable: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ways = ways
        self.fixable = fixable
