"""The live part of an examination: run it as it is, then with one cause after another removed.

Some causes can be removed without touching a file: a variable, the text of keras.json (in the
private copy), an entry of the path, a shadowing file. Running again without them shows what they
hide, and proves them when the import then passes. What was read is judged anew after each run.
"""

from __future__ import annotations

from keras_doctor.diagnosis import diagnose
from keras_doctor.rules.context import Context
from keras_doctor.rules.remedies import backend_change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.live import Statement
    from keras_doctor.model import BackendState, Change, Diagnosis, Outcome, Snapshot
    from keras_doctor.rules.context import Elsewhere
    from keras_doctor.targets import Found

MAX_COUNTERFACTUALS = 4
"""So many causes that hide each other are peeled off; more than that is a new environment."""


MAX_SWALLOWED = 2
"""So many imports are tried alone whose failure nobody showed."""
MAX_WAYS_OUT = 2
"""So many other backends are tried when nothing works."""


class Experiment:
    """Runs of one target, all with the same limits."""

    def __init__(
        self,
        found: Found,
        snapshot: Snapshot,
        *,
        wish: str | None,
        timeout: float,
        elsewhere: tuple[Elsewhere, ...] = (),
        look_closer: Callable[[], Snapshot] | None = None,
        ran: tuple[Outcome, ...] | None = None,
        in_place: bool = False,
        saves: bool = False,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare the runs.

        Args:
            found: The target.
            snapshot: Its facts.
            wish: The backend that the user wants, or None.
            timeout: Seconds for each run.
            elsewhere: Other Pythons that hold what is missing here.
            look_closer: Collects the facts again, thoroughly; asked once,
                when the world as it is was seen to fail.
            ran: What became of the user's command, which is then not run again; () when it
                failed and nobody saw how. None: it was not run.
            in_place: Whether the imports are tried in the place of the user's program: then
                so is what it uses of them, and saving a model where it saves one.
            saves: Whether saving a model and loading it is tried in any case.
            progress: Told before each run.
        """
        self.found = found
        self.snapshot = snapshot
        self.wish = wish
        self.timeout = timeout
        self.elsewhere = elsewhere
        self.look_closer = look_closer
        self.in_place = in_place
        self.saves = saves
        self.progress = progress
        self.outcomes: list[Outcome] = list(ran or ())
        self.has_run = ran is not None

    def context(self) -> Context:
        """Everything that is known by now."""
        return Context(
            self.snapshot,
            wish=self.wish,
            outcomes=tuple(self.outcomes),
            elsewhere=self.elsewhere,
        )

    def examine(self, *, train: bool) -> Diagnosis:
        """Run the world as it is, then peel off the causes that can be removed without a trace."""
        if self.found.run and not self.has_run:
            self._run_command()
        if self._imports_are_needed():
            self._run_imports(train=train)
        self._look_closer()
        diagnosis = diagnose(self.context())
        for _ in range(MAX_COUNTERFACTUALS):
            changes = self._next_changes(diagnosis)
            if not changes:
                break
            self._run_imports(changes=changes, train=train)
            diagnosis = diagnose(self.context())
            if self.outcomes[-1].status == "passed":
                break
        starts = any(o.status != "not-started" for o in self.outcomes)
        if diagnosis.causes and starts and not self._something_works():
            ways = self._ways_out()
            states = tuple(ways.get(state.name, state) for state in diagnosis.backends)
            return diagnosis._replace(backends=states)
        return diagnosis

    def try_once(self, *, command: bool, keep: bool = True, train: bool = True) -> Diagnosis:
        """Run the world as it is, one training step included; nothing is peeled off.

        Args:
            command: Whether the user's command is run, if there is one.
            keep: Whether what that command leaves in HOME stays.
            train: Whether a training step follows the imports.
        """
        if command and self.found.run and not self.has_run:
            self._run_command(keep=keep)
        self._run_imports(train=train)
        self._look_closer()
        return diagnose(self.context())

    def _look_closer(self) -> None:
        """After a failure: all facts, and what became of imports whose failure nobody showed."""
        if not self.context().failures:
            return
        if self.look_closer is not None:
            self.snapshot = self.look_closer()
        self._run_swallowed()

    def _run_swallowed(self) -> None:
        """Import alone what the last failure calls absent though it is there.

        What passes says nothing about the failure, and is not kept.
        """
        from keras_doctor.swallowed import swallowed_imports

        names = swallowed_imports(self.context())
        if not names:
            return
        from keras_doctor.live import Statement, run_imports

        for name in names[:MAX_SWALLOWED]:
            self.progress(f"Importing {name} alone")
            outcome = run_imports(
                self.found.target,
                self.found.environ,
                (Statement(text=f"import {name}", line=1, path=None, setting=None),),
                options=self.found.options,
                changes=self.outcomes[-1].changes,
                timeout=self.timeout,
            )
            if outcome.status not in ("passed", "not-started"):
                self.outcomes.append(outcome)
                return

    def _something_works(self) -> bool:
        return any(o.kind != "command" and o.status == "passed" for o in self.outcomes)

    def _ways_out(self) -> dict[str, BackendState]:
        """Try the other installed backends, as far as no wish rules them out.

        These runs say nothing about the causes, so they are not among the outcomes.
        """
        context = self.context()
        tried = {context.choice.backend, *(o.backend for o in self.outcomes)}
        tried |= {c.value for o in self.outcomes for c in o.changes if c.name == "KERAS_BACKEND"}
        if self.wish is not None or context.generation is None or context.generation.fixed:
            return {}
        others = [b for b in context.installed_backends if _can_train(b) and b not in tried]
        return {name: self._try_backend(name, train=False) for name in others[:MAX_WAYS_OUT]}

    def _imports_are_needed(self) -> bool:
        """After the user's command: to see why it failed, or which backend it got."""
        if not self.outcomes:
            return True
        return self.outcomes[0].status not in ("passed", "stopped") or self.wish is not None

    def _next_changes(self, diagnosis: Diagnosis) -> tuple[Change, ...]:
        """The changes made so far and those of the causes that stand; () when there is none new.

        One cause is removed at a time, so that each is proven by itself.
        """
        last = self.outcomes[-1]
        if last.status == "not-started" and not self.snapshot.start.failure:
            return ()
        done = last.changes
        names = {(change.kind, change.name) for change in done}
        for cause in diagnosis.causes:
            new = tuple(c for c in cause.changes if (c.kind, c.name) not in names)
            if new:
                return (*done, *new)
        return ()

    def _statements(self) -> Sequence[Statement]:
        from keras_doctor.live import statements_of

        script = self.snapshot.script
        if script is None or not self.in_place:
            return statements_of(script)
        from keras_doctor.targets.tried import attributes_of

        return statements_of(script, attributes_of(script))

    def _saves(self) -> bool:
        script = self.snapshot.script
        if self.saves or script is None or not self.in_place:
            return self.saves
        from keras_doctor.targets.tried import saves_models

        return saves_models(script)

    def _run_command(self, *, keep: bool = True) -> None:
        from keras_doctor.live import run_command

        self.progress("Running your command")
        self.outcomes.append(
            run_command(
                self.found.run,
                self.found.run_environ,
                self.found.run_folder,
                timeout=self.timeout,
                keep=keep,
            )
        )

    def _run_imports(self, *, changes: tuple[Change, ...] = (), train: bool = False) -> None:
        from keras_doctor.live import run_imports

        python = self.found.target.python
        what = "Importing Keras with the cause removed" if changes else "Importing Keras"
        self.progress(f"{what} in {python}")
        self.outcomes.append(
            run_imports(
                self.found.target,
                self.found.environ,
                self._statements(),
                options=self.found.options,
                train=train,
                save=train and self._saves(),
                changes=changes,
                wish=self.wish,
                timeout=self.timeout,
            )
        )

    def try_backends(self) -> tuple[BackendState, ...]:
        """Try every backend that this Keras knows and that is installed: import and one step."""
        generation = self.context().generation
        names = generation.names if generation else ()
        return tuple(self._try_backend(name, train=True) for name in names)

    def _try_backend(self, name: str, *, train: bool) -> BackendState:
        from keras_doctor.live import run_imports
        from keras_doctor.model import BackendState

        context = self.context()
        distribution = context.backend_distribution(name)
        state = BackendState(
            name=name,
            installed=context.backend_importable(name),
            version=distribution.version if distribution else None,
            importable=None,
            trains=None,
            device=None,
            seconds=None,
            reason=None,
        )
        if not state.installed:
            return state._replace(importable=False, trains=False, reason="not installed")
        step = ", and one training step" if train else ""
        self.progress(f"Importing Keras with {name}{step}")
        outcome = run_imports(
            self.found.target,
            self.found.environ,
            options=self.found.options,
            train=train,
            changes=(backend_change(name),),
            wish=name,
            timeout=self.timeout,
        )
        return _tried(state, outcome, train=train)


def _can_train(name: str) -> bool:
    from keras_doctor.knowledge.selection import backends

    return backends()[name].trains


def _tried(state: BackendState, outcome: Outcome, *, train: bool) -> BackendState:
    trains = _can_train(state.name)
    passed = outcome.status == "passed"
    imported = outcome.backend == state.name
    last = outcome.chain[-1] if outcome.chain else None
    reason = None
    if not passed:
        reason = f"{last.type}: {last.message}" if last else outcome.signal or outcome.status
    elif train and not trains:
        reason = "it builds and predicts; this backend does not train"
    return state._replace(
        importable=imported,
        trains=passed and trains if train else None,
        device=outcome.device,
        seconds=outcome.seconds,
        reason=reason,
    )
