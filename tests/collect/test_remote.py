"""Other machines and containers, played by commands that run a shell here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from keras_doctor.collect import CollectError
from keras_doctor.collect.remote import collect_remote, docker_prefix, ssh_prefix


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that lets a shell read the words, as sshd does, and a docker that does not."""
    folder = tmp_path / "bin"
    folder.mkdir()
    remote = tmp_path / "remote"
    remote.mkdir()
    drop = 'while [ "${1#-}" != "$1" ]; do [ "$1" = -o ] && shift; shift; done'
    log = f'echo "$@" >> {tmp_path}/log'
    scripts = {
        "ssh": f"{log}\n{drop}\nhost=$1; shift\n"
        f'[ "$host" = gone ] && {{ echo "ssh: no route to host gone" >&2; exit 255; }}\n'
        f'cd {remote} && exec sh -c "$*"\n',
        "docker": f'{log}\nshift 3\ncd {remote} && exec "$@"\n',
    }
    for name, text in scripts.items():
        (folder / name).write_text("#!/bin/sh\n" + text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return remote


@pytest.mark.parametrize("way", ["ssh", "docker"])
def test_a_snapshot_from_elsewhere(stand_ins: Path, way: str) -> None:
    (stand_ins / "keras.py").write_text("")
    prefix = ssh_prefix("box") if way == "ssh" else docker_prefix("box")
    snapshot = collect_remote(prefix, python=sys.executable, quote=way == "ssh")
    assert snapshot.target.python == sys.executable
    assert snapshot.target.folder == str(stand_ins)
    assert snapshot.target.path0 == str(stand_ins)
    assert way in snapshot.target.chosen
    assert [one.name for one in snapshot.local_modules] == ["keras"]
    assert snapshot.path[0].origin == "script"


def test_failures_are_one_sentence(stand_ins: Path) -> None:
    with pytest.raises(CollectError, match="ssh: no route to host gone") as caught:
        collect_remote(ssh_prefix("gone"))
    assert "\n" not in str(caught.value)
    assert (stand_ins.parent / "log").read_text().count("\n") == 1
    with pytest.raises(CollectError, match="not found"):
        collect_remote(ssh_prefix("box"), python="no-such-python")
    with pytest.raises(CollectError, match="cannot be run: No such file"):
        collect_remote(["/no/such/command"])


def test_words_reach_the_shell_quoted(stand_ins: Path) -> None:
    with pytest.raises(CollectError):
        collect_remote(ssh_prefix("box"), python="a; touch hacked")
    assert not (stand_ins / "hacked").exists()


@pytest.mark.parametrize("word", ["-oProxyCommand=touch x", ""])
def test_options_are_no_names(word: str) -> None:
    for prefix in (ssh_prefix, docker_prefix):
        with pytest.raises(CollectError, match="no name of a host"):
            prefix(word)
    with pytest.raises(CollectError, match="no name of a host"):
        collect_remote(["ssh", "box"], python=word)
