"""What installers say when they fail."""

from __future__ import annotations

from keras_doctor.fixes.said import is_unreachable, last_words

UV = """Using Python 3.11 environment at: /env
warning: Failed to hardlink files; intentional, set `export UV_LINK_MODE=copy`
error: Failed to install: numpy-2.5.5-cp313.whl (numpy==2.5.5)
  cause: failed to copy file: No space left on device (os error 28)
"""
PIP = """Collecting keras
ERROR: Could not find a version that satisfies the requirement keras==9
ERROR: No matching distribution found for keras==9
"""
GONE = """error: Request failed after 3 retries in 11.7s
  cause: Failed to fetch: https://index.example/simple/pip/
  cause: dns error
"""


def test_last_words() -> None:
    assert last_words("") == last_words(" \n \n") == "the installer said nothing"
    assert last_words("\n".join(map(str, range(20)))) == "14 15 16 17 18 19"
    assert len(last_words("x" * 5000)) == 600


def test_an_error_begins_where_it_says_so() -> None:
    assert last_words(PIP).startswith("ERROR: Could not find a version")
    assert last_words(PIP).endswith("for keras==9")
    assert last_words("warning: x\nerror: first\nmore\nerror: last\n  cause: y") == (
        "error: last cause: y"
    )


def test_a_python_that_is_closed_to_installers() -> None:
    said = "error: The interpreter at `/usr` is externally managed, and indicates ... try apt"
    assert last_words(said) == "installers refuse to change this Python (PEP 668)"
    assert last_words("error: externally-managed-environment\n\nx This") == last_words(said)


def test_a_full_disk_and_a_network_that_is_gone_are_said_first() -> None:
    assert last_words(UV).startswith("the disk is full. error: Failed to install: numpy")
    assert last_words(GONE).startswith("the network cannot be reached. error: Request failed")
    assert is_unreachable(GONE)
    assert is_unreachable("WARNING: Retrying after connection broken by NewConnectionError('x')")
    assert not is_unreachable(UV)
    assert not is_unreachable(PIP)
