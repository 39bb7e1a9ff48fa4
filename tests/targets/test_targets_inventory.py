"""The list of Pythons that hold a Keras or a backend."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from keras_doctor.codec import encode
from keras_doctor.targets.inventory import EnvironmentFound, below, list_environments
from keras_doctor.targets.packages import in_folder
from targets.targets_help import constructed_conda, constructed_python, make_venv, program


def site(env: Path) -> Path:
    return next((env / "lib").glob("python3*")) / "site-packages"


def install(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.dist-info").mkdir()


def listed(world: dict[str, str], folder: Path) -> dict[str, EnvironmentFound]:
    return {one.python: one for one in list_environments(world, str(folder))}


def shown(entry: EnvironmentFound) -> list[str]:
    return [f"{one.name} {one.version}" for one in entry.packages]


def test_environments_of_every_maker_are_listed(
    world: dict[str, str], folder: Path, tmp_path: Path, venv: Path
) -> None:
    home = Path(world["HOME"])
    world["PATH"] = str(venv / "bin")
    deep = make_venv(folder / "a" / "b" / "env")
    install(site(deep), "keras-3.8.0", "Theano-1.0.5", "ml_dtypes-0.4", "keras_tuner-1.0")
    hidden = make_venv(folder / "node_modules" / "env")
    install(site(hidden), "keras-3.8.0")
    empty = make_venv(folder / "empty")
    install(site(empty), "numpy-2.0")
    pyenv = constructed_python(home / ".pyenv" / "versions" / "3.8.18")
    install(pyenv / "lib" / "python3.8" / "site-packages", "tensorflow_cpu-2.2.0", "numpy-1.18.5")
    conda = constructed_conda(home / "miniconda3" / "envs" / "deep")
    install(conda / "lib" / "python3.11" / "site-packages", "torch-2.1.0+cpu")
    away = constructed_conda(tmp_path / "away")
    install(away / "lib" / "python3.11" / "site-packages", "jax-0.4.30", "jaxlib-0.4.30")
    (home / ".conda").mkdir()
    (home / ".conda" / "environments.txt").write_text(f"{away}\n/no/such/env\n")
    shared = make_venv(home / ".virtualenvs" / "mine")
    install(site(shared), "openvino-2024.1")
    entries = listed(world, folder)
    assert {path: (one.found, one.manager, shown(one)) for path, one in entries.items()} == {
        f"{venv}/bin/python": (("PATH",), "venv", []),
        f"{deep}/bin/python": (("below the folder",), "venv", ["theano 1.0.5", "keras 3.8.0"]),
        f"{pyenv}/bin/python": (("pyenv",), "pyenv", ["numpy 1.18.5", "tensorflow-cpu 2.2.0"]),
        f"{conda}/bin/python": (("conda",), "conda", ["torch 2.1.0+cpu"]),
        f"{away}/bin/python": (("conda",), "conda", ["jax 0.4.30", "jaxlib 0.4.30"]),
        f"{shared}/bin/python": (("virtualenvs",), "venv", ["openvino 2024.1"]),
    }
    assert [one.active for one in entries.values()] == [True, False, False, False, False, False]
    assert next(iter(entries)) == f"{venv}/bin/python"
    assert entries[f"{pyenv}/bin/python"].version == "3.8.18"
    json.dumps(encode(list_environments(world, str(folder))))


def test_the_user_site_belongs_to_pythons_outside_environments(
    world: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    home = Path(world["HOME"])
    install(home / ".local" / "lib" / "python3.9" / "site-packages", "keras-2.9.0")
    base = constructed_python(home / ".pyenv" / "versions" / "3.9.18")
    env = constructed_python(tmp_path / "env")
    (env / "lib" / "python3.9" / "site-packages").mkdir(parents=True)
    (env / "pyvenv.cfg").write_text(f"home = {base}/bin\nversion = 3.9.18\n")
    world["VIRTUAL_ENV"] = str(env)
    entries = listed(world, folder)
    package = entries[f"{base}/bin/python"].packages[0]
    assert package.location == str(home / ".local" / "lib" / "python3.9" / "site-packages")
    assert entries[f"{env}/bin/python"].packages == ()
    (env / "pyvenv.cfg").write_text(
        f"home = {base}/bin\nversion = 3.9.18\ninclude-system-site-packages = true\n"
    )
    install(base / "lib" / "python3.9" / "site-packages", "jax-0.4")
    assert shown(listed(world, folder)[f"{env}/bin/python"]) == ["keras 2.9.0", "jax 0.4"]


def test_pip_is_shown_where_it_installs(
    world: dict[str, str], folder: Path, tmp_path: Path, venv: Path
) -> None:
    other = make_venv(tmp_path / "other")
    program(tmp_path / "bin" / "pip", f"#!{other}/bin/python\nimport sys\nsys.exit(main())\n")
    world["PATH"] = f"{tmp_path / 'bin'}:{world['PATH']}"
    entries = listed(world, folder)
    assert entries[f"{other}/bin/python"].pip == ("pip",)
    assert not entries[f"{other}/bin/python"].active
    assert entries[f"{venv}/bin/python"].active
    assert "pip" not in entries[f"{venv}/bin/python"].pip


def test_kernels_are_listed_even_when_their_python_is_gone(
    world: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    env = make_venv(tmp_path / "env")
    install(site(env), "keras-3.0.0")
    data = Path(world["HOME"]) / ".local" / "share" / "jupyter" / "kernels"
    for name, python in (("good", f"{env}/bin/python"), ("lost", "/no/such/python"), ("jl", "jl")):
        (data / name).mkdir(parents=True)
        language = "julia" if name == "jl" else "python"
        (data / name / "kernel.json").write_text(
            json.dumps({"argv": [python, "-m", "ipykernel"], "language": language})
        )
    entries = listed(world, folder)
    assert entries[f"{env}/bin/python"].found == ("kernel good",)
    assert entries["/no/such/python"].problem == (
        "its interpreter is gone: there is no /no/such/python"
    )
    assert "jl" not in entries


def test_one_environment_is_one_entry_with_all_its_places(
    world: dict[str, str], folder: Path
) -> None:
    env = make_venv(folder / ".venv")
    install(site(env), "keras-3.0.0")
    world["VIRTUAL_ENV"] = str(env)
    world["PATH"] = f"{env / 'bin'}:/usr/bin"
    entries = [one for one in list_environments(world, str(folder)) if one.folder == str(env)]
    assert [one.found for one in entries] == [("PATH", "VIRTUAL_ENV", "below the folder")]
    assert shown(entries[0]) == ["keras 3.0.0"]


def test_an_environment_with_a_dead_interpreter_says_so(
    world: dict[str, str], folder: Path
) -> None:
    env = make_venv(folder / "env")
    install(site(env), "keras-3.0.0")
    for name in os.listdir(env / "bin"):
        if name.startswith("python"):
            (env / "bin" / name).unlink()
    (env / "bin" / "python").symlink_to("/no/such/python3.11")
    problem = listed(world, folder)[f"{env}/bin/python"].problem
    assert problem == (f"its interpreter is gone: {env}/bin/python leads to /no/such/python3.11")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("keras-3.8.0.dist-info", ("keras", "3.8.0")),
        ("Keras-2.3.1-py3.7.egg-info", ("keras", "2.3.1")),
        ("tf_keras-2.16.0.dist-info", ("tf-keras", "2.16.0")),
        ("tf_nightly-2.19.0.dev20240101.dist-info", ("tf-nightly", "2.19.0.dev20240101")),
        ("Theano_PyMC-1.1.2.egg-info", ("theano-pymc", "1.1.2")),
        ("keras_tuner-1.4.dist-info", None),
        ("~eras-3.8.0.dist-info", None),
        ("keras", None),
        ("torchvision-0.17.dist-info", None),
    ],
)
def test_names_of_metadata(tmp_path: Path, entry: str, expected: tuple[str, str] | None) -> None:
    (tmp_path / entry).mkdir()
    found = [(one.name, one.version) for one in in_folder(str(tmp_path))]
    assert found == ([expected] if expected else [])


def test_the_search_below_the_folder_is_bounded(folder: Path) -> None:
    place = folder
    for depth in range(6):
        place = place / f"d{depth}"
        (place / "env").mkdir(parents=True)
        (place / "env" / "pyvenv.cfg").touch()
    assert len(list(below(str(folder)))) == 3
    assert list(below(str(folder), timeout=-1)) == []
    (folder / "loop").symlink_to(folder)
    start = time.monotonic()
    assert len(list(below(str(folder)))) == 3
    assert time.monotonic() - start < 5
