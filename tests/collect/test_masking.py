"""What is shared must not say whose it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.collect_builders import snapshot
from keras_doctor.codec import encode
from keras_doctor.collect.masking import mask, mask_text
from keras_doctor.model import Module, PathEntry, Snapshot, Variable


def with_home(home: str, *paths: str) -> Snapshot:
    variable = Variable(name="HOME", value=home, set_by=None)
    entries = [
        PathEntry(path=path, origin="other", where=None, kind="folder", python=None)
        for path in paths
    ]
    return snapshot(variables=(variable,), path=tuple(entries))


def texts(data: object) -> list[str]:
    if isinstance(data, str):
        return [data]
    if isinstance(data, dict):
        return [text for value in data.values() for text in texts(value)]
    if isinstance(data, list):
        return [text for value in data for text in texts(value)]
    return []


NAMES = st.from_regex(r"[a-z][a-z0-9_]{3,10}", fullmatch=True).map("q".__add__)


@given(NAMES, st.sampled_from(["/home/", "/Users/", "/srv/people/", "C:\\Users\\"]))
def test_homes_and_user_names_are_gone(name: str, root: str) -> None:
    home = root + name
    shown = mask(with_home(home, f"{home}/env/lib", f"{home}:{home}/bin", f"owned by {name}."))
    for text in texts(encode(shown)):
        assert home not in text
        if root != "/srv/people/":
            assert not re.search(rf"\b{name}\b", text)
    assert shown.path[0].path == "<home>/env/lib"
    assert shown.path[1].path == "<home>:<home>/bin"


@given(NAMES)
def test_masking_twice_changes_nothing(name: str) -> None:
    once = mask(with_home(f"/home/{name}", f"/home/{name}/x", "/opt/x", "/home/another/y"))
    assert mask(once) == once


def test_what_the_diagnosis_needs_stays() -> None:
    value = with_home(
        "/work/lab/x/home",
        "/work/lab/x/env/lib/python3.8",
        "/srv/home/x",
        "/root-fs/y",
        "/a/root/b",
    )
    assert [entry.path for entry in mask(value).path] == [entry.path for entry in value.path]


def test_a_user_named_like_a_package() -> None:
    module = Module(name="keras", kind="missing", path=None, entry=None, copies=())
    entry = PathEntry(path="/home/keras/keras", origin="other", where=None, kind="f", python=None)
    shown = mask(snapshot(modules=(module,), path=(entry,)))
    assert shown.modules[0].name == "keras"
    assert shown.path[0].path == "<home>/keras"


def test_host_names() -> None:
    shown = mask(
        snapshot(problems=("on box17.lan and box17", "box178")), hosts=["box17", "box17.lan"]
    )
    assert shown.problems == ("on <host> and <host>", "box178")


@pytest.mark.parametrize(
    "secret",
    [
        "https://me:hunter22@index.example/simple",
        "https://hunter22@index.example/simple",
        "https://index.example/simple?token=hunter22&x=1",
        "https://bucket.example/x?X-Sig=hunter22",
        "PIP_INDEX_PASSWORD=hunter22",
        '"api_key": "hunter22"',
        "Authorization: Bearer hunter22hunter22",
    ],
)
def test_credentials(secret: str) -> None:
    assert "hunter22" not in mask_text(secret)


@given(
    st.sampled_from(["ghp_", "hf_", "glpat-", "pypi-", "sk-", "github_pat_"]),
    st.from_regex(r"[A-Za-z0-9]{24}", fullmatch=True),
)
def test_tokens(prefix: str, rest: str) -> None:
    assert rest not in mask_text(f"a {prefix}{rest} b")


@pytest.mark.parametrize(
    "text",
    [
        "tokenizers==0.15.2",
        "tokenizers (>=0.15.2)",
        "secretstorage>=3.2; sys_platform == 'linux'",
        "https://example.org/a@b",
        "import keras.preprocessing.text",
        '{"backend": "tensorflow", "epsilon": 1e-07}',
        "design=flat",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert mask_text(text) == text
