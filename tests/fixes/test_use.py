"""`use`: what is written, what is refused, what comes before it; undo brings the bytes back."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from rules.factory import KERAS_JSON, config, world

from fixes.using import WITH_JAX, User, install, state, words
from keras_doctor.fixes.use import choose, places, write
from keras_doctor.fixes.use.result import CONFIG, SHELL, RefusedError
from keras_doctor.fixes.use.steps import withdraw
from keras_doctor.fixes.use.trying import overrides_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="repairs are applied on POSIX only")
MANY_KEYS = (
    '{"backend":   "tensorflow", "epsilon": 1e-07, "nnx_enabled": false, "mine": [1, "\u00e4"]}'
)
KERAS_JSON_PLACE = places.Place(
    kind=CONFIG, path=KERAS_JSON, old=None, text='{"backend": "jax"}', changes=True
)


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Keras 3.12 with JAX, and no other environment."""
    made = User(tmp_path)
    install(made.site, *WITH_JAX)
    return made


# ----------------------------------------------------------------------- keras.json


def test_all_other_keys_are_kept_and_undo_brings_the_bytes_back(user: User) -> None:
    user.write(MANY_KEYS)
    user.config.chmod(0o640)
    before = state(user.config)
    used = user.use("jax")
    assert (used.refusal, used.changed, used.works) == (None, True, None)
    assert (used.before, used.after) == ("tensorflow", "jax")
    assert json.loads(user.config.read_text()) == {**json.loads(MANY_KEYS), "backend": "jax"}
    assert stat.S_IMODE(user.config.stat().st_mode) == 0o640
    assert used.journal is not None
    assert user.undo() is None
    assert state(user.config) == before
    assert sorted(os.listdir(user.config.parent)) == ["keras.json"]


def test_a_missing_file_is_made_and_undo_takes_it_away_with_its_folder(user: User) -> None:
    used = user.use("jax")
    assert used.where is not None
    assert (used.where.kind, used.where.path) == (CONFIG, str(user.config))
    assert json.loads(user.config.read_text())["backend"] == "jax"
    assert user.use("jax").changed is False
    assert user.undo() is None
    assert not user.config.parent.exists()


def test_a_link_is_followed_and_stays_one(user: User, tmp_path: Path) -> None:
    kept = user.write(MANY_KEYS, tmp_path / "dotfiles" / "keras.json")
    user.config.parent.mkdir()
    user.config.symlink_to(kept)
    before = state(kept)
    assert user.use("jax").changed
    assert user.config.is_symlink()
    assert json.loads(kept.read_text())["backend"] == "jax"
    assert user.undo() is None
    assert state(kept) == before


def test_what_is_so_already_is_not_touched(user: User) -> None:
    user.write('{"backend": "jax"}')
    before = state(user.config)
    used = user.use("jax")
    assert (used.refusal, used.changed, used.after) == (None, False, "jax")
    assert state(user.config) == before
    assert not (user.home / ".local").exists()


def test_a_file_that_keras_cannot_read_is_replaced_and_that_is_said(user: User) -> None:
    user.write('{"backend": "jax",}')
    before = state(user.config)
    used = user.use("jax")
    assert (used.before, used.after, used.changed) == ("tensorflow", "jax", True)
    assert "is not kept" in used.remarks[0]
    assert json.loads(user.config.read_text())["backend"] == "jax"
    assert user.undo() is None
    assert state(user.config) == before


def test_the_file_of_keras_home_is_the_one(user: User, tmp_path: Path) -> None:
    user.write('{"backend": "tensorflow"}')
    user.other("keras-2.3.1")
    user.environ["KERAS_HOME"] = str(tmp_path / "mine")
    before = state(user.config)
    used = user.use("jax")
    assert (used.refusal, used.others, used.readers) == (None, (), ())
    assert json.loads((tmp_path / "mine" / "keras.json").read_text())["backend"] == "jax"
    assert state(user.config) == before
    user.environ["KERAS_HOME"] = str(tmp_path / "no" / "such" / "folder")
    refused = user.use("jax")
    assert f"the folder of {tmp_path}/no/such/folder does not exist" == refused.refusal


def test_a_dry_run_changes_nothing(user: User) -> None:
    user.write(MANY_KEYS)
    before = state(user.config)
    used = user.use("jax", dry_run=True)
    assert (used.refusal, used.changed, used.journal) == (None, False, None)
    assert (used.before, used.after) == ("tensorflow", "jax")
    assert used.where is not None
    assert json.loads(used.where.text or "")["backend"] == "jax"
    assert state(user.config) == before
    assert not (user.home / ".local").exists()


def test_what_somebody_else_has_just_changed_is_left_alone(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write(MANY_KEYS)

    def late(*arguments: Any, **named: Any) -> object:
        user.write('{"backend": "torch"}')
        return write.write(*arguments, **named)

    monkeypatch.setattr(choose, "write", late)
    used = user.use("jax")
    assert used.refusal is not None
    assert "Something else has changed these" in used.refusal
    assert (used.changed, used.after) == (False, "tensorflow")
    assert user.config.read_text() == '{"backend": "torch"}'
    left = [p for p in (user.home / ".local").rglob("*") if p.is_file() and "lock" not in str(p)]
    assert left == []


def test_the_file_of_all_users_is_refused() -> None:
    home = config(state="absent")._replace(base_writable=False)
    context = world(configs=[home, config({"backend": "tensorflow"}, source="tmp")])
    assert context.generation is not None
    with pytest.raises(RefusedError, match="belongs to all users") as caught:
        places.config_place(context, context.generation, "jax")
    assert caught.value.ways[0].commands[0].text == "export KERAS_BACKEND=jax"


@pytest.mark.parametrize(
    ("state_", "told"),
    [("unreadable", "may not be read"), ("folder", "is a folder"), ("too-large", "too large")],
)
def test_what_is_no_file_that_can_be_read_is_refused(state_: str, told: str) -> None:
    context = world(configs=[config(state=state_)])
    assert context.generation is not None
    with pytest.raises(RefusedError, match=told):
        places.config_place(context, context.generation, "jax")


def test_a_file_that_may_not_be_written_is_refused(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "may_write", lambda _path: False)
    user.write(MANY_KEYS)
    assert user.use("jax").refusal == f"you may not write {user.config}"


# ------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("packages", "backend", "reason"),
    [
        (("jax-0.7.2",), "jax", "Keras is not installed in this Python"),
        (WITH_JAX, "torch", "torch is not installed in this Python"),
        (WITH_JAX, "theano", "Keras 3.12.0 does not know theano; it knows tensorflow, jax"),
        (("keras-3.5.0", "openvino-2025.3"), "openvino", "Keras 3.5.0 does not know openvino"),
        (WITH_JAX, "numpy", "numpy needs numpy and scipy, which are not installed"),
        (("keras-2.15.0", "jax-0.4.30"), "jax", "Keras 2.15.0 runs on tensorflow only"),
        (("keras-2.4.1", "theano-1.0.5"), "theano", "Keras 2.4.1 runs on tensorflow only"),
        (("keras-2.3.1", "theano-1.0.5"), "jax", "Keras 2.3.1 does not know jax; it knows theano"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, packages: tuple[str, ...], backend: str, reason: str
) -> None:
    user = User(tmp_path)
    install(user.site, *packages)
    user.write(MANY_KEYS)
    before = state(user.config)
    used = user.use(backend)
    assert (used.refusal or "").startswith(reason)
    assert (used.changed, used.after) == (False, used.before)
    assert words(used) == [f"keras-doctor fix --backend {backend}"]
    assert state(user.config) == before


def test_the_one_backend_of_a_keras_is_selected_already(tmp_path: Path) -> None:
    user = User(tmp_path)
    install(user.site, "keras-2.15.0", "tensorflow-2.15.1")
    used = user.use("tensorflow")
    assert (used.refusal, used.where, used.changed) == (None, None, False)
    assert used.after == "tensorflow"


def test_a_keras_that_reads_no_variable_needs_the_file(tmp_path: Path) -> None:
    user = User(tmp_path)
    install(user.site, "keras-0.3.0", "theano-0.8.2")
    refused = user.use("theano", where=SHELL)
    assert refused.refusal == "Keras 0.3.0 does not read KERAS_BACKEND, only keras.json"
    assert words(refused) == ["keras-doctor use theano"]
    assert user.use("theano").refusal is None


# ------------------------------------------------------------------ other environments


def test_others_are_not_switched_without_a_word(user: User) -> None:
    other = user.other("keras-2.3.1", "theano-1.0.5")
    user.kernel("deep")
    user.write('{"backend": "theano"}')
    before = state(user.config)
    used = user.use("jax")
    assert used.refusal == (
        "another environment reads ~/.keras/keras.json too, and would get another backend"
    )
    assert [(o.python, o.keras, o.before, o.after) for o in used.others] == [
        (f"{other}/bin/python", "2.3.1", "theano", "jax")
    ]
    assert words(used) == [
        "export KERAS_BACKEND=jax",
        "keras-doctor use jax --kernel deep",
        "keras-doctor use jax --yes",
    ]
    assert state(user.config) == before
    done = user.use("jax", yes=True)
    assert (done.refusal, done.changed, len(done.others)) == (None, True, 1)
    assert user.undo() is None
    assert state(user.config) == before


def test_those_that_read_it_and_keep_their_backend_are_no_reason(user: User) -> None:
    other = user.other("keras-2.15.0", "tensorflow-2.15.1")
    user.write(MANY_KEYS)
    used = user.use("jax")
    assert (used.refusal, used.changed, used.others) == (None, True, ())
    assert [one.python for one in used.readers] == [f"{other}/bin/python"]


# ---------------------------------------------------------------- what comes before it


def test_a_variable_of_the_shell_comes_first(user: User) -> None:
    user.environ["KERAS_BACKEND"] = "tensorflow"
    used = user.use("jax")
    assert (used.refusal, used.changed, used.after) == (None, True, "tensorflow")
    (override,) = used.overrides
    assert (override.name, override.value, override.wins) == ("KERAS_BACKEND", "tensorflow", True)
    assert words(used) == ["unset KERAS_BACKEND"]
    user.environ["KERAS_BACKEND"] = "jax"
    used = user.use("jax")
    assert (used.after, used.overrides, used.manual) == ("jax", (), ())


def test_a_line_of_the_program_comes_first(user: User) -> None:
    program = user.project / "train.py"
    program.write_text('import os\nos.environ["KERAS_BACKEND"] = "tensorflow"\nimport keras\n')
    assert user.use("jax", dry_run=True).after == "jax"
    used = user.use("jax", "python", "train.py")
    assert used.after == "tensorflow"
    (step,) = used.manual
    assert (step.path, step.line) == (str(program), 2)
    assert used.overrides[0].summary == f"{program}:2 sets KERAS_BACKEND=tensorflow itself"


@pytest.mark.parametrize(
    ("setter", "command", "path"),
    [
        (None, "unset KERAS_BACKEND", None),
        ("the command line", None, "the command line"),
        ("/k/kernels/deep/kernel.json", None, "/k/kernels/deep/kernel.json"),
        ("/c/envs/deep/conda-meta/state", "conda env config vars unset", None),
    ],
)
def test_who_sets_a_variable_decides_how_it_goes(
    setter: str | None, command: str | None, path: str | None
) -> None:
    set_by = {"KERAS_BACKEND": setter} if setter else None
    context = world(variables={"KERAS_BACKEND": "torch"}, set_by=set_by)
    assert context.choice.source is not None
    step = withdraw(context, context.choice.source, "jax")
    assert step.path == path
    assert (step.commands == ()) == (command is None)
    assert all(each.text.startswith(command or "-") for each in step.commands)
    (override,) = overrides_of(context, KERAS_JSON_PLACE, "jax")
    assert (setter or "set in this shell") in override.summary


def test_the_legacy_switch_is_told_and_does_not_matter(user: User) -> None:
    install(user.site, "tensorflow-2.19.1")
    user.environ["TF_USE_LEGACY_KERAS"] = "1"
    used = user.use("jax")
    assert used.after == "jax"
    (override,) = used.overrides
    assert (override.name, override.wins) == ("TF_USE_LEGACY_KERAS", False)
    user.environ["TF_USE_LEGACY_KERAS"] = "0"
    assert user.use("jax").overrides == ()
