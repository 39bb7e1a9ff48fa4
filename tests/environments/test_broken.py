"""Real environments that are really broken: the first cause, and its culprit.

Each test first sees the import fail without the doctor, so that none can pass on an environment
that is not broken.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from environments.builder import Checked, Environment, check, run_uv, runs

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]


def backend_missing(environment: Environment) -> None:
    environment.variables["KERAS_BACKEND"] = "torch"


def default_backend_missing(environment: Environment) -> None:
    """Nobody asks for a backend; Keras takes TensorFlow, which is not there."""


def config_typo(environment: Environment) -> None:
    environment.keras_json(backend="jaxx")


def truncated(environment: Environment) -> None:
    environment.variables["KERAS_BACKEND"] = "jax"
    path = environment.site / "keras" / "src" / "models" / "sequential.py"
    environment.replace(path, path.read_bytes()[:4000])


def zeroed(environment: Environment) -> None:
    environment.variables["KERAS_BACKEND"] = "jax"
    path = environment.site / "keras" / "src" / "losses" / "losses.py"
    environment.replace(path, bytes(path.stat().st_size))


def init_deleted(environment: Environment) -> None:
    environment.variables["KERAS_BACKEND"] = "jax"
    (environment.site / "keras" / "src" / "models" / "__init__.py").unlink()


def shadowed(environment: Environment) -> None:
    environment.variables["KERAS_BACKEND"] = "jax"
    (environment.project / "keras.py").write_text("LAYERS = 3\n")


def two_releases_mixed(environment: Environment) -> None:
    """An upgrade that was interrupted: the metadata of both releases, and files of both."""
    environment.variables["KERAS_BACKEND"] = "jax"
    other = environment.folder / "other"
    run_uv(
        *("pip", "install", "--quiet", "--no-deps", "--python", str(environment.python)),
        *("--target", str(other), "keras==3.6.0"),
    )
    shutil.move(other / "keras-3.6.0.dist-info", environment.site)
    for part in ("src/backend/common", "src/layers/layer.py", "src/utils"):
        target = environment.site / "keras" / part
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()
        shutil.move(other / "keras" / part, target)
    shutil.rmtree(other)


def interrupted(environment: Environment) -> None:
    """pip was stopped between moving the old release away and unpacking the new one."""
    environment.variables["KERAS_BACKEND"] = "jax"
    (environment.site / "keras").rename(environment.site / "~eras")
    metadata = environment.site / "keras-3.12.0.dist-info"
    metadata.rename(environment.site / "~eras-3.12.0.dist-info")


def typo_and_truncated(environment: Environment) -> None:
    truncated(environment)
    environment.variables["KERAS_BACKEND"] = "pytorch"


BROKEN: list[tuple[Callable[[Environment], None], set[str], tuple[str, ...]]] = [
    (backend_missing, {"backend-not-installed"}, ("torch", "KERAS_BACKEND")),
    (default_backend_missing, {"backend-not-installed"}, ("tensorflow",)),
    (config_typo, {"backend-unknown"}, ("keras.json",)),
    (truncated, {"altered-files"}, ("keras",)),
    (zeroed, {"altered-files"}, ("keras",)),
    (init_deleted, {"missing-files"}, ("keras",)),
    (shadowed, {"shadowed-module"}, ("keras.py",)),
    (two_releases_mixed, {"duplicate-metadata", "mixed-version-files"}, ("keras",)),
    (interrupted, {"interrupted-install"}, ("keras",)),
    (typo_and_truncated, {"backend-unknown"}, ("KERAS_BACKEND", "pytorch")),
]


@pytest.mark.parametrize(
    ("damage", "causes", "culprits"), BROKEN, ids=[damage.__name__ for damage, _, _ in BROKEN]
)
def test_first_cause(
    jax_environment: Environment,
    damage: Callable[[Environment], None],
    causes: set[str],
    culprits: tuple[str, ...],
) -> None:
    damage(jax_environment)
    (jax_environment.project / "train.py").write_text("import keras\nkeras.layers.Dense(1)\n")
    assert runs(jax_environment, "train.py").returncode != 0

    live = check(jax_environment, "--backend", "jax", command=["python", "train.py"])
    assert_first(live, causes, culprits)
    assert live.report["healthy"] is False
    static = check(jax_environment, "--backend", "jax", "--no-live", "--thorough")
    assert_first(static, causes, culprits)


def assert_first(checked: Checked, causes: set[str], culprits: tuple[str, ...]) -> None:
    assert checked.status == 1
    assert checked.report["exit_code"] == 1
    cause, culprit = checked.causes[0]
    assert cause in causes, checked.causes
    assert any(Path(culprit).name == name or culprit == name for name in culprits), culprit


def test_two_independent_faults_are_both_listed(jax_environment: Environment) -> None:
    typo_and_truncated(jax_environment)
    checked = check(jax_environment, "--backend", "jax")
    assert [cause for cause, _ in checked.causes] == ["backend-unknown", "altered-files"]


def test_what_a_typo_means_must_be_there_too(jax_environment: Environment) -> None:
    """Nobody said jax: `pytorch` means torch, and torch is not installed."""
    jax_environment.variables["KERAS_BACKEND"] = "pytorch"
    (first, _), *others = check(jax_environment).causes
    assert first == "backend-unknown"
    assert {culprit for _, culprit in others} <= {"torch"}


def test_keras_2_takes_tensorflow_by_default(theano_environment: Environment) -> None:
    assert "No module named 'tensorflow'" in runs(theano_environment, "-c", "import keras").stderr
    for arguments in ([], ["--no-live"]):
        checked = check(theano_environment, "--backend", "theano", *arguments)
        assert_first(checked, {"backend-not-installed"}, ("tensorflow",))


def test_a_missing_numpy_is_not_installed(theano_environment: Environment) -> None:
    theano_environment.variables["KERAS_BACKEND"] = "theano"
    for path in theano_environment.site.glob("numpy*"):
        shutil.rmtree(path)
    assert runs(theano_environment, "-c", "import keras").returncode != 0
    for arguments in ([], ["--no-live"]):
        assert_first(check(theano_environment, *arguments), {"not-installed"}, ("numpy",))
