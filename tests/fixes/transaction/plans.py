"""Plans that are big enough to be interrupted at many points."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fixes.transaction.worlds import T0, Tree, World, file, folder, link
from keras_doctor.fixes.transaction import Journal

ELSEWHERE = Path("/dev/shm")
PLANS = ("upgrade", "kinds", "elsewhere")


def make(name: str, place: Path) -> World:
    """The world of a plan, without its environment; the third has another disk for its stage."""
    return World(place, stage=_other_disk(place) if name == "elsewhere" else None)


def build(world: World, name: str) -> None:
    """The old state."""
    world.build(_OLD[name], _HOME)


def plan(world: World, name: str) -> Journal:
    """A journal of the plan, with a new stage."""
    if name == "elsewhere":
        config = {**_HOME, ".keras/keras.json": file("{}"), ".keras": folder(0o700)}
    else:
        config = {**_HOME, ".theanorc": file("new", 0o600)}
    files = [".keras/keras.json"] if name == "elsewhere" else [".theanorc"]
    return world.plan(_NEW[name], config, files)


def _other_disk(place: Path) -> Path | None:
    for other in (ELSEWHERE, Path(tempfile.gettempdir())):
        if os.access(other, os.W_OK) and os.stat(other).st_dev != os.stat(place).st_dev:
            return other / f"keras-doctor-test-{os.getpid()}"
    return None


_HOME: Tree = {".theanorc": file("old"), "precious": file("mine")}
_OLD: dict[str, Tree] = {
    "upgrade": {
        **{f"lib/keras/m{n}.py": file(f"old {n}") for n in range(12)},
        **{f"lib/keras/gone{n}/x.py": file("x", 0o444) for n in range(5)},
        "lib/keras-2.dist-info/RECORD": file("2"),
        "bin/tool": file("t", 0o644),
    },
    "kinds": {
        "a/file": file("f"),
        "a/link": link("file"),
        "a/folder/in/it": file("i"),
        "a/folder/in": folder(0o555),
        "b/file": file("f", 0o400),
        "b/link": link("../a"),
        "b/folder/one": link("two"),
        "b/folder/two": file("2"),
        "c/folder": folder(0o500),
        "c/closed/x": file("x"),
        "c/closed": folder(0o555),
        "c/time": file("same"),
        "c/mode": file("same", 0o600),
    },
    "elsewhere": {
        **{f"lib/x{n}": file(f"old {n}") for n in range(8)},
        "lib/l": link("x1"),
    },
}
_NEW: dict[str, Tree] = {
    "upgrade": {
        **{f"lib/keras/m{n}.py": file(f"new {n}", 0o644, T0 + n) for n in range(12)},
        **{f"lib/keras/new{n}/x.py": file("x", 0o600) for n in range(5)},
        "lib/keras-3.dist-info/RECORD": file("3"),
        "bin/tool": file("t", 0o755),
    },
    "kinds": {
        "a/file": link("folder"),
        "a/link/deep/er": file("now a folder", 0o444),
        "a/link/deep": folder(0o555, T0 + 1),
        "a/folder": file("now a file"),
        "b/file/x": file("x"),
        "b/file": folder(0o700, T0 + 2),
        "b/link": file("now a file"),
        "b/folder": link("file"),
        "c/folder/x": file("x"),
        "c/closed/x": file("y"),
        "c/closed/z": file("z"),
        "c/closed": folder(0o755),
        "c/time": file("same", 0o644, T0 + 3),
        "c/mode": file("same", 0o711),
    },
    "elsewhere": {
        **{f"lib/x{n}": file(f"new {n}", 0o640) for n in range(6)},
        **{f"lib/y{n}": file(f"new {n}", 0o444, T0 + 5) for n in range(6)},
        "lib/l": link("y1", T0 + 4),
    },
}
