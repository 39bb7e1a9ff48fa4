"""Where the user's pip installs from, as uv takes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_doctor.fixes import pipsettings
from keras_doctor.fixes.pipsettings import pip_settings, uv_options, uv_variables

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folders are those of POSIX")
PLACES = {
    "system": "xdg/pip/pip.conf",
    "legacy": "home/.pip/pip.conf",
    "user": "home/.config/pip/pip.conf",
    "environment": "env/pip.conf",
    "own": "own.conf",
}
"""From the weakest to the strongest."""


@pytest.fixture(autouse=True)
def nothing_from_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pipsettings, "_ETC", str(tmp_path / "etc"))


def written(folder: Path, **files: str) -> dict[str, str]:
    """Variables of a user with these files."""
    for name, text in files.items():
        path = folder / PLACES[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    environ = {"HOME": str(folder / "home"), "XDG_CONFIG_DIRS": str(folder / "xdg")}
    if "own" in files:
        environ["PIP_CONFIG_FILE"] = str(folder / PLACES["own"])
    return environ


def index(name: str, section: str = "global") -> str:
    return f"[{section}]\nindex-url = https://{name}.invalid/simple\n"


def settings_of(folder: Path, environ: dict[str, str]) -> dict[str, str]:
    return pip_settings(environ, str(folder / "env"))


def test_nothing_is_said(tmp_path: Path) -> None:
    assert settings_of(tmp_path, written(tmp_path)) == {}
    assert uv_variables(written(tmp_path), None) == {}
    assert uv_options(written(tmp_path), None) == ()


@pytest.mark.parametrize("count", range(1, len(PLACES) + 1))
def test_the_nearer_file_wins(tmp_path: Path, count: int) -> None:
    names = list(PLACES)[:count]
    environ = written(tmp_path, **{name: index(name) for name in names})
    assert settings_of(tmp_path, environ) == {"index-url": f"https://{names[-1]}.invalid/simple"}


def test_a_variable_wins_over_all_files(tmp_path: Path) -> None:
    environ = written(tmp_path, **{name: index(name) for name in PLACES})
    environ["PIP_INDEX_URL"] = "https://variable.invalid/simple"
    assert settings_of(tmp_path, environ)["index-url"] == "https://variable.invalid/simple"
    environ["PIP_INDEX_URL"] = ""
    assert settings_of(tmp_path, environ)["index-url"] == "https://own.invalid/simple"


def test_what_is_said_of_install_wins_over_what_is_said_of_all(tmp_path: Path) -> None:
    environ = written(tmp_path, system=index("install", "install"), user=index("all"))
    assert settings_of(tmp_path, environ)["index-url"] == "https://install.invalid/simple"


def test_other_sections_and_other_settings_do_not_count(tmp_path: Path) -> None:
    text = index("download", "download") + "[global]\ntimeout = 3\nuser = true\n"
    assert settings_of(tmp_path, written(tmp_path, user=text)) == {}


def test_a_file_of_ones_own_stands_for_the_users(tmp_path: Path) -> None:
    user = "[global]\nextra-index-url = https://extra.invalid\n"
    environ = written(tmp_path, user=user, system=index("system"), own="[global]\ncert = /c\n")
    assert settings_of(tmp_path, environ) == {
        "index-url": "https://system.invalid/simple",
        "cert": "/c",
    }
    environ["PIP_CONFIG_FILE"] = str(tmp_path / "absent.conf")
    assert "extra-index-url" in settings_of(tmp_path, environ)


def test_no_file_counts_when_the_user_says_so(tmp_path: Path) -> None:
    environ = written(tmp_path, user=index("user"), system=index("system"))
    environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": "https://e.invalid"}
    assert settings_of(tmp_path, environ) == {"extra-index-url": "https://e.invalid"}


@pytest.mark.parametrize(
    "text", ["index-url = x", "[global\n", "[global]\nindex-url\n", "\0", "[global]\na=1\na=2\n"]
)
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    environ = written(tmp_path, user=text, system=index("system"))
    assert settings_of(tmp_path, environ) == {"index-url": "https://system.invalid/simple"}


def test_keys_may_be_written_in_other_ways(tmp_path: Path) -> None:
    text = "[global]\nINDEX_URL = https://a.invalid\n--find-links = /w\n"
    assert settings_of(tmp_path, written(tmp_path, user=text)) == {
        "index-url": "https://a.invalid",
        "find-links": "/w",
    }


@pytest.mark.parametrize("value", ["0", "false", "No", "off", "f", "n"])
def test_no_index_is_taken_back(tmp_path: Path, value: str) -> None:
    environ = written(tmp_path, user="[global]\nno-index = true\n")
    assert uv_options(environ, None) == ("--no-index",)
    environ["PIP_NO_INDEX"] = value
    assert uv_options(environ, None) == ()
    assert uv_variables(environ, None) == {}


@pytest.mark.parametrize("value", ["1", "true", "Yes", "on"])
def test_no_index_is_an_option_of_uv(value: str) -> None:
    """It has no variable for it, and would ask the public index."""
    environ = {"HOME": "/nowhere", "PIP_NO_INDEX": value, "PIP_ONLY_BINARY": "numpy,:all:"}
    assert uv_options(environ, None) == (
        *("--no-index", "--only-binary", "numpy", "--only-binary", ":all:"),
    )


def test_as_uv_takes_it(tmp_path: Path) -> None:
    text = """\
[global]
index-url = https://user:secret@index.invalid/simple
extra-index-url =
    https://one.invalid/simple
    https://two.invalid/simple
find-links =
    /home/o'brien/wheels
    https://wheels.invalid/
trusted-host = a.invalid
    b.invalid
cert = /etc/ca.pem
constraint = /etc/c1.txt
    /etc/c2.txt
"""
    assert uv_variables(written(tmp_path, user=text), None) == {
        "UV_DEFAULT_INDEX": "https://user:secret@index.invalid/simple",
        "UV_INDEX": "https://one.invalid/simple https://two.invalid/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/home/o'brien/wheels,https://wheels.invalid/",
        "UV_INSECURE_HOST": "a.invalid b.invalid",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_CONSTRAINT": "/etc/c1.txt /etc/c2.txt",
    }


@pytest.mark.parametrize(
    ("pip", "uv"),
    [
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_INDEX_URL", "UV_INDEX_URL"),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
        ("PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL"),
        ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
        ("PIP_CONSTRAINT", "UV_CONSTRAINT"),
        ("PIP_CERT", "SSL_CERT_FILE"),
        ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST"),
    ],
)
def test_what_the_user_told_uv_wins(pip: str, uv: str) -> None:
    environ = {"HOME": "/nowhere", pip: "x", "PIP_CONFIG_FILE": os.devnull}
    assert uv_variables(environ, None)
    assert uv_variables(environ | {uv: ""}, None)
    assert uv_variables(environ | {uv: "mine"}, None) == {}


ORACLE = """
import json
from pip._internal.commands import create_command
options, _ = create_command("install").parse_args([])
print(json.dumps([options.index_url, options.extra_index_urls, options.find_links,
                  options.no_index, options.cert]))
"""


def test_pip_itself_sees_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that contradict each other in every way, read by pip and by us."""
    monkeypatch.undo()
    environ = written(
        tmp_path,
        system=index("system", "install") + "find_links = /system\n[global]\ncert = /system\n",
        legacy=index("legacy") + "cert = /legacy\nno-index = yes\n",
        user=index("user") + "extra-index-url = https://a.invalid\n    https://b.invalid\n",
        environment="[global]\nfind-links = /environment\n",
    )
    environ["PIP_NO_INDEX"] = "off"
    path = tmp_path / "site"
    path.mkdir()
    (path / "sitecustomize.py").write_text(f"import sys\nsys.prefix = {str(tmp_path / 'env')!r}\n")
    done = subprocess.run(
        [sys.executable, "-c", ORACLE],
        env={**environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = settings_of(tmp_path, environ)
    assert json.loads(done.stdout) == [
        found["index-url"],
        found["extra-index-url"].split(),
        found["find-links"].split(),
        "no-index" in found,
        found["cert"],
    ]
