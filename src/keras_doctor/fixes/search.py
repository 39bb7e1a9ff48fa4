"""Find a plan by trying: the ways out of all causes jointly, until the rehearsal passes."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from keras_doctor.fixes import trial
from keras_doctor.fixes.bench import Bench
from keras_doctor.fixes.ground import is_shared
from keras_doctor.fixes.judged import context_of, risks_of, what_is_left, works
from keras_doctor.fixes.request import newly_broken, request_of
from keras_doctor.fixes.shared import refusal_to_share
from keras_doctor.fixes.ways import (
    INSTALLS,
    distributions_of,
    installs,
    key_of,
    same_steps,
    ways_of,
)
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from keras_doctor.fixes.rehearse.place import Place
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination, Finding
    from keras_doctor.model.plan import Step, Way
    from keras_doctor.rules.context import Context

MAX_COMMANDS = 3
"""So many times the user's command is run: it may show one fault after another."""
MAX_ROUNDS = 10
"""So many times the world is tried; a machine of one fault after another is made anew."""
CHANGES_FILES = frozenset(
    {"delete", "chmod", "drop-line", "write-file", "rename-file", "edit-code"}
)
"""The kinds of steps that change files by themselves."""
TRIABLE = {*INSTALLS, *CHANGES_FILES, "set-env"}


class Options(NamedTuple):
    """What the user says about the plan."""

    prefer: str | None = None
    """``switch-backend`` | ``change-versions`` | ``new-env``."""
    keep: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()


class Found(NamedTuple):
    """How far the search came."""

    ways: tuple[Way, ...]
    examination: Examination
    """Of the last attempt."""
    passed: bool
    attempts: int
    newly_broken: tuple[str, ...]
    dismissed: tuple[tuple[Way, str], ...]
    """Ways that were tried and did not help, with the reason as a clause."""
    stuck: tuple[Way, ...]
    """Ways that cannot be tried here: the user's to do."""
    failure: str | None
    install_seconds: float
    causes: tuple[Finding, ...] = ()
    """Every cause that was met, in the order in which they showed themselves."""
    unproven: frozenset[str] = frozenset()
    """The keys of causes that were read in a program which was not run."""
    remarks: tuple[str, ...] = ()


class Search:
    """One search in one place.

    Args:
        place: Where it is tried.
        asked: The target, the wish, and how it is started.
        first: The examination of the world as it is.
        options: What the user says about the plan.
        progress: Told before each slow step.
        kinds: The kinds of steps that may be taken.
        command: Whether the user's command is run, once all else passes.
        programs: Scripts of the user's whose imports shall work as well, where that can be had;
            they are never run.
    """

    def __init__(
        self,
        place: Place,
        asked: Asked,
        first: Examination,
        options: Options,
        progress: Callable[[str], None],
        kinds: Collection[str] = TRIABLE,
        *,
        command: bool = True,
        programs: Sequence[str] = (),
    ) -> None:
        self.kinds = kinds
        self.plain = asked
        self.programs = programs
        # Its imports stand for `import keras`: when they pass, so does that.
        starting = _starting(asked, programs[0]) if programs else asked
        self.bench = Bench(place, starting, first, progress)
        runs = command and place.runs_commands and not trial.is_install(asked.command)
        self.typed = asked.command if runs else ()
        """The user's own command, as far as it is one that must work."""
        self.options = options
        self.chosen: list[Way] = []
        self.done: list[Way] = []
        """What the place holds already."""
        self.dismissed: list[tuple[Way, str]] = []
        self.stuck: list[Way] = []
        self.attempts = 0
        self.began = time.monotonic()
        self.failure: str | None = None
        self.remarks: list[str] = []
        self.unproven: set[str] = set()
        self.met: dict[str, Finding] = {}
        self._costs: dict[Way, float] = {}
        self.ahead: tuple[list[Way], Examination] | None = None
        """What was tried before the world as it is was, and what came of it."""

    def try_ahead(self) -> None:
        """Make the first attempt from what the files alone say, see :meth:`resume`."""
        if not self._choose(self.bench.first):
            return
        for way in self.chosen:
            self.bench.perform(way.steps)
        if self._install(self.chosen, loose=False, project=True) is None:
            self.ahead = self.chosen, self._examine()

    def resume(self, first: Examination, progress: Callable[[str], None]) -> None:
        """Go on from an attempt that was made ahead, now that the world as it is was tried.

        Args:
            first: The examination of the world as it is.
            progress: Told before each slow step.
        """
        self.bench.first = self.bench.current = first
        self.bench.progress = progress
        self.chosen, self.dismissed, self.stuck = [], [], []
        self.met = {}
        if self.ahead is None or works(first):
            self.ahead = None
            self._reset()

    def run(self) -> Found:
        """Search; the place is left as the last attempt left it."""
        plain, programs = self.plain, self.programs
        # Where Keras itself works already, only the script can show something.
        looks = bool(programs) and works(self.bench.first)
        examined = self._mended(self._examine() if looks else self.bench.first)
        if self.typed and works(examined):
            examined = self._with_command(examined)
        if programs and not works(examined):
            self.bench.asked = plain
            if works(self.bench.first):
                return self._nothing(programs[0])
            examined = self._without(programs[0], examined)
        elif works(examined):
            examined = self._without_risks(examined)
            if self.chosen and programs:
                name = os.path.basename(programs[0])
                self.remarks.append(f"{name} was not run: its imports and what it uses were tried")
        broken = newly_broken(context_of(self.bench.first), context_of(examined))
        passed = works(examined) and not broken
        if works(examined) and broken:
            self.failure = f"it works, but afterwards {broken[0]}, which is met now"
        elif not passed and self.failure is None:
            self.failure = what_is_left(examined)
        for program in programs[1:] if passed else ():
            self.bench.asked = _starting(plain, program)
            if not works(self._examine(train=False)):
                self._note(program)
        self.bench.asked = plain
        return self._found(examined, passed=passed, broken=broken)

    def _mended(self, examined: Examination) -> Examination:
        """Try one way after the other; the last examination, which passed or is the end."""
        for _ in range(MAX_ROUNDS):
            if works(examined) or not self._choose(examined):
                break
            self.attempts += 1
            ahead = self._from_ahead()
            if ahead is not None:
                examined = ahead
            elif self._perform():
                examined = self._examine()
                self.failure = None  # of an earlier attempt
        if works(examined):
            self.failure = None
        return examined

    def _from_ahead(self) -> Examination | None:
        """What came of the attempt that was made ahead, if it is the one that is due."""
        if self.ahead is None:
            return None
        (tried, examined), self.ahead = self.ahead, None
        same = len(tried) == len(self.chosen) and all(map(same_steps, tried, self.chosen))
        if not same:
            self._reset()
            return None
        self.done = list(self.chosen)
        self.bench.current = examined
        return examined

    def _with_command(self, examined: Examination) -> Examination:
        """Run the user's command in the mended world, and mend what only it shows."""
        for _ in range(MAX_COMMANDS):
            examined = self._examine(command=True)
            if works(examined):
                break
            chosen = list(self.chosen)
            examined = self._mended(examined)
            if not works(examined) or self.chosen == chosen:
                break
        return examined

    def _nothing(self, program: str) -> Found:
        """Keras works and a script of the folder does not: nothing here would mend it."""
        self._note(program)
        self.chosen, self.failure, self.met = [], None, {}
        self._reset()
        return self._found(self.bench.first, passed=True, broken=())

    def _without(self, program: str, failed: Examination) -> Examination:
        """See whether Keras itself works at least, when a script of the folder does not."""
        if self.done != self.chosen:
            self._perform()  # the last attempt was refused, and the place made again
        examined = self._examine()
        if works(examined):
            self.bench.current = failed
            self._note(program)
            self.failure = None
            return examined
        return self._mended(examined)

    def _without_risks(self, examined: Examination) -> Examination:
        """Take up what is no cause, as all works, where no package changes for it."""
        chosen, kinds = list(self.chosen), self.kinds
        risks = risks_of(examined)
        self.kinds = set(kinds) - set(INSTALLS)
        supposed = examined._replace(diagnosis=examined.diagnosis._replace(causes=risks))
        found = bool(risks) and self._choose(supposed)
        self.kinds = kinds
        if not found:
            return examined
        new = {way.key for way in self.chosen if way not in chosen}
        self.attempts += 1
        if self._perform():
            tried = self._examine()
            if works(tried) and not new & {key_of(risk) for risk in risks_of(tried)}:
                self.unproven = new
                return tried
        dropped = [way for way in self.chosen if way not in chosen]
        self.dismissed += [(way, "it does not help") for way in dropped]
        self.chosen, self.failure = chosen, None
        self._reset()
        self._perform()
        self.bench.current = examined
        return examined

    def _note(self, program: str) -> None:
        self.remarks.append(f"{program} fails all the same: {what_is_left(self.bench.current)}")

    # ---------------------------------------------------------------- choosing

    def _choose(self, examined: Examination) -> bool:
        """Take up a way for each cause that stands; False when there is nothing new to try.

        What installs waits for what does not: one setting may be behind all of it. Not so where
        nothing can work without the install.
        """
        context = context_of(examined)
        before = list(self.chosen)
        offered: list[tuple[Finding, Way]] = []
        for cause in examined.diagnosis.causes:
            key = key_of(cause)
            self.met.setdefault(key, cause)
            for way in [way for way in self.chosen if way.key == key and way in self.done]:
                self.chosen.remove(way)
                self.dismissed.append((way, "the same cause was still there after it"))
            if any(way.key == key for way in self.chosen):
                continue
            new = self._next_way(cause, context)
            if new is not None and not any(same_steps(new, other) for _, other in offered):
                offered.append((cause, new))
        waits = not all(installs(way) for _, way in offered)
        self.chosen += [
            way
            for cause, way in offered
            if not (waits and installs(way) and cause.weight != "fatal")
        ]
        return self.chosen != before and bool(self.chosen)

    def _next_way(self, cause: Finding, context: Context) -> Way | None:
        tried = {way for way, _why in self.dismissed}
        offered = self._in_order(ways_of(cause, context, self._source), context)
        for way in offered:
            if way in tried:
                continue
            why = self._forbidden(way, context)
            if why is not None:
                self.dismissed.append((way, why))
                continue
            if all(step.kind in self.kinds and self._is_shielded(step) for step in way.steps):
                if any(same_steps(way, other) for other in self.done):
                    # Another cause had asked for the same, and it did not help this one.
                    self.dismissed.append((way, "the same cause was still there after it"))
                    continue
                return None if self._is_done(way) else way
        refused = {way for way, _why in self.dismissed}
        for way in offered:
            if way not in self.stuck and way not in refused:
                self.stuck.append(way)
        return None

    def _is_shielded(self, step: Step) -> bool:
        """Whether a step can be tried in the place without touching what is outside of it."""
        if step.kind not in CHANGES_FILES:
            return True
        paths = (*step.paths, *(path for path in (step.path, step.to) if path))
        return all(map(self.bench.place.shields, paths))

    def _forbidden(self, way: Way, context: Context) -> str | None:
        """Why a way may not be taken whatever it would help; None when it may."""
        kept = {normalize(re.split(r"[^\w.-]", one)[0]) for one in self.options.keep}
        for step in way.steps:
            if step.kind == "uninstall" and kept & distributions_of(step):
                return "you want to keep that distribution"
            if step.kind != "write-file":
                continue
            if step.path and os.path.islink(step.path):
                return f"{step.path} is a link: what it leads to is yours to change"
            if (
                step.path
                and is_shared(os.path.dirname(os.path.dirname(step.path)))
                and not (os.path.isdir(os.path.dirname(step.path)))
            ):
                return f"{step.path} is among the temporary files, which are no place for a setting"
            asked = self.bench.asked
            why = refusal_to_share(step, context, asked.environ, asked.folder)
            if why is not None:
                return why
        return None

    def _in_order(self, ways: Sequence[Way], context: Context) -> list[Way]:
        """As the user prefers them; of ways that all install, the smallest change first."""
        prefer = self.options.prefer
        if prefer == "switch-backend":
            return sorted(ways, key=installs)
        if prefer == "change-versions":
            return sorted(ways, key=lambda way: not installs(way))
        installing = [way for way in ways if installs(way)]
        if 1 < len(installing) == len(ways):
            return sorted(ways, key=lambda way: self._cost(way, context))
        return list(ways)

    def _cost(self, way: Way, context: Context) -> float:
        """How many distributions a way changes; what cannot be told comes last."""
        if way not in self._costs:
            request = request_of(way.steps, context, keep=self.options.keep)
            told = self.bench.cost(request, self._steps()) if request is not None else None
            self._costs[way] = float("inf") if told is None else told
        return self._costs[way]

    def _is_done(self, way: Way) -> bool:
        """Two findings may ask for the same: what a person would do once."""
        return any(same_steps(way, other) for other in self.chosen)

    def _source(self, path: str) -> str | None:
        if self.ahead is not None:  # the place is changed already, an overlay's original is not
            return trial.read_source(path)
        return self.bench.place.call(trial.read_source, self.bench.place.there(path))

    # -------------------------------------------------------------- performing

    def _perform(self) -> bool:
        """Bring the place to what is chosen; False when a step of it cannot be done."""
        if self.done != self.chosen[: len(self.done)]:
            self._reset()
        tries = [(False, True), (True, True)]
        if self.options.constraints:
            tries.append((True, False))  # they may be what asks for the clash
        for loose, project in tries:
            new = self.chosen[len(self.done) :]
            for way in new:
                try:
                    self.bench.perform(way.steps)
                except (OSError, ValueError) as error:
                    return self._refused([way], str(error))
            problem = self._install(new, loose=loose, project=project)
            if problem is None:
                self.done = list(self.chosen)
                return True
            self._reset()
        # Of several that do not go together the last is given up: causes are in causal order.
        return self._refused([way for way in new if installs(way)][-1:], problem or "")

    def _reset(self) -> None:
        self.bench.reset()
        self.done = []

    def _refused(self, ways: Sequence[Way], why: str) -> bool:
        """Dismiss ways of which a step failed; the place has to be made again."""
        self.failure = why
        for way in ways:
            self.chosen.remove(way)
            self.dismissed.append((way, why))
        self._reset()
        return False

    def _install(self, ways: Sequence[Way], *, loose: bool, project: bool) -> str | None:
        """Run the installer jointly for all ways; the reason when it fails.

        Args:
            ways: What is new.
            loose: Whether what else is installed may change.
            project: Whether what the project's files ask for is obeyed.
        """
        context = context_of(self.bench.current)
        request = request_of(
            [step for way in ways for step in way.steps],
            context,
            keep=self.options.keep,
            constraints=self.options.constraints if project else (),
            loose=loose,
        )
        if request is None:
            return None
        return self.bench.install(request, self._steps())

    def _steps(self) -> list[Step]:
        return [step for way in self.chosen for step in way.steps]

    # ----------------------------------------------------------------- looking

    def _examine(self, *, train: bool = True, command: bool = False) -> Examination:
        return self.bench.examine(self._steps(), train=train, command=command)

    def _found(self, examined: Examination, *, passed: bool, broken: tuple[str, ...]) -> Found:
        return Found(
            ways=tuple(self.chosen),
            examination=examined,
            passed=passed,
            attempts=self.attempts,
            newly_broken=broken,
            dismissed=tuple(self.dismissed),
            stuck=tuple(self.stuck),
            failure=self.failure,
            install_seconds=self.bench.install_seconds,
            causes=tuple(self.met.values()),
            unproven=frozenset(self.unproven),
            remarks=tuple(self.remarks),
        )


def _starting(asked: Asked, program: str) -> Asked:
    return asked._replace(command=("python", program), in_place=True)
