"""Compiling what was installed, beside something else."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from keras_doctor.fixes.bytecode import begin_compiling, end_compiling, stop_compiling


def compile_files(python: str, names: list[str], environ: dict[str, str]) -> None:
    begin_compiling(python, names, environ, ("PYTHONPATH",))
    end_compiling()


def compiled_in(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in (folder / "__pycache__").iterdir()}


def test_sources_are_compiled_and_the_rest_is_left(tmp_path: Path) -> None:
    for name in ("good.py", "bad.py", "new\nline.py", "é.py"):
        (tmp_path / name).write_text("def (" if name == "bad.py" else "x = 1\n")
    odd = os.fsdecode(os.fsencode(str(tmp_path)) + b"/\xff.py")
    with open(odd, "w") as file:
        file.write("x = 1\n")
    names = [str(path) for path in tmp_path.iterdir()] + [str(tmp_path / "absent.py")]
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "/x"}
    compile_files(sys.executable, names, environ)
    assert {"good", "é"} <= compiled_in(tmp_path)
    assert "bad" not in compiled_in(tmp_path)
    assert stat.S_ISREG(os.lstat(tmp_path / "bad.py").st_mode)


def test_many_are_compiled_by_several_processes(tmp_path: Path) -> None:
    for number in range(401):
        (tmp_path / f"m{number}.py").write_text("x = 1\n")
    compile_files(sys.executable, [str(path) for path in tmp_path.iterdir()], dict(os.environ))
    assert len(compiled_in(tmp_path)) == 401


def test_what_is_not_wanted_any_more_is_ended(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    begin_compiling(str(slow), [str(tmp_path / "a.py")], {})
    stop_compiling()
    end_compiling()
    assert not (tmp_path / "__pycache__").exists()


def test_without_a_python_nothing_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    compile_files(str(tmp_path / "absent"), [str(tmp_path / "a.py")], {})
    compile_files(str(tmp_path / "absent"), [], {})
    assert os.listdir(tmp_path) == ["a.py"]
