"""What rules conclude from facts, and what the diagnosis makes of it."""

from keras_doctor.model.facts import Snapshot
from keras_doctor.model.outcome import Change, Outcome
from keras_doctor.records import NamedTuple


class Evidence(NamedTuple):
    """One thing that was read or observed."""

    text: str
    where: str | None
    """``file:line``, ``environment``, ``live run`` ..."""


class Fix(NamedTuple):
    """One way out, as a person would do it by hand."""

    kind: str
    """``set-env`` | ``unset-env`` | ``edit-config`` | ``install`` | ``reinstall`` | ``uninstall`` |
    ``delete`` | ``rename-file`` | ``chmod`` | ``edit-code`` | ``use-env`` | ``system-package``."""
    summary: str
    argv: tuple[str, ...] | None
    command: str | None
    """The same, quoted for the shell; None when it is no command (an edit)."""
    name: str | None
    """The variable, the distribution, the file: what the fix acts on."""
    value: str | None
    """The new value; None to unset, delete, or where there is none."""
    targets: tuple[str, ...] = ()
    """All that it acts on: the requirements to install, the paths to delete."""
    continues: bool = False
    """Whether the next fix of the finding belongs to the same way out; else it is another one."""


class Sign(NamedTuple):
    """A pattern of failure that a finding predicts.

    All given parts must match one exception of the chain (or the crash, or for ``text`` what
    the run printed); a finding with no signs predicts nothing.
    """

    types: tuple[str, ...]
    """Exception type names, unqualified; () any."""
    text: str | None
    """A regular expression for the message."""
    module: str | None
    """The module that was not found, or in which a name was not found (prefix match by dots)."""
    file: str | None
    """A path prefix that the file of some frame must have."""
    raised_in: str | None
    """A path prefix that the file of the last frame, where it was raised, must have."""
    crash: bool
    """Matches a death by signal rather than an exception."""
    weak: bool
    """Counts only when no other finding explains the failure."""
    printed: str | None = None
    """A regular expression for what the run printed, whatever it raised in the end."""


class Ask(NamedTuple):
    """A question whose answer would decide between causes."""

    question: str
    command: str | None
    decides: tuple[str, ...]


class Finding(NamedTuple):
    """A rule's conclusion."""

    code: str
    cause: str
    """The slug of causes.md."""
    culprit: str
    title: str
    """One sentence: what is wrong."""
    why: str
    """Why that breaks the import."""
    evidence: tuple[Evidence, ...]
    confidence: str
    """``proven`` | ``certain`` | ``likely``."""
    blocks: tuple[str, ...]
    """The imports that it makes fail; () for an import that works but is not the wished one."""
    fixes: tuple[Fix, ...]
    weight: str
    """What it is worth without a matching failure. ``fatal``: the import (or the wish) cannot
    succeed while this stands, so it is a cause even when an earlier failure hides it.
    ``likely``: a cause as long as the import was not seen to work. ``risk``: a cause only when
    a failure that it predicts was observed; else a note."""
    signs: tuple[Sign, ...]
    stage: int
    """Where on the way of the import it bites; see :mod:`keras_doctor.rules.stages`."""
    key: str
    """``cause:subject``, for folding: what other findings may say that they explain it."""
    explains: tuple[str, ...]
    """Keys of findings that merely follow from this one."""
    changes: tuple[Change, ...]
    """What a counterfactual run must do differently to be free of this cause; () when that
    cannot be had without touching files."""
    ask: Ask | None = None
    """What tells this cause from the others that the same failure may have."""


class RuleResult(NamedTuple):
    """What became of one rule."""

    code: str
    name: str
    state: str
    """``finding`` | ``ok`` | ``skipped`` | ``not-applicable`` | ``crashed``."""
    reason: str | None
    findings: tuple[Finding, ...]


class KerasFound(NamedTuple):
    """The Keras that ``import keras`` would find."""

    distribution: str | None
    version: str | None
    path: str | None
    generation: str | None
    """The name of the generation in the selection data."""


class BackendChoice(NamedTuple):
    """The backend that would be chosen, and by whom."""

    name: str | None
    asked_by: str
    """``environment`` | ``config`` | ``default`` | ``code``."""
    where: str | None
    honoured: bool | None


class SelectionSource(NamedTuple):
    """One place that says, or could say, which backend is meant."""

    source: str
    where: str
    value: str | None
    wins: bool
    remark: str | None
    """Why it does not count, when it does not: ``ignored by this generation``."""


class Api(NamedTuple):
    """Another door to Keras: tf.keras, tf_keras."""

    import_name: str
    distribution: str | None
    version: str | None
    backend: str | None


class Selection(NamedTuple):
    """Which Keras and which backend, explained."""

    keras: KerasFound
    backend: BackendChoice
    sources: tuple[SelectionSource, ...]
    apis: tuple[Api, ...]


class BackendState(NamedTuple):
    """One backend that this Keras knows."""

    name: str
    installed: bool | None
    version: str | None
    importable: bool | None
    trains: bool | None
    device: str | None
    seconds: float | None
    reason: str | None
    """Why it does not import or train."""


class Diagnosis(NamedTuple):
    """Findings in causal order."""

    healthy: bool | None
    """True: it was run and works, and the wish is met. None: not tried."""
    causes: tuple[Finding, ...]
    consequences: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    results: tuple[RuleResult, ...]
    selection: Selection | None
    backends: tuple[BackendState, ...]
    asks: tuple[Ask, ...]


class Examination(NamedTuple):
    """Everything that one `check` saw and concluded."""

    snapshot: Snapshot
    wish: str | None
    outcomes: tuple[Outcome, ...]
    """In the order in which they were run; the first is the world as it is."""
    diagnosis: Diagnosis
