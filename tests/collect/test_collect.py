"""The collector in small real environments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from collect_patients import Patient, tree

from keras_doctor.collect import Request, collect
from keras_doctor.model import ConfigFile, FileCheck, Module, Snapshot

KERAS_JSON = '{"backend": "jax"}'


def module(snapshot: Snapshot, name: str) -> Module:
    return next(one for one in snapshot.modules if one.name == name)


def check(snapshot: Snapshot, name: str) -> FileCheck:
    return next(one for one in snapshot.files if one.distribution == name)


def config(snapshot: Snapshot, source: str, kind: str = "keras.json") -> ConfigFile:
    return next(one for one in snapshot.configs if (one.source, one.kind) == (source, kind))


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


KERAS_FILES = {
    "keras/__init__.py": "__version__ = '3.1'\n",
    "keras/src/a.py": "a = 1\n",
    "keras/src/b.py": "b = 2\n",
    "keras/src/c.py": "c = 3\n" * 40,
    "keras/lib.so": "ELF",
    "keras/data/x.txt": "text",
    "keras/src/deep/d.py": "d = 4\n",
}


def test_healthy_files(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    snapshot = collect(patient.target(), patient.environ)
    found = check(snapshot, "keras")
    assert found.checked == 6
    assert found.anomalies == ()
    assert found.unrecorded == ()
    assert found.code_version == "3.1"
    assert found.code_version_where == f"{patient.site}/keras/__init__.py:1"
    assert found.contents_checked


def test_damaged_files(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    keras = patient.site / "keras"
    (keras / "src/a.py").unlink()
    (keras / "src/b.py").write_text("b")
    (keras / "src/c.py").write_bytes(b"\0" * 240)
    (keras / "src/deep/d.py").unlink()
    (keras / "src/deep").rmdir()
    (keras / "src/stale.py").write_text("x")
    (keras / "old/more").mkdir(parents=True)
    (keras / "old/more/stale.py").write_text("x")
    (keras / "data/y.txt").write_text("x")
    (keras / "src/__pycache__").mkdir()
    (keras / "src/__pycache__/a.cpython-311.pyc").write_text("x")
    found = check(collect(patient.target(), patient.environ), "keras")
    assert [(one.path, one.state, one.recorded_size, one.size) for one in found.anomalies] == [
        (str(keras / "src/a.py"), "missing", 6, None),
        (str(keras / "src/b.py"), "size", 6, 1),
        (str(keras / "src/c.py"), "zeros", 240, 240),
        (str(keras / "src/deep/d.py"), "missing", 6, None),
    ]
    assert set(found.unrecorded) == {str(keras / "src/stale.py"), str(keras / "old/more/stale.py")}
    assert (found.anomalies_total, found.unrecorded_total) == (4, 2)


def test_contents_can_be_left_out(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    (patient.site / "keras/src/c.py").write_bytes(b"\0" * 240)
    found = check(collect(patient.target(), patient.environ, Request(contents=False)), "keras")
    assert found.anomalies == ()
    assert not found.contents_checked


def test_lists_are_bounded_and_totals_are_not(patient: Patient) -> None:
    files = {f"keras/m{number}.py": "x" for number in range(300)}
    patient.install("keras", "3.0", files)
    for number in range(300):
        (patient.site / f"keras/m{number}.py").rename(patient.site / f"keras/n{number}.py")
    found = check(collect(patient.target(), patient.environ), "keras")
    assert (len(found.anomalies), found.anomalies_total) == (200, 300)
    assert (len(found.unrecorded), found.unrecorded_total) == (200, 300)


def test_files_of_twins_and_of_neighbours_are_no_strangers(patient: Patient) -> None:
    shared = {"tensorflow/__init__.py": "", "tensorflow/a.py": ""}
    patient.install("tensorflow", "2.0", shared)
    patient.install("tensorflow-cpu", "2.0", {**shared, "tensorflow/b.py": ""})
    patient.install("protobuf", "4.0", {"google/protobuf/__init__.py": ""})
    patient.install("google-auth", "2.0", {"google/auth/__init__.py": ""})
    patient.install("keras", "3.0", requires=("protobuf",))
    more = {"top_level.txt": "plugin\n"}
    patient.install("plugin", "1.0", {"keras/plugin/x.py": ""}, more=more)
    snapshot = collect(patient.target(), patient.environ, Request(asked=("tensorflow",)))
    assert {one.distribution for one in snapshot.files} == {
        "tensorflow",
        "tensorflow-cpu",
        "protobuf",
        "keras",
    }
    assert all(one.unrecorded == () for one in snapshot.files)


def test_files_of_a_silent_owner_are_no_strangers(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    patient.install(
        "silent", "1.0", {"keras/x.py": ""}, more={"top_level.txt": "keras\n"}, record=False
    )
    assert check(collect(patient.target(), patient.environ), "keras").unrecorded == ()


def test_what_lies_on_the_way(patient: Patient) -> None:
    patient.install("keras", requires=("absl-py>=1; python_version > '3'", "no; extra == 'all'"))
    patient.install("absl_py", files={"absl/__init__.py": ""}, requires=("deep",))
    for name in ("deep", "no", "unrelated", "torch", "jax", "jaxlib", "theano", "tensorflow"):
        patient.install(name)
    way = {"keras", "absl_py", "deep"}

    def names(request: Request, **variables: str) -> set[str]:
        snapshot = collect(patient.target(), {**patient.environ, **variables}, request)
        return {one.distribution for one in snapshot.files} - way

    assert names(Request()) == {"tensorflow"}
    assert names(Request(asked=("torch",))) == {"torch"}
    assert names(Request(), KERAS_BACKEND="jax") == {"jax", "jaxlib"}
    assert names(Request(), KERAS_BACKEND="nonsense") == {"tensorflow"}
    assert names(Request(roots=("keras", "unrelated"))) == {"tensorflow", "unrelated"}
    (patient.project / "keras.json").write_text('{"backend" : "theano"}')
    assert names(Request(), KERAS_BACKEND="jax") == {"jax", "jaxlib", "theano"}


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


def test_configurations(patient: Patient) -> None:
    (patient.home / ".keras").mkdir()
    (patient.home / ".keras/keras.json").write_bytes(b"\xef\xbb\xbf{}\xff")
    (patient.home / ".theanorc").mkdir()
    (patient.project / ".keras").mkdir()
    (patient.project / ".keras/keras.json").write_text("{" + " " * 70_000)
    os.mkfifo(patient.project / "keras.json")
    snapshot = collect(patient.target(), {**patient.environ, "KERAS_HOME": "~/other"})
    home = config(snapshot, "home")
    assert (home.state, home.text, home.folder_writable) == ("read", "\ufeff{}\udcff", True)
    assert home.mode == (patient.home / ".keras/keras.json").stat().st_mode & 0o7777
    assert config(snapshot, "KERAS_HOME").path == str(patient.home / "other/keras.json")
    assert config(snapshot, "KERAS_HOME").state == "absent"
    assert config(snapshot, "home", ".theanorc").state == "folder"
    states = {one.path: one.state for one in snapshot.configs if one.source == "project"}
    assert states == {
        str(patient.project / "keras.json"): "unreadable",
        str(patient.project / ".keras/keras.json"): "too-large",
    }


def test_an_empty_keras_home_means_the_working_folder(patient: Patient) -> None:
    (patient.project / "keras.json").write_text(KERAS_JSON)
    snapshot = collect(patient.target(), {**patient.environ, "KERAS_HOME": ""})
    found = config(snapshot, "KERAS_HOME")
    assert (found.path, found.text) == (str(patient.project / "keras.json"), KERAS_JSON)
    assert [one for one in snapshot.configs if one.source == "project"] == []


def test_theanorc_list(patient: Patient) -> None:
    (patient.project / "rc").write_text("[global]\n")
    environ = {**patient.environ, "THEANORC": f"rc{os.pathsep}~/.theanorc"}
    found = [one for one in collect(patient.target(), environ).configs if one.kind == ".theanorc"]
    assert [(one.path, one.state) for one in found] == [
        (str(patient.project / "rc"), "read"),
        (str(patient.home / ".theanorc"), "absent"),
    ]


def test_only_listed_variables(patient: Patient) -> None:
    environ = {**patient.environ, "KERAS_BACKEND": "", "SECRET_TOKEN": "x", "LD_PRELOAD_X": "y"}
    snapshot = collect(patient.target(), environ)
    found = {one.name: one.value for one in snapshot.variables}
    assert found.pop("KERAS_BACKEND") == ""
    assert set(found) == {"HOME", "PATH", "PYTHONDONTWRITEBYTECODE"}


def test_conda(patient: Patient) -> None:
    prefix = patient.folder / "env"
    (prefix / "conda-meta").mkdir()
    record = {"build": "h1", "channel": "https://conda.anaconda.org/x", "files": ["a"] * 9000}
    (prefix / "conda-meta/lib-a-b-1.2-h1_0.json").write_text(json.dumps(record))
    (prefix / "conda-meta/history").write_text("")
    (prefix / "conda-meta/state").write_text('{"env_vars": {"KERAS_BACKEND": "jax", "X": "y"}}')
    (prefix / "etc/conda/activate.d").mkdir(parents=True)
    script = prefix / "etc/conda/activate.d/keras.sh"
    script.write_text("#!/bin/sh\nexport KERAS_BACKEND=tensorflow\n")
    snapshot = collect(patient.target(), {**patient.environ, "KERAS_BACKEND": "tensorflow"})
    assert snapshot.conda is not None
    assert [tuple(one) for one in snapshot.conda.packages] == [
        ("lib-a-b", "1.2", "h1_0", "https://conda.anaconda.org/x")
    ]
    assert [(one.name, one.value, one.set_by) for one in snapshot.conda.variables] == [
        ("KERAS_BACKEND", "tensorflow", f"{script}:2"),
        ("KERAS_BACKEND", "jax", str(prefix / "conda-meta/state")),
    ]
    assert snapshot.variables[0].set_by == f"{script}:2"


def test_commands(patient: Patient, tmp_path: Path) -> None:
    other = Patient(tmp_path / "other")
    other.install("keras", "2.0")
    other.install("requests", "2.0")
    for command, python in (("pip", other.python), ("jupyter", patient.python)):
        script = patient.folder / "env/bin" / command
        script.write_text(f"#!{python}\nimport sys\n")
        script.chmod(0o755)
    found = {one.name: one for one in collect(patient.target(), patient.environ).commands}
    assert found["python"].path == patient.python
    assert found["python"].interpreter is None
    assert found["python"].same_environment is None
    assert found["pip"].interpreter == other.python
    assert found["pip"].same_environment is False
    assert found["pip"].python == sysconfig.get_python_version()
    assert found["pip"].holds == ("keras 2.0",)
    assert found["jupyter"].same_environment is True
    assert found["jupyter"].holds == ()


PLAIN_USER = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def test_unreadable_files(patient: Patient) -> None:
    if os.getuid() == 0 and subprocess.run([*PLAIN_USER, "true"]).returncode:
        pytest.skip("root, and no way to drop its capabilities")
    patient.install("keras", "3.0", KERAS_FILES)
    keras = patient.site / "keras"
    (keras / "src/a.py").chmod(0)
    (keras / "src/deep").chmod(0)
    try:
        found = check(_as_plain_user(patient), "keras")
    finally:
        (keras / "src/deep").chmod(0o755)
    assert [(Path(one.path).name, one.state) for one in found.anomalies] == [
        ("a.py", "unreadable"),
        ("deep", "folder-unreadable"),
    ]
    if os.getuid() == 0:
        # Root with its capabilities reads them all the same.
        assert check(collect(patient.target(), patient.environ), "keras").anomalies == ()


def _as_plain_user(patient: Patient) -> Snapshot:
    """Collect as somebody whom permission bits bind."""
    if os.getuid():
        return collect(patient.target(), patient.environ)
    from keras_doctor.collect.load import loads_snapshot
    from keras_doctor.collect.remote import collector_source

    done = subprocess.run(
        [*PLAIN_USER, patient.python, "-"],
        input=collector_source().encode(),
        env=patient.environ,
        cwd=patient.project,
        capture_output=True,
        timeout=60,
    )
    return loads_snapshot(done.stdout)


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
