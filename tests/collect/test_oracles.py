"""Python's own answers, asked in the patient, against the collector's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from collect.collect_patients import Patient
from keras_doctor.collect import Request, collect
from keras_doctor.model import Snapshot, Target

DISTRIBUTIONS = """
import json, sys
from importlib.metadata import distributions
rows = []
for one in distributions(path=json.load(sys.stdin)):
    headers = one.metadata
    requires = headers.get_all("Requires-Dist")
    if requires is None:
        requires = one.requires or []
    rows.append([headers["Name"], headers["Version"], requires,
                 headers["Requires-Python"], str(one._path)])
print(json.dumps(rows))
"""

MODULES = """
import json, sys
from importlib.util import find_spec
names, path0 = json.load(sys.stdin)
sys.path[0] = path0
answers = {}
for name in names:
    spec = find_spec(name)
    found = None
    if spec is not None:
        found = spec.origin
        if found in (None, "namespace"):
            found = list(spec.submodule_search_locations or ["built-in"])[0]
    answers[name] = found
print(json.dumps(answers))
"""


def ask(python: str, program: str, given: Any, environ: Mapping[str, str], folder: str) -> Any:
    done = subprocess.run(
        [python, "-c", program],
        input=json.dumps(given).encode(),
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout.splitlines()[-1])


def assert_true_to_python(snapshot: Snapshot, target: Target, environ: Mapping[str, str]) -> None:
    """Distributions and modules are what the patient's own import system says."""
    assert target.python is not None
    assert snapshot.interpreter is not None
    minor = int(snapshot.interpreter.version.split(".")[1])
    if minor >= 8:
        path = [entry.path for entry in snapshot.path if entry.kind == "folder"]
        rows = ask(target.python, DISTRIBUTIONS, path, environ, target.folder)
        wanted = sorted((a, b, c, d, e) for a, b, c, d, e in rows if a is not None)
        found = sorted(
            (one.name, one.version, list(one.requires), one.requires_python, one.metadata)
            for one in snapshot.distributions
            if os.path.exists(os.path.join(one.metadata, "METADATA"))
            or not one.metadata.endswith(".dist-info")
        )
        assert [row[:2] + row[3:] for row in found] == [row[:2] + row[3:] for row in wanted]
        for ours, theirs in zip(found, wanted, strict=True):
            # The oracle rewrites requires.txt in another way.
            assert len(ours[2]) == len(theirs[2])
            if ours[4].endswith(".dist-info"):
                assert ours[2] == theirs[2]
    names = [one.name for one in snapshot.modules]
    answers = ask(target.python, MODULES, [names, target.path0], environ, target.folder)
    for module in snapshot.modules:
        if module.kind in ("builtin", "frozen"):
            assert answers[module.name] in ("built-in", "frozen")
        else:
            assert module.path == answers[module.name], module.name


def test_every_python(any_python: str, patient_of: Callable[[str], Patient]) -> None:
    patient = patient_of(any_python)
    patient.install("Keras", "3.0", {"keras/__init__.py": ""}, requires=("a ; extra == 'x'",))
    patient.install("ml-dtypes", "0.5", {"ml_dtypes/b.py": "", "six.py": ""})
    suffix = ask(
        patient.python,
        "import json, _imp; print(json.dumps(_imp.extension_suffixes()[0]))",
        None,
        patient.environ,
        str(patient.project),
    )
    for name in ("both", "pack", "space", "json", "sys", "only"):
        (patient.project / name).mkdir()
    (patient.project / "both.py").write_text("")
    (patient.project / f"ext{suffix}").write_text("")
    (patient.project / "ext.py").write_text("")
    (patient.project / "late.pyc").write_text("")
    (patient.project / "pack/__init__.pyc").write_text("")
    (patient.site / "space").mkdir()
    (patient.site / "only").mkdir()
    (patient.site / "only/__init__.py").write_text("")
    names = ("both", "pack", "space", "json", "sys", "only", "ext", "late", "keras", "six", "os.x")
    snapshot = collect(patient.target(), patient.environ, Request(module_names=names[:-1]))
    assert snapshot.start.mode == "normal"
    assert_true_to_python(snapshot, patient.target(), patient.environ)
    assert {one.name: one.kind for one in snapshot.modules if one.name in names} == {
        "both": "module",
        "pack": "package",
        "space": "namespace",
        "json": "package",
        "sys": "builtin",
        "only": "package",
        "ext": "extension",
        "late": "bytecode",
        "keras": "package",
        "six": "module",
    }


def test_the_base_interpreter(any_python: str, patient_of: Callable[[str], Patient]) -> None:
    """With what is really installed there: pip, setuptools, what the owner has."""
    patient = patient_of(any_python)
    target = patient.target(python=any_python)
    snapshot = collect(target, patient.environ, Request(roots=("keras", "pip", "setuptools")))
    assert_true_to_python(snapshot, target, patient.environ)
    for check in snapshot.files:
        assert check.anomalies == (), check.distribution


SCENARIOS = [
    "ok-tf-218",
    "ok-jax-k38",
    "ok-torch-json",
    "ok-theano-k224",
    "comp-tf115-protobuf4",
    "int-two-distinfos-numpy",
    "res-keras-folder",
    "res-pythonpath-other",
    "res-types-py",
    "res-remnant-keras",
    "nat-ld-libstdcxx",
]


@pytest.mark.lab
@pytest.mark.parametrize("name", SCENARIOS)
def test_real_environments(built_lab: Path, name: str) -> None:
    folder = built_lab / name
    script = f". {folder}/activate.sh && exec env -0"
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    rows = [row.partition("=") for row in done.stdout.decode().split("\0") if row]
    environ = {key: value for key, _, value in rows} | {"PYTHONDONTWRITEBYTECODE": "1"}
    target = Target(
        python=str(folder / "env/bin/python"),
        chosen="a test",
        folder=str(folder / "project"),
        start="script",
        path0=str(folder / "project"),
        script=None,
        command=(),
        environment=str(folder / "env"),
        manager="venv",
    )
    snapshot = collect(target, environ)
    assert snapshot.problems == ()
    if name != "res-types-py":  # there not even the oracle starts
        assert_true_to_python(snapshot, target, environ)
    anomalies = {one.distribution: one.anomalies_total for one in snapshot.files if one.anomalies}
    strangers = {one.distribution for one in snapshot.files if one.unrecorded}
    assert set(anomalies) == ({"numpy"} if name == "int-two-distinfos-numpy" else set())
    assert strangers == set()
    if name.startswith("ok-"):
        keras = next(one for one in snapshot.files if one.distribution.lower() == "keras")
        version = next(one.version for one in snapshot.distributions if one.name.lower() == "keras")
        assert keras.code_version == version
