"""Real environments that work and tempt a checker: not one cause, and exit status 0.

Each test first sees the environment train without the doctor.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from environments.builder import Environment, check, run_uv, runs

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]
TRAIN = """\
import numpy as np
import keras
model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(3,))])
model.compile(optimizer="sgd", loss="mse")
model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=1, verbose=0)
print("trained on", keras.backend.backend())
"""


def untouched(environment: Environment) -> None:
    """Nothing odd at all."""


def config_written_by_keras(environment: Environment) -> None:
    """keras.json says tensorflow because Keras wrote it by itself, once."""
    environment.keras_json()


def config_overruled(environment: Environment) -> None:
    """keras.json names a backend of another age; the variable wins."""
    environment.keras_json(backend="theano")


def system_site_packages(environment: Environment) -> None:
    config = environment.folder / "env" / "pyvenv.cfg"
    text = config.read_text()
    assert "include-system-site-packages = false" in text
    config.write_text(text.replace("packages = false", "packages = true"))


def unrelated_requirement_broken(environment: Environment) -> None:
    environment.metadata("unrelated", "1.0", "Requires-Dist: numpy<1", "Requires-Dist: nowhere")


def violated_pin_that_works(environment: Environment) -> None:
    """rich, which Keras imports, declares pygments>=2.13; it works with 2.12."""
    run_uv(
        *("pip", "install", "--quiet", "--no-deps", "--python", str(environment.python)),
        "pygments==2.12.0",
    )


def harmless_pythonpath(environment: Environment) -> None:
    library = environment.folder / "library"
    (library / "helpers").mkdir(parents=True)
    (library / "helpers" / "__init__.py").write_text("ANSWER = 42\n")
    environment.variables["PYTHONPATH"] = f"{library}:{environment.folder}/gone"


def unused_user_site_copy(environment: Environment) -> None:
    """An old Keras in the user site, which a virtual environment does not look at."""
    version = environment.site.parent.name
    site = environment.home / ".local" / "lib" / version / "site-packages"
    (site / "keras").mkdir(parents=True)
    (site / "keras" / "__init__.py").write_text("raise ImportError('an old one')\n")
    environment.metadata("Keras", "2.3.1", site=site)


def leftover_of_an_unrelated_package(environment: Environment) -> None:
    (environment.site / "~andas").mkdir()
    (environment.site / "~andas" / "__init__.py").write_text("")
    environment.metadata("andas", "2.0.0", prefix="~")


def editable_install(environment: Environment) -> None:
    """A package of the user's own, installed editable and imported by the script."""
    source = environment.folder / "mylib"
    (source / "src" / "mylib").mkdir(parents=True)
    (source / "src" / "mylib" / "__init__.py").write_text("import keras\nUNITS = 1\n")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "mylib"\nversion = "0.1"\ndependencies = ["keras", "jax"]\n'
    )
    run_uv(
        *("pip", "install", "--quiet", "--no-deps", "--python", str(environment.python)),
        *("--editable", str(source)),
    )
    (environment.project / "train.py").write_text(f"import mylib\n{TRAIN}")


def names_of_unused_modules(environment: Environment) -> None:
    """Files called like standard modules that nothing on the way imports."""
    for name in ("this.py", "code.py", "antigravity.py"):
        (environment.project / name).write_text("raise RuntimeError('not meant for import')\n")


def project_called_like_a_backend(environment: Environment) -> None:
    """A folder with data, not a package; the real jax wins over a namespace."""
    (environment.project / "jax").mkdir()
    (environment.project / "jax" / "notes.txt").write_text("")


def sitecustomize_that_prints(environment: Environment) -> None:
    (environment.site / "sitecustomize.py").write_text(
        "import sys\nprint('welcome')\nprint('{\"json\": 1}', file=sys.stderr)\n"
    )


def conda_variables_left_over(environment: Environment) -> None:
    environment.variables["CONDA_PREFIX"] = "/opt/conda-that-is-gone/envs/old"
    environment.variables["CONDA_DEFAULT_ENV"] = "old"


def path_file_to_nowhere(environment: Environment) -> None:
    (environment.site / "old-project.pth").write_text("/somewhere/that/is/gone\n# a comment\n")


def metadata_left_over(environment: Environment) -> None:
    """A second dist-info of an older release, whose files are all gone."""
    old = environment.site / "keras-3.11.0.dist-info"
    shutil.copytree(environment.site / "keras-3.12.0.dist-info", old)
    text = (old / "METADATA").read_text(encoding="utf-8")
    (old / "METADATA").write_text(text.replace("Version: 3.12.0", "Version: 3.11.0", 1))


HEALTHY: list[Callable[[Environment], None]] = [
    untouched,
    config_written_by_keras,
    config_overruled,
    system_site_packages,
    unrelated_requirement_broken,
    violated_pin_that_works,
    harmless_pythonpath,
    unused_user_site_copy,
    leftover_of_an_unrelated_package,
    editable_install,
    names_of_unused_modules,
    project_called_like_a_backend,
    sitecustomize_that_prints,
    conda_variables_left_over,
    path_file_to_nowhere,
    metadata_left_over,
]


@pytest.mark.parametrize("tempt", HEALTHY, ids=[tempt.__name__ for tempt in HEALTHY])
def test_no_cause(jax_environment: Environment, tempt: Callable[[Environment], None]) -> None:
    jax_environment.variables["KERAS_BACKEND"] = "jax"
    (jax_environment.project / "train.py").write_text(TRAIN)
    tempt(jax_environment)
    trained = runs(jax_environment, "train.py")
    assert "trained on jax" in trained.stdout, trained.stderr

    live = check(jax_environment, "--backend", "jax", command=["python", "train.py"])
    assert live.causes == []
    assert (live.status, live.report["healthy"]) == (0, True)

    still = check(jax_environment, "--backend", "jax", "--no-live")
    assert still.causes == []
    assert (still.status, still.report["healthy"]) == (0, None)


def test_theano_is_healthy(theano_environment: Environment) -> None:
    theano_environment.variables["KERAS_BACKEND"] = "theano"
    for arguments in ([], ["--no-live"]):
        checked = check(theano_environment, "--backend", "theano", *arguments)
        assert (checked.status, checked.causes) == (0, [])
