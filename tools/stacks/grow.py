"""As many extras as go together.

All are tried at once. Where uv says which of them clash, the last of these is left out; where it
does not, groups are tried, and those that fail are halved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tools.stacks.plan import Plan
from tools.stacks.resolve import Row, Rows, UnresolvableError, resolve

GROUP = 16
"""So many extras are tried at once where all of them do not go."""

Resolver = Callable[[Plan, Sequence[str], Mapping[str, Row], set[str]], Rows]


class Grown:
    """A stack in the making."""

    def __init__(
        self,
        plan: Plan,
        known: Mapping[str, Row],
        source: set[str],
        resolver: Resolver = resolve,
    ) -> None:
        self.plan = plan
        self.source = source
        """What has no wheel of the time and is built."""
        self.rows: Rows = dict(known)
        """The pins so far; at first, those of a kin stack, which are kept where they can be."""
        self.taken: list[str] = []
        self.left: dict[str, str] = {}
        """The extras that do not go along, and why."""
        self._resolver = resolver

    def start(self) -> None:
        """Resolve what there is no stack without.

        Raises:
            UnresolvableError: There is no such stack.
        """
        self.rows = self._resolver(self.plan, [], self.rows, self.source)

    def add(self, names: Sequence[str]) -> None:
        """Put on top what goes along, the first before the later."""
        if not names:
            return
        waiting = list(names)
        while waiting:
            try:
                self.rows = self._resolver(
                    self.plan, [*self.taken, *waiting], self.rows, self.source
                )
            except UnresolvableError as error:
                blamed = [name for name in waiting if name in error.required]
                if blamed or len(waiting) == 1:
                    name = (blamed or waiting)[-1]
                    self.left[name] = str(error)
                    waiting.remove(name)
                    continue
                half = min(GROUP, (len(waiting) + 1) // 2)
                for start in range(0, len(waiting), half):
                    self.add(waiting[start : start + half])
            else:
                self.taken += waiting
            return


def grow(
    plan: Plan,
    kin: Mapping[str, Row],
    refused: Mapping[str, str],
    source: set[str],
    resolver: Resolver = resolve,
) -> Grown:
    """Resolve a plan.

    Args:
        plan: What is wanted.
        kin: The pins of a stack of the same Python and time; empty when there is none.
        refused: What that stack had to leave out, and why: tried last.
        source: What is known to have no wheel of the time; added to.
        resolver: Replaced in tests.
    """
    grown = Grown(plan, kin, source, resolver)
    grown.start()
    if kin:
        # What the start did not need is known too.
        grown.rows = {**kin, **grown.rows}
    wanted = [name for name in plan.extras if name not in refused]
    size = len(wanted) if kin else GROUP
    for start in range(0, len(wanted), max(size, 1)):
        grown.add(wanted[start : start + size])
    # Which wheels there are does not depend on the release of the backend; what clashes does.
    again = [name for name in plan.extras if name in refused and "wheels" not in refused[name]]
    for start in range(0, len(again), GROUP):
        grown.add(again[start : start + GROUP])
    settled = {n: why for n, why in refused.items() if n in plan.extras and n not in again}
    grown.left |= settled
    return grown
