"""`fix` where conda or a project manager owns the environment: by its command, undone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments.builder import THEANO_STACK, Environment, find_python, keras_doctor, run_uv, runs
from environments.condaenv import Channel, make_conda
from environments.test_fix import fix, tree

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(sys.platform != "linux", reason="packages are made for linux-64"),
]
SAY = "import keras; print('on', keras.backend.backend())"


def placed(folder: Path, site: Path, **variables: str) -> Environment:
    """An environment that lies in a folder of its own, with a HOME and a project."""
    for name in ("home", "project"):
        (folder / name).mkdir(exist_ok=True)
    usual = os.path.join(os.path.expanduser("~"), ".cache", "uv")
    own = {
        "HOME": str(folder / "home"),
        **{name: value for name, value in os.environ.items() if "CERT" in name},
        "PATH": "/usr/bin:/bin",
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", usual),
    }
    return Environment(folder, site, {**own, **variables})


@pytest.fixture(scope="module")
def conda() -> Iterator[Path]:
    """A conda, with Keras 2.3 and two releases of numpy in its channel."""
    old, python = find_python("3.6"), find_python("3.8")
    if old is None or python is None:
        pytest.skip("no Python 3.6 and 3.8 on this machine (pyenv, PATH)")
    folder = Path(tempfile.mkdtemp(prefix="keras-doctor-conda-"))
    channel = Channel(folder / "channel")
    prefix = Path(python).resolve().parent.parent
    channel.add_python(prefix, "3.8.0")
    for requirement in (*THEANO_STACK, "numpy==1.22.4"):
        channel.add_distribution(requirement, Path(python))
    yield make_conda(folder / "conda", old, channel.address)
    shutil.rmtree(folder)


def test_what_conda_installed_is_changed_by_conda(conda: Path, tmp_path: Path) -> None:
    env = tmp_path / "env"
    names = [one.partition("==")[0] for one in THEANO_STACK if not one.startswith("numpy")]
    words = ["create", "-q", "-y", "-p", str(env), "python=3.8", "numpy=1.22", *names]
    # It notes what it makes in HOME.
    variables = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([str(conda), *words], check=True, timeout=300, env=variables)
    patient = placed(tmp_path, env / "lib" / "python3.8" / "site-packages", KERAS_BACKEND="theano")
    patient.variables["CONDA_EXE"] = str(conda)
    assert "blas_opt_info" in runs(patient, "-c", SAY).stderr
    before = tree(env)

    done = fix(patient, "--yes", "--backend", "theano", "--python", str(env))

    assert done["verified"], json.dumps(done, indent=1)
    (step,) = done["plan"]
    assert step["commands"][0]["argv"][:2] == ["conda", "install"]
    assert [one["name"] for one in done["rehearsal"]["distributions"]] == ["numpy"]
    assert sorted(path.name[:10] for path in (env / "conda-meta").glob("numpy-*")) == ["numpy-1.18"]
    assert "numpy<=" in (env / "conda-meta" / "history").read_text()
    assert "on theano" in runs(patient, "-c", SAY).stdout
    assert keras_doctor(patient, "undo").returncode == 0
    assert tree(env) == before


PROJECT = """\
[project]
name = "mine"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["keras==3.5.0", "jax==0.7.2"]  # as the paper says
"""


def test_a_project_of_uv_is_changed_by_uv(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    run_uv("sync", "-q", "--python", sys.executable, "--project", str(project))
    (site,) = (project / ".venv" / "lib").glob("python*/site-packages")
    patient = placed(tmp_path, site, KERAS_BACKEND="jax")
    (tmp_path / "env").symlink_to(project / ".venv")
    before = tree(project)

    done = fix(patient, "--yes", "--backend", "jax", "--python", str(project / ".venv"))

    assert done["verified"], json.dumps(done, indent=1)
    (step,) = done["plan"]
    assert step["commands"][0]["argv"][:2] == ["uv", "add"]
    assert "keras==3.12.0" in (project / "pyproject.toml").read_text()
    assert "as the paper says" in (project / "pyproject.toml").read_text()
    assert not [one for one in done["remarks"] if "asks for" in one]
    assert keras_doctor(patient, "undo").returncode == 0
    assert tree(project) == before
