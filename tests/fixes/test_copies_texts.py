"""Files that name their own environment, in a copy and after it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixes.tiny import (
    UV,
    Patient,
    demo,
    install_there,
    kinds,
    make_patient,
    make_wheel,
    put_in,
    run_there,
    uninstall_there,
)
from keras_doctor.fixes.installer import Installer
from keras_doctor.fixes.rehearse import leading
from keras_doctor.fixes.rehearse.copies import Copies
from keras_doctor.fixes.rehearse.mirror import Mirror

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the layout of POSIX environments")
WORLD = "/stage/w1"


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return make_patient(tmp_path / "patient")


@pytest.mark.parametrize(
    ("text", "led"),
    [
        ("/opt/env/bin/python", f"{WORLD}/opt/env/bin/python"),
        ("/opt/env", f"{WORLD}/opt/env"),
        ("/opt/envy/bin", "/opt/envy/bin"),
        ("/opt", "/opt"),
        ("/usr/bin:/opt/env/bin:/bin", f"/usr/bin:{WORLD}/opt/env/bin:/bin"),
        ("/home/u", f"{WORLD}/home/u"),
        ("/home/u/.keras", f"{WORLD}/home/u/.keras"),
        ("/home/u/other", "/home/u/other"),
        ("/home/u/p/train.py", f"{WORLD}/home/u/p/train.py"),
        ("NAME=/opt/env", "NAME=/opt/env"),
        ("--python=/opt/env/bin/python", "--python=/opt/env/bin/python"),
        ("train.py", "train.py"),
        ("", ""),
        (f"{WORLD}/opt/env", f"{WORLD}/opt/env"),
    ],
)
def test_there_and_back(text: str, led: str) -> None:
    mirror = Mirror(WORLD, ["/opt/env", "/home/u/.keras", "/home/u/p"], "/home/u")
    assert mirror.there(text) == led
    assert mirror.there(led) == led
    assert mirror.back(f"<{led}>") == f"<{text}>" if WORLD not in text else True


def test_a_world_inside_of_a_root_is_left_alone() -> None:
    mirror = Mirror("/p/stage/w1", ["/p"])
    assert mirror.there("/p/a") == "/p/stage/w1/p/a"
    assert mirror.there(mirror.there("/p/a")) == "/p/stage/w1/p/a"
    assert mirror.back("in /p/stage/w1/p/a, line 1") == "in /p/a, line 1"


def test_a_folder_by_another_name(tmp_path: Path) -> None:
    real = (tmp_path / "real").resolve()
    (real / "bin").mkdir(parents=True)
    (real / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "name").symlink_to(real)
    mirror = Mirror(WORLD, [str(real)])
    named = f"{tmp_path}/name/bin/python"
    assert mirror.there(named) == f"{WORLD}{real}/bin/python"
    # A program elsewhere that is a link into it is told by where it lies itself.
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "python").symlink_to(real / "bin" / "python")
    assert mirror.there(f"{tmp_path}/other/python") == f"{tmp_path}/other/python"


@pytest.mark.parametrize(
    ("text", "led"),
    [
        ("#!/opt/env/bin/python\n", "#!/stage/w1/opt/env/bin/python\n"),
        (
            "#!/bin/sh\n'''exec' '/opt/env/bin/python' \"$0\" \"$@\"\n' '''\n",
            "#!/bin/sh\n'''exec' '/stage/w1/opt/env/bin/python' \"$0\" \"$@\"\n' '''\n",
        ),
        ('VIRTUAL_ENV="/opt/env"\n', 'VIRTUAL_ENV="/stage/w1/opt/env"\n'),
        ("MAPPING = {'a': '/opt/env/src/a'}", "MAPPING = {'a': '/stage/w1/opt/env/src/a'}"),
        ("/opt/env/bin/x,sha256=a,1\n", "/stage/w1/opt/env/bin/x,sha256=a,1\n"),
        ("MAPPING = {'a': '/src/a'}", None),
        ("/opt/envy\n/opt/env-2\n/x/opt/env\n../opt/env\n~/opt/env\n", None),
        ("file:///opt/env/x", None),
    ],
)
def test_texts(text: str, led: str | None, tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_text(text)
    found = leading.led_text(str(path), Mirror(WORLD, ["/opt/env"]))
    assert (found and found.decode()) == led


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_long_first_lines_become_short(quote: str, tmp_path: Path) -> None:
    world = "/" + "w" * 130
    path = tmp_path / "tool"
    python = f"{world}/opt/env/bin/python"
    path.write_text(
        f"#!/bin/sh\n'''exec' {quote}{python}{quote} \"$0\" \"$@\"\n' '''\nimport sys\n"
    )
    path.chmod(0o755)
    assert leading.straightened(str(path), Mirror(world, ["/opt/env"]))
    assert path.read_text() == "#!/opt/env/bin/python\nimport sys\n"
    assert path.stat().st_mode & 0o777 == 0o755
    assert not leading.straightened(str(path), Mirror(world, ["/opt/env"]))


@pytest.mark.pythons
@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("world", ["/w", "/" + "w" * 300, "/wörld"])
def test_bytecode_names_the_source(version: str, world: str, tmp_path: Path) -> None:
    python = find_python(version)
    source = tmp_path / "one.py"
    source.write_text("def f():\n    class A:\n        g = lambda: (lambda: 1)\n    return A\n")
    compiled = tmp_path / "one.pyc"
    code = "import py_compile, sys; py_compile.compile(*sys.argv[1:], doraise=True)"
    environ = {**os.environ, "PYTHONUTF8": "1"}
    argv = [python, "-c", code, str(source), str(compiled), f"{world}/opt/env/one.py"]
    subprocess.run(argv, check=True, env=environ)
    assert leading.straightened(str(compiled), Mirror(world, ["/opt/env"]))
    assert world.encode() not in compiled.read_bytes()
    show = (
        "import marshal, sys\n"
        "def names(code):\n"
        "    yield code.co_filename\n"
        "    for one in code.co_consts:\n"
        "        if hasattr(one, 'co_code'): yield from names(one)\n"
        "data = open(sys.argv[1], 'rb').read()[16 if sys.version_info >= (3, 7) else 12:]\n"
        "print(*names(marshal.loads(data)))\n"
    )
    done = subprocess.run(
        [python, "-c", show, str(compiled)], capture_output=True, text=True, check=True
    )
    names = done.stdout.split()
    assert len(names) == 5
    assert set(names) == {"/opt/env/one.py"}


def find_python(version: str) -> str:
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = sorted(Path(root, "versions").glob(f"{version}.*/bin/python"))
    python = str(found[-1]) if found else shutil.which(f"python{version}")
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    return python


def test_pth_lines_are_followed_in_the_copy(patient: Patient) -> None:
    inside = patient.prefix / "sources"
    inside.mkdir()
    (inside / "inner.py").write_text("")
    named = patient.folder / "name"
    named.symlink_to(patient.prefix)
    (patient.site / "one.pth").write_text(f"{inside}\nimport sys\n{patient.folder}/nowhere\n")
    (patient.site / "two.pth").write_text(f"{named}/lib")
    place = patient.copies()
    path = run_there(place, patient, "import sys, inner; print(inner.__file__, *sys.path)").split()
    assert path[0] == place.there(str(inside / "inner.py"))
    assert str(inside) not in path
    assert place.there(str(patient.prefix / "lib")) in path
    assert place.difference() == ()
    place.close()


def test_editable_installs(patient: Patient) -> None:
    """A finder leads into the copy where it led into the environment, else where it leads."""
    source = patient.folder / "source"
    for folder in (patient.prefix / "src", source):
        folder.mkdir()
        (folder / f"{folder.name}_one.py").write_text("")
    names = {"src_one": f"{patient.prefix}/src/src_one.py", "other": f"{source}/source_one.py"}
    finder = patient.site / "__editable___thing_1_finder.py"
    finder.write_text(f"MAPPING = {names!r}\n")
    place = patient.copies()
    shown = run_there(place, patient, f"import {finder.stem} as f; print(f.MAPPING)")
    names["src_one"] = place.there(names["src_one"])
    assert shown == str(names)
    assert place.difference() == ()
    place.close()


def test_links_that_lead_back(patient: Patient) -> None:
    (patient.site / "real").mkdir()
    (patient.site / "absolute").symlink_to(patient.site / "real")
    (patient.site / "relative").symlink_to("real")
    (patient.site / "outside").symlink_to("../../../../else")
    (patient.site / "nowhere").symlink_to(patient.prefix / "gone")
    place = patient.copies()
    site = Path(place.there(str(patient.site)))
    for name in ("absolute", "relative"):
        assert (site / name).resolve() == site / "real"
    assert (site / "outside").resolve() == patient.folder / "else"
    assert place.difference() == ()
    place.close()


def test_a_link_that_an_installer_makes(patient: Patient) -> None:
    place = patient.copies()
    site = Path(place.there(str(patient.site)))
    (site / "made").symlink_to(site / "real")
    (change,) = place.difference()
    assert change.staged is not None
    assert change.after.target == os.readlink(change.staged) == str(patient.site / "real")
    place.close()


# ------------------------------------------------------------------------------------- with pip


@pytest.fixture(scope="module")
def with_pip(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """An environment with a pip of its own; tests may not change it."""
    patient = make_patient(tmp_path_factory.mktemp("pip") / "patient")
    subprocess.run(
        [sys.executable, "-m", "venv", "--clear", patient.prefix], check=True, capture_output=True
    )
    put_in(patient, demo(patient.folder, "1.0"))
    extra = patient.prefix / "share" / "extra.txt"
    extra.parent.mkdir(exist_ok=True)
    extra.write_text("")
    with open(patient.site / "demo-1.0.dist-info" / "RECORD", "a") as record:
        record.write(f"{extra},,\n")
    (patient.folder / "old").mkdir()
    (patient.folder / "old" / "old_one.py").write_text("")
    info = patient.folder / "old" / "old_one.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: old-one\nVersion: 1\n")
    (patient.site / "old-one.egg-link").write_text(f"{patient.folder}/old\n.")
    inside = patient.prefix / "other"
    inside.mkdir()
    (patient.site / "easy-install.pth").write_text(f"{patient.folder}/old\n{inside}\n")
    return patient


def pip_of(patient: Patient) -> Installer:
    return Installer("pip", (str(patient.python), "-I", "-m", "pip"))


def test_pip_edits_easy_install_in_the_copy(with_pip: Patient) -> None:
    """It is opened and written, and everybody who has a link to it would see that."""
    before = with_pip.seen()
    text = (with_pip.site / "easy-install.pth").read_text()
    place = with_pip.copies()
    done = uninstall_there(place, with_pip, "old-one", pip_of(with_pip))
    assert done.ok, done.output
    assert place.rung == "hard links"
    changes = {os.path.basename(c.path): c for c in place.difference()}
    assert set(changes) == {"easy-install.pth", "old-one.egg-link"}
    staged = changes["easy-install.pth"].staged
    assert staged is not None
    assert Path(staged).read_text() == f"{with_pip.prefix}/other\n"
    assert with_pip.seen() == before
    assert (with_pip.site / "easy-install.pth").read_text() == text
    place.close()


def test_records_with_full_paths(with_pip: Patient) -> None:
    """An uninstall in the copy must not follow them out."""
    before = with_pip.seen()
    place = with_pip.copies()
    assert uninstall_there(place, with_pip, "demo", pip_of(with_pip)).ok
    assert with_pip.seen() == before
    found = kinds(place.difference(), with_pip)
    assert found["extra.txt"] == found["demo.py"] == "file>absent"
    place.close()


def test_the_pip_of_the_original_is_not_started(with_pip: Patient, tmp_path: Path) -> None:
    """Even when the installer is named by the original's Python."""
    before = with_pip.seen()
    wheel = make_wheel(tmp_path, "tool", "1", {"tool.py": "def main(): pass\n"}, program="tool")
    place = with_pip.copies()
    done = install_there(place, with_pip, wheel, installer=pip_of(with_pip))
    assert done.ok, done.output
    assert with_pip.seen() == before
    changes = {os.path.basename(c.path): c for c in place.difference()}
    launcher = changes["tool"].staged
    assert launcher is not None
    assert Path(launcher).read_text().startswith(f"#!{with_pip.prefix}/bin/python")
    record = changes["RECORD"].staged
    assert record is not None
    size = os.path.getsize(launcher)
    (row,) = [line for line in Path(record).read_text().splitlines() if "bin/tool" in line]
    assert row.split(",")[-1] == str(size)
    place.close()


def test_a_pip_that_writes_into_files_gets_a_full_copy(with_pip: Patient, tmp_path: Path) -> None:
    place = with_pip.copies()
    (module,) = Path(place.there(str(with_pip.site))).glob(
        "pip/_internal/operations/install/wheel.py"
    )
    text = module.read_text()
    module.unlink()
    module.write_text(text.replace("os.unlink(", "print("))
    wheel = make_wheel(tmp_path, "tool", "1", {"tool.py": ""})
    assert install_there(place, with_pip, wheel, installer=pip_of(with_pip)).ok
    assert place.rung == "copy"
    place.reset()
    assert place.rung == "hard links"
    place.close()


# -------------------------------------------------------------------------------- as conda does


def test_an_interpreter_with_its_own_prefix(tmp_path: Path) -> None:
    """As in a conda environment: no pyvenv.cfg, the prefix follows from where Python lies."""
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = sorted(Path(root, "versions").glob("3.8.*"))
    if not found:
        pytest.skip("needs a Python 3.8 of pyenv to copy")
    folder = tmp_path.resolve()
    subprocess.run(["cp", "-a", "--reflink=auto", found[0], folder / "env"], check=True)
    (folder / "env" / "conda-meta").mkdir()
    (folder / "env" / "conda-meta" / "history").write_text("")
    (folder / "env" / "pkgs").mkdir()
    (folder / "env" / "pkgs" / "big").write_text("")
    (folder / "home").mkdir()
    (folder / "project").mkdir()
    patient = Patient(folder, folder / "env" / "lib" / "python3.8" / "site-packages")
    before = patient.seen()
    place = patient.copies()
    prefix = run_there(place, patient, "import sys, os; print(os.path.realpath(sys.prefix))")
    assert prefix == place.there(str(patient.prefix))
    assert os.path.islink(place.there(str(patient.prefix / "pkgs")))
    for installer in (UV, pip_of(patient)):
        wheel = demo(tmp_path, "1.0" if installer is UV else "2.0")
        done = install_there(place, patient, wheel, installer=installer)
        assert done.ok, done.output
    assert patient.seen() == before
    assert kinds(place.difference(), patient)["demo.py"] == "absent>file"
    place.close()


def test_the_copy_is_what_is_used(patient: Patient) -> None:
    place: Copies = patient.copies("copy")
    where = run_there(place, patient, "import sys; print(sys.prefix)")
    assert where == place.there(str(patient.prefix))
    place.close()


@pytest.mark.parametrize("by", ["uv", "pip"])
@pytest.mark.parametrize("folder", [False, True])
def test_an_uninstall_stays_inside(with_pip: Patient, by: str, folder: bool) -> None:
    """Through lists that name what lies elsewhere: relative, by its full path, behind a link."""
    patient = with_pip
    outside = patient.folder / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "precious.txt").write_text("kept")
    link = patient.site / "way_out"
    if not link.is_symlink():
        link.symlink_to(outside)
    record = patient.site / "demo-1.0.dist-info" / "RECORD"
    text = record.read_text()
    names = ("../../../../outside/precious.txt", outside / "precious.txt", "way_out/precious.txt")
    record.write_text(text + "".join(f"{name},,\n" for name in names))
    scratch = [str(patient.project), str(patient.folder)]
    place = Copies("hard links", [str(patient.prefix)], scratch if folder else scratch[:1])
    done = uninstall_there(place, patient, "old-one", pip_of(patient))
    assert done.ok, done.output
    assert set(kinds(place.difference(), patient)) == {"easy-install.pth", "old-one.egg-link"}
    place.reset()
    done = uninstall_there(place, patient, "demo", UV if by == "uv" else pip_of(patient))
    assert done.ok, done.output
    assert (outside / "precious.txt").read_text() == "kept"
    assert kinds(place.difference(), patient)["demo.py"] == "file>absent"
    place.close()
    record.write_text(text)
