"""Which index is asked: pip says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from keras_doctor.registry import RegistryError
from keras_doctor.registry.address import find_index, index_from


def test_pip_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = http://127.0.0.1:1/one/simple/\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert find_index([sys.executable]).url == "http://127.0.0.1:1/one/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "http://u:p@127.0.0.1:1/two/simple")
    found = find_index(["/no/such/python", sys.executable])
    assert (found.url, found.authorization) == ("http://127.0.0.1:1/two/simple", "Basic dTpw")


def test_the_working_folder_is_not_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    assert find_index([sys.executable]).url == "http://127.0.0.1:1/simple"


def test_no_pip() -> None:
    with pytest.raises(RegistryError, match="no pip"):
        find_index(["/no/such/python"])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, "no index"),
        ("", "no index"),
        ("file:///srv/simple", "no web address"),
        ("ftp://host/simple", "no web address"),
        ("http://example.org/simple", "without encryption"),
    ],
)
def test_indexes_that_are_not_asked(url: str | None, told: str) -> None:
    with pytest.raises(RegistryError, match=told):
        index_from(url)


def test_trusted_hosts() -> None:
    assert index_from("http://example.org:8/simple/", trusted=["example.org"])
    assert index_from("http://example.org:8/simple/", trusted=["example.org:8"])
    assert index_from("https://example.org/simple/").url == "https://example.org/simple"
