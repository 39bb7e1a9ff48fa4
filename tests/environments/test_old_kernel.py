"""A real kernel that is too old to hold the tool: it is examined from outside."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from environments.builder import old_python, run_uv

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

pytestmark = pytest.mark.environment
DOCTOR = f"{sys.executable} -m keras_doctor"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    python = old_python()
    if python is None:
        pytest.skip("no Python 3.8 or 3.7 on this machine (pyenv, PATH)")
    environment = str(tmp_path / "env")
    run_uv("venv", "--quiet", "--no-project", "--python", python, environment)
    run_uv("pip", "install", "--quiet", "--python", f"{environment}/bin/python", "ipykernel")
    spec = tmp_path / "share" / "jupyter" / "kernels" / "old"
    spec.mkdir(parents=True)
    executable = tmp_path / "env" / "bin" / "python"
    argv = [str(executable), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = json.dumps({"argv": argv, "display_name": "old", "language": "python"})
    (spec / "kernel.json").write_text(text, encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return executable


def test_the_first_line_of_the_notebook_page_works_there(kernel: Path, tmp_path: Path) -> None:
    notebook: Any = nbformat.v4.new_notebook()
    cells = ["import sys\nprint(sys.version)", f"!{DOCTOR} check --python {{sys.executable}}"]
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    client = nbclient.NotebookClient(
        notebook, kernel_name="old", timeout=180, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    version, report = ["".join(o.get("text", "") for o in c.outputs) for c in notebook.cells]
    assert version.startswith("3.")
    assert version.split(".")[1] in ("7", "8")
    assert "Keras is not installed in this Python" in report
    assert str(kernel) in report.replace("\n", "").replace(" ", "")
