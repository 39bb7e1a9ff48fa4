"""What a command after ``--`` says: interpreter, options, folder, variables, script."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from keras_doctor.targets import TargetError
from targets.targets_help import BASE, Find, constructed_conda, interpreters, make_venv, program

REPORT = "import json, os, sys; print(json.dumps([sys.path[0], os.getcwd(), sys.argv[1:]]))\n"


def lay_out(folder: Path) -> None:
    """Programs that report how they were started, in every place a program can be."""
    (folder / "sub" / "pkg").mkdir(parents=True)
    (folder / "app").mkdir()
    for name in ("train.py", "sub/train.py", "sub/pkg/__main__.py", "app/__main__.py"):
        (folder / name).write_text(REPORT)
    (folder / "sub" / "pkg" / "mod.py").write_text(REPORT)
    (folder / "link.py").symlink_to(folder / "sub" / "train.py")


STARTS = [
    ("python train.py a -b", "script"),
    ("python ./sub/train.py", "script"),
    ("python link.py", "script"),
    ("python -O -W ignore -X utf8 sub/../train.py", "script"),
    ("python app", "script"),
    ("cd sub && python train.py", "script"),
    ("cd sub; python -m pkg.mod x", "module"),
    ("(cd sub); python -m sub.pkg", "module"),
    ("python -c 'exec(open(\"train.py\").read())' -x", "code"),
    ("python -uBc 'exec(open(\"train.py\").read())'", "code"),
    ("python -I train.py", "script"),
    ("python -Ec 'exec(open(\"train.py\").read())'", "code"),
    ("python < train.py", "code"),
    ("python - one < train.py", "code"),
    ("env -C sub python train.py", "script"),
]


@pytest.mark.parametrize(("line", "start"), STARTS)
def test_path0_and_folder_are_what_python_makes_them(
    find: Find, folder: Path, line: str, start: str
) -> None:
    lay_out(folder)
    found = find(line)
    assert found.target.start == start
    said = subprocess.run(
        found.run, cwd=found.run_folder, env=found.run_environ, capture_output=True, timeout=60
    )
    path0, working, arguments = json.loads(said.stdout)
    if found.target.path0 is None:
        assert "lib" in path0
    else:
        assert os.path.realpath(found.target.path0) == os.path.realpath(path0 or working)
        assert found.target.path0 == (path0 or working)
    assert os.path.realpath(found.target.folder) == working
    assert list(found.arguments) == arguments


@pytest.mark.pythons
@pytest.mark.parametrize("python", interpreters())
@pytest.mark.parametrize("options", [[], ["-I"], ["-P"], ["-E"]])
@pytest.mark.parametrize("safe", ["", "1"])
def test_safe_path_is_what_every_python_makes_of_it(
    find: Find,
    folder: Path,
    world: dict[str, str],
    python: str,
    options: list[str],
    safe: str,
) -> None:
    lay_out(folder)
    world["PYTHONSAFEPATH"] = safe
    found = find(python, *options, "train.py")
    said = subprocess.run(
        found.run, cwd=found.run_folder, env=found.run_environ, capture_output=True, timeout=60
    )
    if said.returncode == 2:
        pytest.skip("this Python does not know -P")
    path0 = json.loads(said.stdout)[0]
    assert found.options == tuple(options)
    assert found.target.path0 == (None if "lib/python" in path0 else path0)


RECORDER = """#!/bin/bash
{{ pwd; printf '%s\\n' "${{KERAS_BACKEND-unset}}" "${{B-unset}}" "$#" "$@"; }} > {record}
"""

LINES = [
    "KERAS_BACKEND=jax python train.py",
    "KERAS_BACKEND=jax B='two words' python train.py 'a b' \"c d\"",
    "export KERAS_BACKEND=torch; python -m x",
    "export B; B=1; python x.py",
    "B=1; export B; python x.py",
    "B=1; python x.py",
    "B=inner bash -c 'KERAS_BACKEND=$B python x.py \"$1\"' name word",
    'bash -c "cd sub && KERAS_BACKEND=theano python x.py; rc=$?; exit $rc"',
    "sh -c 'cd \"$HOME\" && python x.py'",
    "cd sub\npython x.py",
    "( cd sub; export B=1 ); python x.py",
    "( cd sub; B=2 python x.py )",
    "env KERAS_BACKEND=jax B=1 python x.py",
    "B=1 env -u B python x.py",
    'export B=0; env -i PATH="$PATH" KERAS_BACKEND=jax python x.py',
    "nohup python x.py > /dev/null 2>&1",
    "time KERAS_BACKEND=jax python x.py",
    "timeout -k 5 20 nice -n 1 python x.py",
    "python x.py 2>&1 | cat",
    "python x.py>out.txt; rc=$?; echo exit $rc; exit $rc",
    "echo 'python wrong.py'; python x.py # python comment.py",
    "if true; then KERAS_BACKEND=jax python x.py; fi",
    "for i in 1; do python x.py $i; done; python last.py",
    'KERAS_BACKEND=${UNSET:-jax} python x.py $HOME ${HOME}/y "$UNSET" $UNSET',
    "cat <<END\npython wrong.py\nEND\npython x.py",
    "python - <<'END' && true\nimport keras\nEND",
    "python -c 'import keras; print(1)' ; true",
    "python -c \"import keras; assert '\\$x'\"",
    "KERAS_BACKEND=j\\ax python a\\ b.py",
    "pushd sub > /dev/null; python x.py",
    "source vars.sh; python x.py",
    "./run.sh one 'two three'",
    "bash run.sh one",
    "cd sub && ../run.sh",
    "exec python x.py",
    "command python x.py",
    "unset KERAS_BACKEND; python x.py",
    "B=$'a\\tb' python x.py",
    "true && python x.py || false",
]


@pytest.mark.parametrize("line", LINES)
def test_shell_lines_are_read_as_bash_reads_them(
    find: Find, folder: Path, world: dict[str, str], tmp_path: Path, line: str
) -> None:
    """A stand-in for python writes down how the real bash starts it; we must say the same."""
    record = tmp_path / "record"
    program(tmp_path / "bin" / "python", RECORDER.format(record=record))
    world["PATH"] = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    world["KERAS_BACKEND"] = "tensorflow"
    (folder / "sub").mkdir()
    (folder / "vars.sh").write_text("# python wrong.py\nexport B='from file'\n")
    program(
        folder / "run.sh",
        '#!/bin/bash\nset -e\nexport B=script\ncd "$(dirname "$0")"/sub\n'
        'python \\\n  train.py "$@" $1\n',
    )
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=world, capture_output=True, text=True, timeout=60
    )
    assert record.exists(), done.stderr
    working, backend, b, count, *arguments = record.read_text().split("\n")[:-1]
    found = find(line)
    assert os.path.realpath(found.target.folder) == working
    assert found.environ.get("KERAS_BACKEND", "unset") == backend
    assert found.environ.get("B", "unset") == b
    assert found.target.python == str(tmp_path / "bin" / "python")
    given = [*found.options]
    if found.code is not None and "<<" not in line:
        given += ["-c", found.code]
    elif found.module:
        given += ["-m", found.module]
    elif "<<" in line and found.code:
        assert found.code == "import keras\n"
        given += ["-"]
    else:
        given += [os.path.relpath(found.target.script or "", found.target.folder)]
    assert len(given) + len(found.arguments) == int(count)
    assert [*given, *found.arguments] == arguments
    changed = {name for name in ("KERAS_BACKEND", "B")
               if name in found.environ and found.environ[name] != world.get(name)}  # fmt: skip
    assert changed <= set(found.set_by)


KINDS = [
    # The kinds of failing command in the laboratory's scenarios.
    (["python train.py"], "script", "train.py"),
    (["python", "train.py"], "script", "train.py"),
    (["python show.py"], "script", "show.py"),
    (["python train.py; rc=$?; echo exit $rc; exit $rc"], "script", "train.py"),
    (
        ["python", "train.py;", "rc=$?;", "echo", "exit", "$rc;", "exit", "$rc"],
        "script",
        "train.py",
    ),
    (["pip list 2>/dev/null | grep -i keras; python train.py"], "script", "train.py"),
    (
        ["pip", "list", "2>/dev/null", "|", "grep", "-i", "keras;", "python", "train.py"],
        "script",
        "train.py",
    ),
    (['python -c "import keras, theano; assert theano.config.cxx"'], "code", None),
    (["python", "-c", "import keras, theano; assert theano.config.cxx"], "code", None),
    (['python -c "import keras" && python train.py'], "script", "train.py"),
    (["python -m pip install tensorflow-cpu==2.10.1"], "module", None),
    (["python", "-m", "pip", "install", "tensorflow-cpu==2.10.1"], "module", None),
    (["bash", "-c", "python train.py; rc=$?; exit $rc"], "script", "train.py"),
    (["python train.py; pip list; python --version"], "script", "train.py"),
    (["python"], "interactive", None),
    (["python", "-i"], "interactive", None),
]


@pytest.mark.parametrize(("command", "start", "script"), KINDS)
def test_the_laboratorys_kinds_of_command(
    find: Find, folder: Path, venv: Path, command: list[str], start: str, script: str | None
) -> None:
    found = find(*command)
    assert found.target.python == str(venv / "bin" / "python")
    assert found.target.start == start
    assert found.target.script == (script and str(folder / script))
    assert found.target.path0 == os.path.realpath(folder)
    assert found.target.command == found.argv == tuple(command)
    assert found.options == ()
    if start == "code":
        assert found.code == "import keras, theano; assert theano.config.cxx"
    is_line = len(command) == 1 and " " in command[0]
    is_split = any(word.endswith(";") and " " not in word for word in command)
    shell = str(found.run[0]).endswith("bash") and found.run[1] == "-c"
    assert shell if is_line or is_split else found.run == tuple(command)


@pytest.mark.lab
def test_every_failing_command_of_the_laboratory(find: Find, folder: Path, venv: Path) -> None:
    lab = os.environ.get("KERAS_DOCTOR_LAB")
    if not lab:
        pytest.skip("KERAS_DOCTOR_LAB names no laboratory")
    import tomllib

    scenarios = sorted(Path(lab, "scenarios").glob("*.toml"))
    assert scenarios
    for path in scenarios:
        command = tomllib.loads(path.read_text()).get("fails", {}).get("command")
        if command:
            found = find(command)
            assert found.target.python == str(venv / "bin" / "python"), path.stem
            assert (found.target.script or found.code or found.module) is not None, path.stem


def test_options_that_only_wait_or_print_are_not_kept(find: Find) -> None:
    found = find("python", "-iOO", "-X", "dev", "-Werror", "-s", "--", "train.py", "-v")
    assert found.options == ("-O", "-O", "-X", "dev", "-W", "error", "-s")
    assert found.arguments == ("-v",)


def test_who_set_a_variable_is_remembered(find: Find, folder: Path) -> None:
    program(folder / "run.sh", "export KERAS_BACKEND=jax\npython train.py\n")
    assert find("A=b", "python", "x.py").set_by == {"A": "the command line"}
    assert find("bash run.sh").set_by == {"KERAS_BACKEND": str(folder / "run.sh")}
    assert find("A=b", "python", "x.py").run == ("env", "A=b", "python", "x.py")


def test_python_overrides_the_commands_own(find: Find, tmp_path: Path, venv: Path) -> None:
    other = make_venv(tmp_path / "other")
    found = find("python", "-O", "train.py", python=str(other))
    assert found.target.environment == str(other)
    assert found.options == ("-O",)
    assert f"the command's own interpreter would be {venv}/bin/python" in found.considered


def test_a_command_that_does_not_use_the_active_environment_says_so(
    find: Find, world: dict[str, str], tmp_path: Path, venv: Path
) -> None:
    other = make_venv(tmp_path / "other")
    world["VIRTUAL_ENV"] = str(other)
    found = find("python", "train.py")
    assert found.target.environment == str(venv)
    assert f"VIRTUAL_ENV is set: {other}, but the command does not use it" in found.considered


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["ls", "-l"], "starts no Python: there is no Python program in it"),
        (["no-such-tool"], "`no-such-tool` is not on PATH"),
        (["./nothing"], "nothing does not exist"),
        (["python9.9 x.py"], "`python9.9` is not on PATH"),
        (["bash"], "there is no Python program in it"),
        (["bash", "gone.sh"], "gone.sh is empty or cannot be read"),
        (["./loop.sh"], "starts itself through too many others"),
        (["conda run -n nope python x.py"], "there is no conda environment nope"),
        (["uv", "run", "x.py"], "is not there"),
        ([""], "starts no Python"),
        (["A=b"], "starts no Python"),
        (["cd /"], "starts no Python"),
    ],
)
def test_a_command_without_python_is_refused(
    find: Find, folder: Path, command: list[str], says: str
) -> None:
    program(folder / "loop.sh", "#!/bin/sh\n./loop.sh\n")
    with pytest.raises(TargetError, match=says) as caught:
        find(*command)
    assert "name the interpreter with --python" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_console_scripts_start_the_interpreter_of_their_first_line(
    find: Find, folder: Path, tmp_path: Path, venv: Path
) -> None:
    other = make_venv(tmp_path / "a folder with spaces")
    body = "import sys\nfrom x import main\nsys.exit(main())\n"
    trampoline = f"#!/bin/sh\n'''exec' \"{other}/bin/python\" \"$0\" \"$@\"\n' '''\n{body}"
    relocatable = (
        '#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python\' "$0" "$@"\n'
        f"' '''\n{body}"
    )
    program(venv / "bin" / "tool", f"#!{venv}/bin/python -E\n{body}")
    program(tmp_path / "elsewhere" / "long", trampoline)
    program(other / "bin" / "moved", relocatable)
    (tmp_path / "link").symlink_to(other / "bin" / "moved")
    found = find("tool", "--flag")
    assert found.target.start == "console-script"
    assert found.target.path0 == os.path.realpath(venv / "bin")
    assert (found.options, found.arguments) == (("-E",), ("--flag",))
    for name, path0 in (
        (tmp_path / "elsewhere" / "long", tmp_path / "elsewhere"),
        (other / "bin" / "moved", other / "bin"),
        (tmp_path / "link", other / "bin"),
    ):
        found = find(str(name))
        assert found.target.environment == str(other)
        assert found.target.path0 == os.path.realpath(path0)


def test_scripts_run_directly(find: Find, folder: Path, venv: Path) -> None:
    program(folder / "a.py", "#!/usr/bin/env python\nimport keras\n")
    program(folder / "b.py", f"#!{venv}/bin/python -u\nimport keras\n")
    program(folder / "c", "#!/usr/bin/env -S python -O -X dev\nimport keras\n")
    (folder / "d.py").write_text("#!/usr/bin/env python\n")
    for name, options in (
        ("a.py", ()),
        ("b.py", ("-u",)),
        ("c", ("-O", "-X", "dev")),
        ("d.py", ()),
    ):
        found = find(f"./{name}", "x")
        assert found.target.start == "script"
        assert found.target.script == str(folder / name)
        assert found.target.path0 == os.path.realpath(folder)
        assert found.options == options
        assert found.arguments == ("x",)


def console(venv: Path, name: str) -> None:
    program(venv / "bin" / name, f"#!{venv}/bin/python\nimport sys\nsys.exit(main())\n")


def test_tools_that_run_a_program(find: Find, folder: Path, tmp_path: Path) -> None:
    venv = make_venv(folder / ".venv")
    for name in ("pytest", "ipython", "torchrun", "accelerate"):
        console(venv, name)
    (folder / "tests" / "unit").mkdir(parents=True)
    (folder / "tests" / "unit" / "__init__.py").touch()
    (folder / "tests" / "unit" / "test_x.py").touch()
    (folder / "train.py").touch()
    pytest_ = find(".venv/bin/pytest -q tests/unit/test_x.py::test_a").target
    assert pytest_.script == str(folder / "tests" / "unit" / "test_x.py")
    assert pytest_.path0 == os.path.realpath(folder / "tests")
    module = find("python -m pytest tests/unit/test_x.py").target
    assert (module.start, module.path0) == ("module", os.path.realpath(folder))
    assert module.script == pytest_.script
    for line in ("ipython train.py -v", "torchrun --nproc_per_node 2 train.py -v",
                 "accelerate launch --cpu train.py -v"):  # fmt: skip
        found = find(f".venv/bin/{line}")
        assert (found.target.start, found.target.script) == ("script", str(folder / "train.py"))
        assert found.arguments == ("-v",)
    assert find("python -m torch.distributed.run train.py").target.script == str(
        folder / "train.py"
    )
    assert find(".venv/bin/pytest").target.path0 == os.path.realpath(venv / "bin")


def test_activation_in_the_line(find: Find, folder: Path) -> None:
    env = make_venv(folder / "env")
    for line in ("source env/bin/activate && python x.py", ". env/bin/activate; python x.py"):
        found = find(line)
        assert found.target.environment == str(env)
        assert found.environ["VIRTUAL_ENV"] == str(env)
        assert found.run_environ.get("VIRTUAL_ENV") is None


def test_conda_run_and_activate(find: Find, world: dict[str, str], folder: Path) -> None:
    prefix = constructed_conda(Path(world["HOME"]) / "miniconda3" / "envs" / "tf")
    scripts = prefix / "etc" / "conda" / "activate.d"
    scripts.mkdir(parents=True)
    (scripts / "keras.sh").write_text('export KERAS_BACKEND="tensorflow"\n')
    (prefix / "conda-meta" / "state").write_text('{"env_vars": {"TF_USE_LEGACY_KERAS": "1"}}')
    for line in (
        "conda run -n tf python train.py",
        "conda run --no-capture-output --name=tf python train.py",
        f"mamba run -p {prefix} python train.py",
        "conda activate tf && python train.py",
    ):
        found = find(line)
        assert found.target.environment == str(prefix)
        assert found.environ["CONDA_PREFIX"] == str(prefix)
        assert found.environ["KERAS_BACKEND"] == "tensorflow"
        assert found.set_by["KERAS_BACKEND"] == str(scripts / "keras.sh")
        assert found.set_by["TF_USE_LEGACY_KERAS"] == str(prefix / "conda-meta" / "state")


def test_uv_poetry_and_pipenv_run(find: Find, world: dict[str, str], folder: Path) -> None:
    import base64
    import hashlib

    sub = folder / "sub"
    sub.mkdir()
    (sub / "train.py").touch()
    (folder / "pyproject.toml").write_text("[project]\n")
    env = make_venv(folder / ".venv")
    console(env, "pytest")
    for line in (
        "uv run train.py",
        "uv run python train.py",
        "uv run --extra gpu --with rich python train.py",
        "uv -q run -- python train.py",
        "poetry run python train.py",
    ):
        found = find(f"cd sub && {line}")
        assert found.target.environment == str(env), line
        assert found.target.script == str(sub / "train.py")
        assert found.environ["VIRTUAL_ENV"] == str(env)
    assert find("uv run -m pkg.x").module == "pkg.x"
    assert find("uv run pytest").target.start == "console-script"
    world["UV_PROJECT_ENVIRONMENT"] = "other"
    assert find(f"{BASE} x.py").target.environment is None
    with pytest.raises(TargetError, match=r"`uv run` would use .*other, which is not there"):
        find("uv run train.py")
    (folder / ".venv").rename(folder / "gone")
    digest = hashlib.sha256(os.path.realpath(folder).encode()).digest()
    mark = base64.urlsafe_b64encode(digest).decode()[:8]
    cache = Path(world["HOME"]) / ".cache" / "pypoetry" / "virtualenvs"
    own = make_venv(cache / f"project-{mark}-py3.11")
    assert find("poetry run python x.py").target.environment == str(own)
    (folder / "Pipfile").touch()
    digest = hashlib.sha256(str(folder / "Pipfile").encode()).digest()
    mark = base64.urlsafe_b64encode(digest[:6]).decode()
    piped = make_venv(Path(world["HOME"]) / ".local" / "share" / "virtualenvs" / f"project-{mark}")
    assert find("pipenv run python x.py").target.environment == str(piped)
    with pytest.raises(TargetError, match="`poetry env info --path`"):
        find("poetry run python x.py", project=world["HOME"])
