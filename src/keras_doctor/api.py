"""The verbs of keras-doctor, for programs: the command line is a thin shell around these.

Nothing here prints, and every result is a frozen value of :mod:`keras_doctor.model`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from keras_doctor.diagnosis import diagnose
from keras_doctor.gather import elsewhere_of, facts_of
from keras_doctor.model import Examination, Snapshot
from keras_doctor.rules.context import Context
from keras_doctor.targets import Found, find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.compat.answer import Answer
    from keras_doctor.create.order import Order
    from keras_doctor.create.wanted import CreateError
    from keras_doctor.errors.facts import Given
    from keras_doctor.fixes.history import History, Undone
    from keras_doctor.fixes.search import Options as FixOptions
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.fixes.use.result import How, Used
    from keras_doctor.model import BackendState, Outcome
    from keras_doctor.model.creation import Creation
    from keras_doctor.model.plan import Consent, Repair
    from keras_doctor.refresh.update import Updated
    from keras_doctor.scan.judge import Scan
    from keras_doctor.targets.inventory import EnvironmentFound

Progress = Callable[[str], None]
"""Called with one sentence before each step that may take long."""
Share = Callable[[int, int], None]
"""Called with how many bytes of how many are done."""


def check(
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    wish: str | None = None,
    live: bool = True,
    thorough: bool = False,
    verify: str = "no",
    train: bool = False,
    timeout: float = 120.0,
    snapshot: Snapshot | None = None,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
    share: Share | None = None,
) -> tuple[Examination, tuple[str, ...]]:
    """Say why `import keras` fails, or that it works.

    Args:
        python: An interpreter, an environment folder, or a name like ``3.11``.
        kernel: The name of a Jupyter kernelspec.
        project: The folder that the user runs in; default: `folder`.
        command: The user's command as typed; it is run once, unless `live` is false.
        wish: The backend that the user wants, or None.
        live: Whether anything may be run in the target besides the collector.
        thorough: Whether the contents of the installed files, and the files of what imports
            were not seen to load, are looked at before anything is known to fail; they are in
            any case after a live run that fails, or when a cause was read.
        verify: ``way``: compare every file of the distributions on the way of the import with
            the SHA-256 that its RECORD gives; ``all``: of all distributions; ``no``: of none.
            What was read is remembered in the user's cache folder, the one thing that this
            function writes.
        train: Whether one real training step is tried after the import.
        timeout: Seconds for each live run.
        snapshot: Facts collected elsewhere; then nothing is collected or run here.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.
        progress: Told before each slow step.
        share: Told how many bytes of how many are hashed, while they are.

    Returns:
        The examination, and one line for each place that was considered for the target.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
        ValueError: `verify` has no such meaning, or the files of `snapshot` are elsewhere.
    """
    if verify not in ("no", "way", "all") or (snapshot is not None and verify != "no"):
        raise ValueError(f"verify={verify!r}" + " with a snapshot" * (snapshot is not None))
    if snapshot is not None:
        context = Context(snapshot, wish=wish)
        return _examined(context, ()), ()
    found = _find(python, kernel, project, command, environ, folder)
    # Looking at everything costs three times as much: first see whether it works.
    facts = facts_of(found, wish, thorough=thorough or verify != "no")
    verified: Callable[[Snapshot], Snapshot] = _unchanged
    if verify != "no":
        from keras_doctor.verified import verification_of

        verified = verification_of(
            facts,
            verify,
            wish=wish,
            environ=os.environ if environ is None else environ,
            share=share,
        )
        facts = verified(facts)
    elsewhere = elsewhere_of(facts, found)
    if not live:
        examined = _examined(Context(facts, wish=wish, elsewhere=elsewhere), ())
        if examined.diagnosis.causes and not thorough:
            facts = verified(facts_of(found, wish, thorough=True))
            examined = _examined(Context(facts, wish=wish, elsewhere=elsewhere), ())
        return examined, found.considered
    from keras_doctor.experiment import Experiment

    experiment = Experiment(
        found,
        facts,
        wish=wish,
        timeout=timeout,
        elsewhere=elsewhere,
        look_closer=lambda: verified(facts_of(found, wish, thorough=True)),
        progress=progress or _silent,
    )
    diagnosis = experiment.examine(train=train)
    return (
        Examination(
            snapshot=experiment.snapshot,
            wish=wish,
            outcomes=tuple(experiment.outcomes),
            diagnosis=diagnosis,
        ),
        found.considered,
    )


def prove(
    examined: Examination,
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> tuple[Examination, str | None]:
    """Prove the causes of an examination: mend them in a copy, and see the import pass there.

    Nothing is changed; packages may be downloaded.

    Args:
        examined: What :func:`check` gave for the same target.
        python: As it was given to :func:`check`; so are the others.
        kernel: The name of a Jupyter kernelspec.
        project: The folder that the user runs in.
        command: The user's command.
        timeout: Seconds for each live run.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.
        progress: Told before each slow step.

    Returns:
        The examination with its proven causes, and why nothing could be proven, or None.
    """
    from keras_doctor.fixes.prove import prove as rehearse

    asked = _asked(python, kernel, project, command, examined.wish, timeout, environ, folder)
    return rehearse(examined, asked, progress or _silent)


def after(
    command: Sequence[str],
    outcome: Outcome | None,
    *,
    wish: str | None = None,
    live: bool = True,
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> Examination:
    """Say why a command failed that was run already; it is not run again.

    Args:
        command: As it was run.
        outcome: What became of it, or None when nobody saw that.
        wish: The backend that the user wants, or None.
        live: Whether its import statements may be run.
        timeout: Seconds for each live run.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.
        progress: Told before each slow step.

    Raises:
        keras_doctor.targets.TargetError: No Python is found in the command.
        keras_doctor.collect.CollectError: The target could not be read.
    """
    found = _find(None, None, None, command, environ, folder)
    facts = facts_of(found, wish, thorough=True)
    elsewhere = elsewhere_of(facts, found)
    ran = (outcome,) if outcome is not None else ()
    if not live:
        return _examined(Context(facts, wish=wish, outcomes=ran, elsewhere=elsewhere), ())
    from keras_doctor.experiment import Experiment

    experiment = Experiment(
        found,
        facts,
        wish=wish,
        timeout=timeout,
        elsewhere=elsewhere,
        ran=ran,
        progress=progress or _silent,
    )
    # Where nobody saw the failure, it may lie behind the imports: try a training step as well.
    diagnosis = experiment.examine(train=outcome is None)
    return Examination(
        snapshot=experiment.snapshot,
        wish=wish,
        outcomes=tuple(experiment.outcomes),
        diagnosis=diagnosis,
    )


def explain(
    failure: str | BaseException,
    *,
    facts: Given | None = None,
    wish: str | None = None,
    python: str | None = None,
    here: bool = False,
    snapshot: Snapshot | None = None,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> Examination:
    """Say what a failure means, from its text and what is told or read beside it.

    Args:
        failure: A pasted traceback, a log, an installer's output; or an exception.
        facts: What is known of the environment, beside what the text shows.
        wish: The backend that the user wants, or None.
        python: The interpreter or environment that it comes from: its facts are collected.
        here: Whether the Python that the user runs here is examined too, when the text speaks
            of files of its folder of packages.
        snapshot: The facts of the environment that it comes from, collected there.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.

    Returns:
        The examination: its outcomes are the failures of the text, its snapshot holds what was
        told (`start.mode` is ``given``) or, of a Python that is here, what was read.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
    """
    from keras_doctor.errors.given import folders_of_packages, given_outcomes, told

    if isinstance(failure, BaseException):
        import traceback

        failure = "".join(traceback.format_exception(failure))
    outcomes = given_outcomes(failure, facts.command if facts and facts.command else "the text")
    if snapshot is not None:
        return _examined(Context(snapshot, wish=wish, outcomes=outcomes), ())
    found = None
    if python is not None:
        found = _find(python, None, None, (), environ, folder)
    elif here and facts is None and any(map(os.path.isdir, folders_of_packages(failure))):
        found = _find(None, None, None, (), environ, folder)
    if found is not None:
        snapshot = facts_of(found, wish, thorough=True)
        entries = {os.path.realpath(entry.path) for entry in snapshot.path}
        places = folders_of_packages(failure)
        if python is not None or any(os.path.realpath(place) in entries for place in places):
            elsewhere = elsewhere_of(snapshot, found)
            return _examined(
                Context(snapshot, wish=wish, outcomes=outcomes, elsewhere=elsewhere), ()
            )
    return _examined(Context(told(failure, facts), wish=wish, outcomes=outcomes), ())


def fix(
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    wish: str | None = None,
    options: FixOptions | None = None,
    agree: Callable[[Repair], Consent] | None = None,
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> Repair:
    """Make `import keras` work, as a transaction: plan, rehearse, apply, verify, or roll back.

    Args:
        python: An interpreter, an environment folder, or a name like ``3.11``.
        kernel: The name of a Jupyter kernelspec.
        project: The folder that the user runs in; default: `folder`.
        command: The user's command as typed; it is run once as it is, and in the rehearsal.
        wish: The backend that must work afterwards, or None for the one that is asked for now.
        options: What the user says about the plan.
        agree: Shown the rehearsed plan, says what may be done; default: nothing may.
        timeout: Seconds for each live run.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.
        progress: Told before each slow step.

    Returns:
        What was found out and done; ``.verified`` is True when it works now.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
        keras_doctor.fixes.transaction.errors.TransactionError: Another repair is under way
            there, or this one was rolled back.
    """
    from keras_doctor.fixes.repair import repair
    from keras_doctor.fixes.search import Options
    from keras_doctor.model.plan import Consent

    asked = _asked(python, kernel, project, command, wish, timeout, environ, folder)
    agree = agree or (lambda _: Consent(apply=False))
    return repair(asked, options or Options(), agree, progress or _silent)


def use(
    how: How,
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> Used:
    """Make a backend the selected one where it takes effect, after a look whether it works.

    Args:
        how: The backend, and where it is written down.
        python: An interpreter, an environment folder, or a name like ``3.11``.
        kernel: The name of a Jupyter kernelspec; it is written there when `how` says so.
        project: The folder that the user runs in; default: `folder`.
        command: The user's command as typed; it is read, and not run.
        timeout: Seconds for the live run.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.
        progress: Told before each slow step.

    Returns:
        What was found out and done; ``.refusal`` says why nothing was changed.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
    """
    from keras_doctor.fixes.use.choose import use

    asked = _asked(python, kernel, project, command, how.backend, timeout, environ, folder)
    return use(asked, how, progress or _silent)


def undo(journal_id: str | None = None, *, environ: Mapping[str, str] | None = None) -> Undone:
    """Bring back, to the byte, what a repair has changed.

    Args:
        journal_id: Which repair; None for the last one.
        environ: The user's environment; default: this process's.
    """
    from keras_doctor.fixes import history

    return history.undo(journal_id, os.environ if environ is None else environ)


def history(*, environ: Mapping[str, str] | None = None) -> History:
    """The repairs that were made, newest first."""
    from keras_doctor.fixes import history

    return history.history(os.environ if environ is None else environ)


def drop(journal_id: str, *, force: bool = False, environ: Mapping[str, str] | None = None) -> None:
    """Forget a repair and remove the old files that are kept for it.

    Raises:
        keras_doctor.fixes.transaction.errors.TransactionError: There is none of that id, or it
            was interrupted and `force` is not given.
    """
    from keras_doctor.fixes import history

    history.drop(journal_id, os.environ if environ is None else environ, force=force)


def backends(
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    wish: str | None = None,
    live: bool = True,
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> tuple[Examination, tuple[str, ...]]:
    """Say which backend is chosen and why, and try every backend that this Keras knows.

    Same arguments, results and errors as :func:`check`; ``diagnosis.backends`` holds one entry
    for each backend that the Keras found knows, with ``importable`` and ``trains`` filled in
    when `live` is true. The user's command is not run.
    """
    found = _find(python, kernel, project, command, environ, folder)
    from keras_doctor.experiment import Experiment

    facts = facts_of(found, wish, thorough=False)
    experiment = Experiment(
        found,
        facts,
        wish=wish,
        timeout=timeout,
        elsewhere=elsewhere_of(facts, found),
        progress=progress or _silent,
    )
    states = experiment.try_backends() if live else ()
    return _examined(experiment.context(), states), found.considered


def take_snapshot(
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    wish: str | None = None,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> Snapshot:
    """Collect every fact about a target without importing its packages (not masked)."""
    found = _find(python, kernel, project, command, environ, folder)
    return facts_of(found, wish, thorough=True)


def scan(
    paths: Sequence[str],
    *,
    python: str | None = None,
    compare: bool = True,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> Scan:
    """List what programs use of the Keras world, and in which releases it works.

    Args:
        paths: Scripts, notebooks, folders.
        python: The interpreter or environment to compare with; default: the user's.
        compare: Whether installed releases are looked at.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.

    Raises:
        keras_doctor.targets.TargetError: There is no such Python.
    """
    from keras_doctor.scan.judge import DISTRIBUTIONS, judge
    from keras_doctor.targets.script import Unreadable, sources_of
    from keras_doctor.targets.tree import programs
    from keras_doctor.targets.uses import uses_of

    uses, problems, files = [], [], 0
    for path in programs(paths):
        files += 1
        try:
            for source in sources_of(path):
                found, problem = uses_of(source, DISTRIBUTIONS)
                uses += found
                problems += [problem] if problem else []
        except Unreadable as reason:
            problems.append(str(reason))
    installed: dict[str, str] = {}
    interpreter = None
    if compare:
        snapshot = take_snapshot(python=python, environ=environ, folder=folder)
        interpreter = snapshot.target.python
        context = Context(snapshot)
        for top, name in DISTRIBUTIONS.items():
            distribution = context.first(name) or next(iter(context.owners(top)), None)
            if distribution is not None:
                installed[top] = distribution.version
    return judge(uses, installed, files=files, problems=problems, python=interpreter)


def create(
    order: Order,
    *,
    environ: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Creation:
    """Make an environment in which a wished Keras, on a wished backend, has really trained.

    Args:
        order: What is wanted, and where.
        environ: The user's environment; default: this process's.
        progress: Called before slow steps.

    Raises:
        keras_doctor.create.wanted.CreateError: There is no such set, or it did not train; nothing
            is left behind.
    """
    from keras_doctor.create.order import carry_out

    environ = dict(os.environ) if environ is None else dict(environ)
    return carry_out(order, environ, os.getcwd(), progress or (lambda _: None))


def create_all(
    order: Order,
    *,
    environ: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Creation, ...], tuple[tuple[str, CreateError], ...]]:
    """Make one environment for each backend, in folders of their names below the one ordered.

    Args:
        order: What is wanted, and where.
        environ: The user's environment; default: this process's.
        progress: Called before slow steps.

    Returns:
        What was made, or would be; and for each other backend why not.
    """
    from keras_doctor.create.order import carry_out_all

    environ = dict(os.environ) if environ is None else dict(environ)
    return carry_out_all(order, environ, os.getcwd(), progress or (lambda _: None))


def lock(
    folder: str,
    *,
    python: str | None = None,
    replace: bool = False,
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[str, ...], Examination]:
    """Write down an environment in which Keras trains, so that it can be made again.

    Args:
        folder: Where ``pylock.toml`` and ``requirements.txt`` are written.
        python: As for :func:`check`.
        replace: Whether files of these names may be replaced.
        timeout: Seconds for the run.
        environ: The user's environment; default: this process's.
        progress: Called before slow steps.

    Returns:
        The files, () when it does not work; and what was seen.

    Raises:
        keras_doctor.create.wanted.CreateError: A file is there already, or uv is not here.
    """
    from keras_doctor.create.lockfiles import lock_environment

    environ = dict(os.environ) if environ is None else dict(environ)
    folder = os.path.abspath(folder)
    quiet: Progress = lambda _: None  # noqa: E731
    return lock_environment(
        folder,
        python,
        replace=replace,
        timeout=timeout,
        environ=environ,
        progress=progress or quiet,
    )


def envs(
    *,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> tuple[EnvironmentFound, ...]:
    """List every Python on this machine that holds a Keras or a backend."""
    from keras_doctor.targets.inventory import list_environments

    return list_environments(
        os.environ if environ is None else environ, folder or os.getcwd(), timeout=10.0
    )


def update_knowledge(*, progress: Progress | None = None) -> Updated:
    """Refresh the user's copy of the release files from the index that pip is configured with.

    The only verb that reaches the network.

    Raises:
        keras_doctor.refresh.update.UpdateError: The copy was not refreshed and is as it was.
    """
    from keras_doctor.knowledge.copies import user_folder
    from keras_doctor.refresh.update import update

    return update(user_folder(), progress=progress)


def _unchanged(snapshot: Snapshot) -> Snapshot:
    """The facts without those of hashes, which nobody asked for."""
    return snapshot


def compat(
    packages: Sequence[str], *, python: str | None = None, platform: str | None = None
) -> Answer:
    """Say which releases of packages go together, from what is known offline.

    Args:
        packages: Like ``keras``, ``tensorflow==2.10`` or ``keras<3``; the newest release of the
            first is looked for first.
        python: Like ``3.11``; None: any.
        platform: ``linux``, ``macos`` or ``windows``, perhaps with a processor as in
            ``linux-arm64``; None: this machine's.

    Raises:
        keras_doctor.compat.CompatError: One is no package, Python or platform that is known.
    """
    from keras_doctor.compat.answer import answer

    return answer(packages, python=python, platform=platform)


def _silent(_: str) -> None:
    """Report no progress."""


def _examined(context: Context, states: tuple[BackendState, ...]) -> Examination:
    return Examination(
        snapshot=context.snapshot,
        wish=context.wish,
        outcomes=context.outcomes,
        diagnosis=diagnose(context, backends=states),
    )


def _asked(
    python: str | None,
    kernel: str | None,
    project: str | None,
    command: Sequence[str],
    wish: str | None,
    timeout: float,
    environ: Mapping[str, str] | None,
    folder: str | None,
) -> Asked:
    from keras_doctor.fixes.trial import Asked

    return Asked(
        python=python,
        kernel=kernel,
        project=project,
        command=tuple(command),
        wish=wish,
        timeout=timeout,
        environ=dict(os.environ if environ is None else environ),
        folder=folder or os.getcwd(),
    )


def _find(
    python: str | None,
    kernel: str | None,
    project: str | None,
    command: Sequence[str],
    environ: Mapping[str, str] | None,
    folder: str | None,
) -> Found:
    return find_target(
        python=python,
        kernel=kernel,
        project=project,
        command=command,
        environ=os.environ if environ is None else environ,
        folder=folder or os.getcwd(),
    )
