"""Whatever is changed into whatever: applied exactly, and taken back to the byte."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixes.transaction.plans import ELSEWHERE
from fixes.transaction.worlds import T0, Node, Tree, World, file, folder, link, remove
from keras_doctor.fixes.transaction import apply, undo

# Nothing is waited for there.
MEMORY = ELSEWHERE if os.access(ELSEWHERE, os.W_OK) else None
NAMES = ["a", "b", "__pycache__", "m.cpython-311.pyc", "odd\n\udcff"]
TIMES = st.sampled_from([T0, T0 + 1, 0, T0 - 10**18])
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.builds(file, st.sampled_from(["", "x", "y"]), st.sampled_from([0o644, 0o755, 0o400]), TIMES),
    st.builds(link, st.sampled_from(["a", "../b", "/nowhere", "."]), TIMES),
)


def _folders(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    inside = st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    return st.tuples(st.builds(folder, st.sampled_from([0o755, 0o700, 0o555]), TIMES), inside)


NESTED = st.recursive(LEAVES, _folders, max_leaves=12)
TREES = st.dictionaries(st.sampled_from(NAMES), NESTED, max_size=4)


def flat(tree: dict[str, Any], above: str = "") -> Tree:
    found: Tree = {}
    for name, node in tree.items():
        if isinstance(node, Node):
            found[above + name] = node
        else:
            found[above + name] = node[0]
            found.update(flat(node[1], f"{above}{name}/"))
    return found


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(TREES, TREES)
def test_apply_and_undo(old: dict[str, Any], new: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        world = World(Path(place).resolve())
        try:
            world.build(flat(old))
            before = world.see()
            journal = world.plan(flat(new))
            applied = apply(world.store, journal)
            world.check_applied(applied)
            undo(world.store, applied)
            assert world.see() == before
        finally:
            remove(world.root)
            remove(world.stage)
