"""The extension in a real Jupyter kernel: ipykernel, driven by nbclient."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = tmp_path / "share" / "jupyter" / "kernels" / "doctor"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = json.dumps({"argv": argv, "display_name": "doctor", "language": "python"})
    (spec / "kernel.json").write_text(text, encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "work").mkdir()

    def run_cells(*cells: str) -> list[list[dict[str, Any]]]:
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        client = nbclient.NotebookClient(
            notebook,
            kernel_name="doctor",
            timeout=120,
            allow_errors=True,
            resources={"metadata": {"path": str(tmp_path / "work")}},
        )
        client.execute()
        return [cell.outputs for cell in notebook.cells]

    return run_cells


def streams(outputs: list[dict[str, Any]]) -> str:
    return "".join(o["text"] for o in outputs if o["output_type"] == "stream")


def shown(outputs: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = next(o["data"] for o in outputs if "data" in o)
    return found


def test_an_import_error_gets_a_hint_and_an_explanation(run: Any) -> None:
    cells = run("%load_ext keras_doctor", "import keras", "%keras_doctor explain")
    assert "`%keras_doctor explain` says why" in streams(cells[1])
    card = shown(cells[2])
    assert "Keras is not installed in this Python" in card["text/plain"]
    assert "Keras is not installed in this Python" in card["text/html"]
    assert sys.executable in card["text/html"]


def test_other_errors_get_none(run: Any) -> None:
    cells = run("%load_ext keras_doctor", "1 / 0", "import no_such_module_of_mine")
    assert "keras-doctor" not in streams(cells[1]) + streams(cells[2])


def test_the_check_is_of_this_kernel_and_tells_of_another_pip(run: Any, tmp_path: Path) -> None:
    pip = tmp_path / "elsewhere" / "pip"
    pip.parent.mkdir()
    pip.write_text("#!/bin/sh\n")
    pip.chmod(0o755)
    cells = run(
        f"import os; os.environ['PATH'] = {str(pip.parent)!r} + ':' + os.environ['PATH']",
        "%load_ext keras_doctor",
        "%keras_doctor",
        "%keras_doctor nonsense",
    )
    card = shown(cells[2])
    assert f"`!pip` is {pip}" in card["text/plain"]
    assert f"`!pip` is {pip}" in card["text/html"]
    assert "Keras is not installed" in card["text/html"]
    assert "%keras_doctor explain" in streams(cells[3])


def test_a_module_of_before_an_install_is_told(run: Any) -> None:
    stale = (
        "import types, sys, importlib.metadata as m; x = types.ModuleType('packaging');"
        "x.__version__ = '1.0'; sys.modules['packaging'] = x"
    )
    cells = run("%load_ext keras_doctor", stale, "%keras_doctor")
    assert "packaging 1.0 was imported before" in shown(cells[2])["text/plain"]
    assert "restart the kernel" in shown(cells[2])["text/html"]
