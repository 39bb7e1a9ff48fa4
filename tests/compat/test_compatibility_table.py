"""The published table of measured boundaries."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from compat.compat_builders import EDGES, PACKAGES, edge, rel
from keras_doctor.knowledge import measured
from tools import compatibility_table as page

ABOUT: dict[str, object] = {
    "platform": "linux-x86_64",
    "runs": 7,
    "date": "2024-06-01",
    "command": "python -m tools.measure run",
}


def rendered() -> str:
    return page.render(measured.all_edges(), ABOUT, "2024-05-01")


def found() -> list[tuple[str, str, str, str | None, str]]:
    rows = page.boundaries_of(measured.all_edges(), "linux", "x86_64")
    return [
        (f"{r.subject} {r.release}", r.dependency, r.last_good, r.first_bad, r.verdict)
        for r in rows
    ]


def test_every_boundary_has_a_verdict(build: Any) -> None:
    build(PACKAGES, EDGES)
    assert found() == [
        ("tensorflow 2.16.2", "keras", "3.0.0", "2.15.0", page.SAYS_SO),
        ("tensorflow 2.16.2", "numpy", "1.26.4", "2.0.0", page.ACCEPTS_BAD),
        ("tensorflow 2.15.1", "keras", "3.6.0", None, page.FORBIDS_GOOD),
        ("tensorflow 2.10.1", "keras", "2.10.0", "2.15.0", page.SAYS_SO),
        ("tensorflow 2.10.1", "protobuf", "3.20.3", "4.21.1", page.FORBIDS_GOOD),
    ]


def test_the_page(build: Any) -> None:
    build(PACKAGES, EDGES)
    text = rendered()
    lines = text.splitlines()
    assert "**Metadata is wrong about 50 % of the measured boundaries: 2 of 4.**" in lines
    assert "- metadata accepts what fails: 1 (in 0 of them neither package says anything" in text
    assert "- not counted, because no failure was found: 1 ends" in text
    assert "7 runs, the last on 2024-06-01; metadata as of 2024-05-01" in text
    assert "`python -m tools.measure run`" in text
    assert (
        "| tensorflow 2.16.2 | 3.11 | numpy | 1.26.4 | 2.0.0 | `TypeError: it broke` | `numpy` "
        "| **metadata accepts what fails** |" in lines
    )


def test_the_same_data_give_the_same_page(build: Any) -> None:
    build(PACKAGES, EDGES)
    first = rendered()
    for seed in range(4):
        shuffled = random.Random(seed).sample(EDGES, len(EDGES))  # noqa: S311
        build(PACKAGES, shuffled)
        assert rendered() == first


def test_several_pythons_count_once(build: Any) -> None:
    rows = [
        edge("tensorflow 2.16.2", "numpy", ("1.26.4", "1.26.4"), newer="2.0.0", python=python)
        for python in ("3.12", "3.9", "3.10")
    ]
    build(PACKAGES, rows)
    assert len(found()) == 1
    assert "| 3.9, 3.10, 3.12 |" in rendered()


def test_the_dependency_may_be_the_one_that_says_so(build: Any) -> None:
    packages = {
        "tensorflow": [rel("2.16.2")],
        "tf-keras": [rel("2.16.0", "tensorflow<2.17"), rel("2.17.0", "tensorflow>=2.17")],
    }
    statement = "import tf_keras"
    rows = [
        edge("tensorflow 2.16.2", "tf-keras", ("2.16.0",) * 2, newer="2.17.0", statement=statement)
    ]
    build(packages, rows)
    assert [row[-1] for row in found()] == [page.SAYS_SO]
    assert "`tensorflow>=2.17 (tf-keras 2.17.0)`" in rendered()
    assert "tf-keras (import tf_keras)" in rendered()


def test_silence_is_counted_and_told(build: Any) -> None:
    build(
        {"keras": [rel("2.3.1")], "six": [rel("1.0"), rel("2.0")]},
        [edge("keras 2.3.1", "six", ("1.0", "1.0"), newer="2.0")],
    )
    assert [row[-1] for row in found()] == [page.ACCEPTS_BAD]
    assert "in 1 of them neither package" in rendered()
    assert "| nothing |" in rendered()


@pytest.mark.parametrize(
    "packages",
    [
        {},
        {"keras": [rel("2.3.1", read=False)], "six": [rel("2.0", read=False)]},
        {"keras": [rel("2.3.1")]},
    ],
    ids=["nothing known", "nothing read", "one missing"],
)
def test_gaps_are_not_counted(build: Any, packages: dict[str, list[Any]]) -> None:
    build(packages, [edge("keras 2.3.1", "six", ("1.0", "1.0"), newer="2.0")])
    assert [row[-1] for row in found()] == [page.NOT_READ]
    assert "No measured boundary could be held against metadata." in rendered()
    assert "because the metadata was not read: 1" in rendered()


def test_nothing_measured(build: Any) -> None:
    build(PACKAGES, [])
    assert "No measured boundary" in rendered()


def test_what_markdown_would_read_is_taken_out(build: Any) -> None:
    row = edge("keras 2.3.1", "six", ("1.0", "1.0"), newer="2.0", error="a|b`c")
    row["newer_failures"][0][1] = "x" * 300
    build({}, [row])
    assert "`a\\|b'c: xxx" in rendered()
    assert max(map(len, rendered().splitlines())) < 700


def test_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # to have it back afterwards
    target = tmp_path / "docs" / "compatibility.md"
    assert page.main(["--output", str(target)]) == 0
    assert target.read_text(encoding="utf-8").startswith("# Which releases go together")
    assert "boundar" in capsys.readouterr().out
