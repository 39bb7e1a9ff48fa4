"""The patient sees its own HOME, and nothing of it changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_doctor.codec import decode
from keras_doctor.live import Statement, run_imports
from keras_doctor.live.home import PrivateHome
from keras_doctor.model import Change, Outcome
from live.patients import Patient, as_plain_user, listing

WRITES = """
import os, sys, tempfile
home = os.path.expanduser("~")
print("home", home)
for name in (".theano/compiledir_x", ".cache/thing", ".triton", ".keras/models"):
    os.makedirs(os.path.join(home, name), exist_ok=True)
    open(os.path.join(home, name, "new"), "w").close()
open(os.path.join(home, "new"), "w").close()
tempfile.mkstemp()
import os.path as p
print("config", os.environ.get("KERAS_HOME"))
import helper
"""


def run(patient: Patient, *changes: Change, environ: dict[str, str] | None = None) -> Outcome:
    return run_imports(patient.target, environ or patient.environ, changes=changes, timeout=20)


def change(kind: str, name: object, value: str | None = None) -> Change:
    return Change(kind=kind, name=str(name), value=value)


def keras_json(folder: Path, backend: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "keras.json"
    path.write_text(json.dumps({"backend": backend}))
    return path


def test_what_an_import_writes_leaves_no_trace(patient: Patient) -> None:
    patient.fake_keras()
    patient.module("helper", "x = 1")
    patient.module("writer", WRITES)
    (patient.home / ".theano").mkdir()
    (patient.home / ".cache").mkdir()
    (patient.home / "data").mkdir()
    before = listing(patient.root)
    temporary = set(os.listdir("/tmp"))
    path = str(patient.project / "a.py")
    statements = [Statement(f"import {name}", 1, path, None) for name in ("writer", "keras")]
    outcome = run_imports(patient.target, patient.environ, statements)
    assert outcome.status == "passed"
    assert outcome.backend == "tensorflow"
    assert listing(patient.root) == before
    assert not {name for name in set(os.listdir("/tmp")) - temporary if "keras" in name}
    # The private folder's name is nowhere in what is told.
    assert f"home {patient.home}\n" in outcome.output
    assert f"file {patient.home}/.keras/keras.json" in outcome.output
    assert "keras-doctor-" not in repr(outcome)


def test_the_configuration_is_read(patient: Patient) -> None:
    patient.fake_keras()
    keras_json(patient.home / ".keras", "jax")
    assert run(patient).backend == "jax"
    other = patient.root / "other"
    keras_json(other, "torch")
    before = listing(patient.root)
    for value in (str(other), "~/../other", "../other"):
        outcome = run(patient, environ={**patient.environ, "KERAS_HOME": value})
        assert outcome.backend == ("torch" if value != "~/../other" else outcome.backend)
    empty = run(patient, environ={**patient.environ, "KERAS_HOME": ""})
    assert empty.status == "passed"
    new = run(patient, environ={**patient.environ, "KERAS_HOME": str(patient.root / "new")})
    assert (new.status, new.backend) == ("passed", "tensorflow")
    assert f"file {patient.root}/new/keras.json" in new.output
    assert listing(patient.root) == before


def test_a_tilde_in_keras_home_means_the_real_home(patient: Patient) -> None:
    patient.fake_keras()
    keras_json(patient.home / "conf", "torch")
    outcome = run(patient, environ={**patient.environ, "KERAS_HOME": "~/conf"})
    assert outcome.backend == "torch"
    assert f"file {patient.home}/conf/keras.json" in outcome.output


def test_a_script_that_sets_keras_home(patient: Patient) -> None:
    patient.fake_keras()
    before = listing(patient.root)
    path = str(patient.project / "a.py")
    setting = ("KERAS_HOME", str(patient.root / "new"), False)
    statements = [
        Statement("os.environ['KERAS_HOME'] = ...", 1, path, setting),
        Statement("import keras", 2, path, None),
    ]
    outcome = run_imports(patient.target, patient.environ, statements)
    assert outcome.status == "passed"
    assert f"file {patient.root}/new/keras.json" in outcome.output
    assert listing(patient.root) == before


def test_settings_take_their_place_and_changes_override_them(patient: Patient) -> None:
    patient.fake_keras()
    path = str(patient.project / "a.py")
    setting = Statement("...", 1, path, ("KERAS_BACKEND", "torch", False))
    default = Statement("...", 1, path, ("KERAS_BACKEND", "torch", True))
    keras = Statement("import keras", 2, path, None)

    def backend(*statements: Statement, changes: tuple[Change, ...] = (), **more: str) -> str:
        environ = {**patient.environ, **more}
        outcome = run_imports(patient.target, environ, statements, changes=changes)
        assert outcome.status == "passed"
        return str(outcome.backend)

    assert backend(setting, keras, KERAS_BACKEND="jax") == "torch"
    assert backend(default, keras, KERAS_BACKEND="jax") == "jax"
    assert backend(default, keras) == "torch"
    assert backend(keras, setting) == "tensorflow"
    meant = (change("set-variable", "KERAS_BACKEND", "numpy"),)
    assert backend(setting, keras, changes=meant) == "numpy"
    gone = (change("unset-variable", "KERAS_BACKEND"),)
    assert backend(setting, keras, changes=gone, KERAS_BACKEND="jax") == "tensorflow"
    line = (change("set-variable", "script:KERAS_BACKEND", "numpy"),)
    assert backend(setting, keras, changes=line, KERAS_BACKEND="jax") == "numpy"
    no_line = (change("unset-variable", "script:KERAS_BACKEND"),)
    assert backend(setting, keras, changes=no_line, KERAS_BACKEND="jax") == "jax"


def test_another_configuration_on_trial(patient: Patient) -> None:
    patient.fake_keras()
    path = keras_json(patient.home / ".keras", "theano")
    before = listing(patient.root)
    text = '{"backend": "jax"}'
    assert run(patient, change("config-text", path, text)).backend == "jax"
    assert run(patient, change("config-text", "~/.keras/keras.json", text)).backend == "jax"
    assert run(patient, change("config-text", path)).backend == "tensorflow"
    absent = patient.root / "kh"
    environ = {**patient.environ, "KERAS_HOME": str(absent)}
    outcome = run(patient, change("config-text", absent / "keras.json", text), environ=environ)
    assert outcome.backend == "jax"
    refused = run(patient, change("config-text", "/etc/hosts", "x"))
    assert refused.status == "not-started"
    assert "/etc/hosts" in refused.output
    assert listing(patient.root) == before


def test_a_config_folder_that_is_a_link_is_not_written_through(patient: Patient) -> None:
    patient.fake_keras()
    real = keras_json(patient.root / "dotfiles", "theano")
    (patient.home / ".keras").symlink_to(real.parent)
    (patient.home / ".theanorc").write_text("[global]\n")
    before = listing(patient.root)
    rc = patient.home / ".theanorc"
    assert run(patient, change("config-text", rc, "changed")).backend == "theano"
    text = '{"backend": "jax"}'
    path = patient.home / ".keras" / "keras.json"
    assert run(patient, change("config-text", path, text)).backend == "jax"
    assert listing(patient.root) == before


def test_dropped_entries_and_hidden_modules(patient: Patient) -> None:
    patient.fake_keras()
    patient.module("random", "raise RuntimeError('mine')")
    other = patient.root / "lib"
    (other / "pkg").mkdir(parents=True)
    (other / "pkg" / "__init__.py").write_text("")
    environ = {**patient.environ, "PYTHONPATH": f"{other}{os.pathsep}/elsewhere"}
    path = str(patient.project / "a.py")
    before = listing(patient.root)

    def status(name: str, *changes: Change) -> str:
        statements = [Statement(f"import {name}", 1, path, None)]
        return run_imports(patient.target, environ, statements, changes=changes).status

    assert status("random") == "raised"
    assert status("random", change("hide-module", patient.project / "random.py")) == "passed"
    assert status("random", change("drop-path-entry", patient.project)) == "passed"
    assert status("pkg") == "passed"
    assert status("pkg", change("hide-module", other / "pkg")) == "raised"
    assert status("pkg", change("hide-module", other / "pkg" / "__init__.py")) == "raised"
    assert status("pkg", change("drop-path-entry", f"{other}/")) == "raised"
    assert listing(patient.root) == before


def test_nothing_of_ours_is_in_the_way(patient: Patient) -> None:
    for name in ("json", "re", "traceback", "enum", "linecache", "signal", "threading"):
        patient.module(name, f"raise RuntimeError('my {name}')")
    path = str(patient.project / "a.py")
    for name in ("json", "re", "traceback", "enum"):
        outcome = run_imports(
            patient.target, patient.environ, [Statement(f"import {name}", 1, path, None)]
        )
        assert [each.message for each in outcome.chain] == [f"my {name}"]


def test_path0_and_main_are_what_the_start_gives(patient: Patient) -> None:
    patient.module("show", "import sys; print(sys.path[0], sys.path[1][-4:], sys.argv)")
    statement = [Statement("import show", 1, str(patient.project / "a.py"), None)]
    script = str(patient.project / "a.py")
    outcome = run_imports(patient.target._replace(script=script), patient.environ, statement)
    assert outcome.output.startswith(f"{patient.project} ")
    assert f"['{script}']" in outcome.output
    none = run_imports(patient.target._replace(path0=None), patient.environ, statement)
    assert none.chain[0].name == "show"


def test_an_interpreter_option_is_used(patient: Patient) -> None:
    patient.module("check", "assert False")
    statement = [Statement("import check", 1, None, None)]
    assert run_imports(patient.target, patient.environ, statement).status == "raised"
    optimised = run_imports(patient.target, patient.environ, statement, options=["-O"])
    assert optimised.status == "passed"


def test_theano_compiles_in_a_private_place(patient: Patient) -> None:
    place = patient.root / "compile"
    place.mkdir()
    with PrivateHome(
        {**patient.environ, "THEANO_FLAGS": f"floatX=float32,base_compiledir={place}"},
        str(patient.project),
    ) as home:
        flags = home.environ["THEANO_FLAGS"].split(",")
        assert flags[0] == "floatX=float32"
        assert flags[-1].startswith(f"base_compiledir={home.root}/")
        assert home.translate(flags[-1]) == f"base_compiledir={place}"
    (patient.home / ".theanorc").write_text("[global]\nbase_compiledir = ~/compiled\n")
    with PrivateHome(patient.environ, str(patient.project)) as home:
        flag = home.environ["THEANO_FLAGS"]
        assert home.translate(flag) == f"base_compiledir={patient.home}/compiled"
    assert not Path(home.root).exists()


AS_PLAIN = """
import sys
from keras_doctor.codec import encode
from keras_doctor.live import run_imports
from keras_doctor.model import Target
import json
target = Target(**{target!r})
print(json.dumps(encode(run_imports(target, {environ!r}, timeout=30))))
"""


def run_as_plain_user(patient: Patient, **more: str) -> Outcome:
    program = AS_PLAIN.format(target=patient.target._asdict(), environ={**patient.environ, **more})
    result = subprocess.run(
        as_plain_user([sys.executable, "-c", program]), capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return decode(Outcome, json.loads(result.stdout))


def test_an_unwritable_home_stays_so(patient: Patient) -> None:
    patient.fake_keras()
    patient.home.chmod(0o555)
    shared = Path("/tmp/.keras")
    if shared.exists():
        pytest.skip("/tmp/.keras exists")
    before = listing(patient.root)
    outcome = run_as_plain_user(patient)
    assert outcome.status == "passed"
    assert "file /tmp/.keras/keras.json" in outcome.output
    assert not shared.exists()
    patient.module("keras.__init__", "import os; os.mkdir(os.path.expanduser('~/.theano'))")
    before = listing(patient.root)
    outcome = run_as_plain_user(patient)
    assert outcome.chain[0].type == "PermissionError"
    assert f"{patient.home}/.theano" in outcome.chain[0].message
    assert listing(patient.root) == before


def test_an_unreadable_config_stays_so(patient: Patient) -> None:
    patient.fake_keras()
    keras_json(patient.home / ".keras", "jax").chmod(0)
    outcome = run_as_plain_user(patient)
    assert outcome.chain[0].type == "PermissionError"
    assert f"{patient.home}/.keras/keras.json" in outcome.chain[0].message


def test_an_unwritable_keras_folder_stays_so(patient: Patient) -> None:
    patient.module(
        "keras.__init__", "import os; open(os.path.expanduser('~/.keras/keras.json'), 'w')"
    )
    (patient.home / ".keras").mkdir()
    (patient.home / ".keras").chmod(0o555)
    assert run_as_plain_user(patient).chain[0].type == "PermissionError"


def test_a_home_that_does_not_exist(patient: Patient) -> None:
    patient.module("keras.__init__", "import os; os.makedirs(os.path.expanduser('~/.keras'))")
    patient.module("keras.backend", "def backend(): return 'x'")
    gone = run_as_plain_user(patient, HOME=f"{patient.root}/gone")
    assert gone.status == "passed"  # its parent is writable, so it can be made
    patient.root.chmod(0o555)
    denied = run_as_plain_user(patient, HOME=f"{patient.root}/gone")
    patient.root.chmod(0o755)
    assert denied.chain[0].type == "PermissionError"
    assert not (patient.root / "gone").exists()


def test_a_keras_json_that_is_a_folder(patient: Patient) -> None:
    patient.fake_keras()
    (patient.home / ".keras" / "keras.json").mkdir(parents=True)
    assert run(patient).chain[0].type == "IsADirectoryError"


def test_which_keras_is_asked(patient: Patient) -> None:
    patient.fake_keras()
    patient.module("keras.layers", "")
    patient.module("tf_inner", "def backend(): return 'inner'")
    patient.module(
        "tensorflow.__init__",
        "__version__ = '1'\nimport keras as _k\nimport types\n"
        "keras = types.ModuleType('tf.keras')\nkeras.layers = keras.backend = keras\n"
        "keras.__version__ = '7'\nkeras.__dict__['backend'] = __import__('tf_inner')\n",
    )
    patient.module("hollow.sub", "")
    path = str(patient.project / "a.py")

    def version(*texts: str) -> str | None:
        statements = [Statement(text, 1, path, None) for text in texts]
        return run_imports(patient.target, patient.environ, statements).keras_version

    assert version("import tensorflow as tf") == "7"
    assert version("from tensorflow import keras") == "7"
    assert version("import tensorflow as tf", "import keras") == "9.9.9"
    assert version("from keras import backend as K", "import tensorflow") == "9.9.9"
    assert version("import json, keras") == "9.9.9"
    patient.module("mine", "import keras")
    assert version("import mine") == "9.9.9"
    assert version("import json") is None


def test_a_hollow_keras_is_no_keras(patient: Patient) -> None:
    (patient.project / "keras" / "layers").mkdir(parents=True)
    outcome = run(patient)
    assert outcome.status == "raised"
    assert outcome.failed_statement == "keras.backend"
    assert outcome.chain[0].name == "keras.backend"


def test_settings_alone_are_followed_by_keras(patient: Patient) -> None:
    patient.fake_keras()
    setting = Statement("...", 1, "a.py", ("KERAS_BACKEND", "jax", False))
    outcome = run_imports(patient.target, patient.environ, [setting])
    assert (outcome.status, outcome.backend) == ("passed", "jax")


def test_a_patient_that_writes_into_our_file_is_survived(patient: Patient) -> None:
    patient.module(
        "bad",
        "import os, sys\nfolder = os.path.dirname(os.environ['HOME'])\n"
        "with open(os.path.join(folder, 'results'), 'wb') as stream:\n"
        '    stream.write(b\'20\\n{"record": "raised"}\\n\')\nos._exit(3)\n',
    )
    outcome = run_imports(patient.target, patient.environ, [Statement("import bad", 1, None, None)])
    assert outcome.status in ("exited", "not-started")
    assert outcome.exit_code == 3
