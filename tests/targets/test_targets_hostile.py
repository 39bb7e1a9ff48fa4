"""Texts that nobody controls: shell lines, first lines, settings files."""

from __future__ import annotations

import shlex
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keras_doctor.targets import TargetError, environments, files, find_target, pythonline, shebang
from keras_doctor.targets.shell import expand, parse
from keras_doctor.targets.state import State

QUICK = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PIECES = st.lists(
    st.sampled_from(
        ["python", " ", "x.py", ";", "&&", "|", "(", ")", "'", '"', "$", "${", "}", "$(", "`", "\\",
         "\n", "<<", "EOF", "<", ">", "2>&1", "A=b", "cd ", "export ", "env ", "-c", "bash", "#",
         "if", "then", "fi", "source ", "uv run ", "conda run -n x ", "time ", "-m ", "~", "$@"]
    )
)  # fmt: skip


def ask(**given: object) -> str:
    """The interpreter that is found, or the sentence that says why there is none."""
    arguments: dict[str, object] = {"python": None, "kernel": None, "project": None, "command": ()}
    try:
        return str(find_target(**{**arguments, **given}).target.python)  # type: ignore[arg-type]
    except TargetError as error:
        return str(error)


@QUICK
@given(st.lists(st.text(), min_size=1))
def test_quoted_words_come_back(words: list[str]) -> None:
    line = shlex.join(words)
    state = State({}, "/")
    found = [[text for word in one.words for text in expand(word, state)]
             for one in parse(line) if one.operator is None]  # fmt: skip
    assert found == [words]


@QUICK
@given(st.lists(st.one_of(st.text(), PIECES.map("".join)), min_size=1, max_size=4))
def test_any_command_is_read_or_refused(words: list[str]) -> None:
    said = ask(command=words, environ={"PATH": "/usr/bin:/bin", "HOME": "/"}, folder="/")
    assert said.isprintable()


@QUICK
@given(st.lists(st.one_of(st.text(), st.sampled_from(["-c", "-m", "-X", "-W", "--", "-", "-Ic"]))))
def test_any_python_line_is_taken_apart(words: list[str]) -> None:
    line = pythonline.parse(words)
    assert len([part for part in (line.code, line.module, line.script) if part is not None]) <= 1


@QUICK
@given(st.one_of(st.binary(), st.text().map(lambda text: b"#!" + text.encode("utf-8", "replace"))))
def test_any_file_may_be_a_script(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "script").write_bytes(content)
    found = shebang.read(str(tmp_path / "script"))
    assert found is None or found.interpreter
    (tmp_path / "script").write_bytes(b"MZ" + content)
    assert shebang.read(str(tmp_path / "script")) is None


@QUICK
@given(st.binary())
def test_any_pyvenv_cfg_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyvenv.cfg").write_bytes(content)
    assert environments.read_pyvenv(str(tmp_path)) is not None
    environment = environments.environment_of(str(tmp_path / "bin" / "python"), {})
    assert environment.folder == str(tmp_path)


@QUICK
@example("/\0")
@given(st.text())
def test_any_word_may_be_looked_for(word: str) -> None:
    files.which(word, {"PATH": f"/bin:{word}"}, "/")
    said = ask(python=word, environ={"PATH": "", "HOME": "/none"}, folder="/none")
    assert said.isprintable()


def test_windows_launchers_name_their_interpreter(tmp_path: Path) -> None:
    launcher = tmp_path / "pytest.exe"
    launcher.write_bytes(b"MZ" + b"\0" * 100 + b'#!"C:\\a b\\Scripts\\python.exe"\r\nPK\x03\x04zip')
    found = shebang.read(str(launcher))
    assert found is not None
    assert (found.interpreter, found.is_launcher) == ("C:\\a b\\Scripts\\python.exe", True)
