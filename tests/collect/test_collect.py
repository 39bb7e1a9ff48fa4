"""The collector in small real environments."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from collect.collect_patients import Patient, tree
from keras_doctor.collect import Request, collect
from keras_doctor.model import FileCheck, Module, Snapshot


def check(snapshot: Snapshot, name: str) -> FileCheck:
    return next(one for one in snapshot.files if one.distribution == name)


def module(snapshot: Snapshot, name: str) -> Module:
    return next(one for one in snapshot.modules if one.name == name)


def test_an_empty_environment(patient: Patient) -> None:
    snapshot = collect(patient.target(), patient.environ)
    assert snapshot.start.mode == "normal"
    assert snapshot.interpreter is not None
    assert snapshot.interpreter.executable == patient.python
    assert snapshot.interpreter.version == sys.version.split()[0]
    assert snapshot.interpreter.prefix == str(patient.folder / "env")
    assert snapshot.interpreter.base_prefix == sys.base_prefix
    assert snapshot.interpreter.stdlib == os.path.dirname(os.__file__)
    assert snapshot.interpreter.system_site_packages is False
    assert [entry.origin for entry in snapshot.path] == ["script"] + ["stdlib"] * 3 + [
        "site-packages"
    ]
    assert snapshot.path[-1].path == str(patient.site)
    assert module(snapshot, "keras").kind == "missing"
    assert snapshot.machine is not None
    assert snapshot.machine.uid == os.getuid()
    assert snapshot.target == patient.target()
    assert snapshot.problems == ()


def test_no_trace(patient: Patient) -> None:
    patient.install("keras", files={"keras/__init__.py": "raise SystemExit('imported')\n"})
    patient.environ.pop("PYTHONDONTWRITEBYTECODE")
    (patient.project / "keras.py").write_text("raise SystemExit('imported')\n")
    before = tree(patient.folder)
    collect(patient.target(), patient.environ)
    assert tree(patient.folder) == before


STANDARD = ["json", "os", "stat", "re", "ast", "site", "posixpath", "_imp", "collections", "csv"]


@pytest.mark.parametrize("where", ["folder", "PYTHONPATH"])
def test_files_named_like_standard_modules_never_run(patient: Patient, where: str) -> None:
    # Of a folder on PYTHONPATH Python itself loads os and site while it starts.
    hostile = STANDARD if where == "folder" else ["json", "ast", "stat2", "csv"]
    for name in hostile:
        (patient.project / f"{name}.py").write_text("open('ran', 'w'); raise SystemExit(3)\n")
    if where == "PYTHONPATH":
        patient.environ["PYTHONPATH"] = str(patient.project)
    patient.install("keras", more={"direct_url.json": '{"url": "file:///x", "dir_info": {}}'})
    snapshot = collect(patient.target(), patient.environ)
    assert not (patient.project / "ran").exists()
    assert {one.name for one in snapshot.local_modules} == set(hostile)
    assert snapshot.start.mode == "normal"


def test_a_standard_module_that_start_up_code_took_from_elsewhere(patient: Patient) -> None:
    (patient.project / "json.py").write_text("def loads(text): raise SystemExit('mine')\n")
    (patient.site / "a.pth").write_text(
        f"import sys; sys.path.insert(0, {str(patient.project)!r})\n"
    )
    (patient.site / "b.pth").write_text("import json\n")
    patient.install("keras", more={"direct_url.json": '{"url": "https://u:p@h/x"}'})
    snapshot = collect(patient.target(path0=None), patient.environ)
    assert snapshot.distributions[0].origin_url == "https://<credentials>@h/x"
    assert snapshot.path[0].path == str(patient.project)
    assert snapshot.path[0].where == f"{patient.site / 'a.pth'}:1"
    assert [one.origin for one in snapshot.local_modules] == ["pth"]


def test_import_hooks_of_start_up_code_are_left_out(patient: Patient) -> None:
    (patient.site / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hook:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'json': open('hooked', 'w')\n"
        "sys.meta_path.insert(0, Hook())\n"
        "print('--keras-doctor-'); print('{}')\n"
        "import atexit; atexit.register(open, 'at-exit', 'w')\n"
    )
    patient.install("keras", more={"direct_url.json": "not json"})
    snapshot = collect(patient.target(), patient.environ)
    assert os.listdir(patient.project) == []
    assert [(line.kind, line.path) for line in snapshot.startup] == [
        ("customize", str(patient.site / "sitecustomize.py"))
    ]
    assert len(snapshot.problems) == 1
    assert "direct_url.json is damaged" in snapshot.problems[0]


def test_path_origins(patient: Patient) -> None:
    extra = patient.folder / "extra"
    extra.mkdir()
    editable = patient.folder / "editable"
    editable.mkdir()
    (patient.site / "extra.pth").write_text(f"# remark\n{extra}\n/nowhere/at/all\nimport sys\n")
    (patient.site / "__editable__.x-1.pth").write_text(f"{editable}\n")
    patient.environ["PYTHONPATH"] = f"lib{os.pathsep}/usr/lib/python3.6/site-packages"
    snapshot = collect(patient.target(), patient.environ)
    found = [(one.path, one.origin, one.where, one.kind, one.python) for one in snapshot.path]
    version = sysconfig.get_python_version()
    assert found[1:3] == [
        (str(patient.project / "lib"), "pythonpath", "PYTHONPATH", "missing", None),
        ("/usr/lib/python3.6/site-packages", "pythonpath", "PYTHONPATH", "missing", "3.6"),
    ]
    assert found[-3:] == [
        (str(patient.site), "site-packages", None, "folder", version),
        (str(editable), "editable", f"{patient.site}/__editable__.x-1.pth:1", "folder", None),
        (str(extra), "pth", f"{patient.site}/extra.pth:2", "folder", None),
    ]
    assert [(line.line, line.kind) for line in snapshot.startup] == [
        (1, "path"),
        (2, "path"),
        (3, "missing"),
        (4, "code"),
    ]


def test_distributions_and_leftovers(patient: Patient) -> None:
    patient.install("Keras", "3.0", requires=("numpy", "x; extra == 'y'"))
    patient.install("ml-dtypes", "1.0", {"ml_dtypes/a.py": "", "_ml.so": ""}, record=False)
    (patient.site / "ml_dtypes-0.5.dist-info").mkdir()
    (patient.site / "~eras").mkdir()
    patient.install("~eras", "2.0", {})
    egg = patient.site / "Theano-1.0.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: Theano\nVersion: 1.0.5\n")
    (egg / "requires.txt").write_text("numpy\n[gpu]\npygpu\n")
    (egg / "top_level.txt").write_text("theano\nbin\n")
    (patient.site / "old-2.0-py3.8.egg-info").write_text("Name: old\nVersion: 2.0\n\n")
    snapshot = collect(patient.target(), patient.environ)
    rows = {
        Path(one.metadata).name: (one.name, one.version, one.record, one.import_packages)
        for one in snapshot.distributions
    }
    assert rows == {
        "Keras-3.0.dist-info": ("Keras", "3.0", "present", ("Keras",)),
        "ml_dtypes-1.0.dist-info": ("ml-dtypes", "1.0", "missing", ()),
        "ml_dtypes-0.5.dist-info": ("ml_dtypes", "0.5", "missing", ()),
        "Theano-1.0.egg-info": ("Theano", "1.0.5", "missing", ("theano", "bin")),
        "old-2.0-py3.8.egg-info": ("old", "2.0", "missing", ()),
    }
    keras = next(one for one in snapshot.distributions if one.name == "Keras")
    assert keras.requires == ("numpy", "x; extra == 'y'")
    assert keras.installer == "pip"
    assert keras.tags == ("py3-none-any",)
    theano = next(one for one in snapshot.distributions if one.name == "Theano")
    assert theano.requires == ("numpy", 'pygpu; extra == "gpu"')
    assert [(Path(one.path).name, one.name, one.version) for one in snapshot.leftovers] == [
        ("~eras", None, None),
        ("~eras-2.0.dist-info", "~eras", "2.0"),
    ]
    assert any("ml_dtypes-0.5.dist-info/METADATA" in problem for problem in snapshot.problems)


def test_modules_and_their_copies(patient: Patient) -> None:
    patient.install("keras")
    (patient.project / "keras").mkdir()
    (patient.project / "torch.py").write_text("")
    snapshot = collect(patient.target(), patient.environ)
    keras = module(snapshot, "keras")
    assert (keras.kind, keras.entry) == ("package", str(patient.site))
    assert [copy.kind for copy in keras.copies] == ["namespace", "package"]
    assert module(snapshot, "torch").path == str(patient.project / "torch.py")
    assert {(one.name, one.kind) for one in snapshot.local_modules} == {
        ("keras", "namespace"),
        ("torch", "module"),
    }
    builtin = collect(patient.target(), patient.environ, Request(module_names=("sys", "zipimport")))
    assert [one.kind for one in builtin.modules[:2]] == ["builtin", "frozen"]


def test_editable_finder(patient: Patient) -> None:
    source = patient.folder / "src" / "keras"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("")
    finder = f"MAPPING: dict[str, str] = {{'keras': {str(source)!r}}}\nraise SystemExit\n"
    patient.install("keras", files={"__editable___keras_1_0_finder.py": finder})
    found = module(collect(patient.target(), patient.environ), "keras")
    assert (found.kind, found.path) == ("package", str(source / "__init__.py"))
    assert found.entry == str(source.parent)


def test_local_modules_are_bounded(patient: Patient) -> None:
    for number in range(520):
        (patient.project / f"m{number}.py").touch()
    snapshot = collect(patient.target(), patient.environ)
    assert len(snapshot.local_modules) == 500
    assert "holds 520 names" in snapshot.problems[0]


def test_names_outside_ascii_without_a_locale(
    any_python: str, patient_of: Callable[[str], Patient]
) -> None:
    patient = patient_of(any_python)
    name = os.fsdecode(b"caf\xc3\xa9-\xff")
    project = patient.project / name
    project.mkdir()
    (project / "é.py").write_text("")
    patient.install("keras", files={"keras/é.py": "x", "keras/__init__.py": ""})
    target = patient.target(folder=str(project), path0=str(project))
    environ = {**patient.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "KERAS_BACKEND": "é"}
    snapshot = collect(target, environ)
    assert snapshot.start.mode == "normal"
    assert snapshot.problems == ()
    assert snapshot.target == target
    assert (snapshot.path[0].path, snapshot.path[0].kind) == (str(project), "folder")
    # A Python that takes file names for ASCII could not import it either.
    importable = [] if "python3.6" in str(patient.site) else ["é"]
    assert [one.name for one in snapshot.local_modules] == importable
    assert snapshot.variables[0].value == "é"
    assert check(snapshot, "keras").anomalies == ()
