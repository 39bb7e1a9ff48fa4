"""The tables: which releases go with which."""

from __future__ import annotations

from typing import Any

from compat.compat_builders import EDGES, PACKAGES, built, rel
from keras_doctor.compat.answer import answer
from keras_doctor.compat.table import Row, Table
from keras_doctor.report.compat_cells import measured_cell, metadata_cell


def table(first: str, second: str, python: str | None = None) -> Table:
    (found,) = answer((first, second), python=python, platform="linux-x86_64").tables
    return found


def marks(row: Row) -> list[tuple[str, str, str, str | None, str | None]]:
    return [(s.first, s.last, s.declared, s.measured, s.contradiction) for s in row.stretches]


def test_declared_and_measured_side_by_side(build: Any) -> None:
    build(PACKAGES, EDGES)
    rows = table("tensorflow", "keras").rows
    assert [(row.first, row.last) for row in rows] == [
        ("2.17.0", "2.17.0"),
        ("2.16.2", "2.16.2"),
        ("2.15.1", "2.15.1"),
        ("2.10.1", "2.10.1"),
    ]
    assert marks(rows[2]) == [
        ("2.10.0", "2.10.0", "forbids", None, None),
        ("2.15.0", "2.15.0", "accepts", "works", None),
        ("3.0.0", "3.6.0", "forbids", "works", "forbids-what-works"),
    ]
    assert rows[3].python == "3.10"
    assert rows[3].requires == ("keras<2.11,>=2.10.0",)


def test_the_other_way_round(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = table("keras", "tensorflow")
    newest = found.rows[0]
    assert (newest.first, newest.last, newest.python) == ("3.0.0", "3.6.0", "3.11")
    assert marks(newest) == [
        ("2.10.1", "2.10.1", "forbids", "fails", None),
        ("2.15.1", "2.15.1", "forbids", "works", "forbids-what-works"),
        ("2.16.2", "2.16.2", "accepts", "works", None),
        ("2.17.0", "2.17.0", "accepts", None, None),
    ]
    assert metadata_cell(newest, found, everything=False) == "2.16.2-2.17.0"
    assert measured_cell(newest, found, everything=False) == (
        "works 2.15.1-2.16.2; 2.10.1 fails (TypeError); ! metadata forbids 2.15.1"
    )
    assert "TypeError: it broke" in measured_cell(newest, found, everything=True)


def test_neighbours_that_are_alike_share_a_row(build: Any) -> None:
    build({"keras": [rel("1.0"), rel("2.0"), rel("3.0", "six<2")], "six": [rel("1.0")]})
    found = table("keras", "six")
    assert [(row.first, row.last) for row in found.rows] == [("3.0", "3.0"), ("1.0", "2.0")]
    assert metadata_cell(found.rows[0], found, everything=False) == "any"
    assert metadata_cell(found.rows[1], found, everything=False) == "says nothing"
    assert measured_cell(found.rows[1], found, everything=False) == "not measured"


def test_a_python_leaves_out_what_it_cannot_install(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = table("tensorflow", "keras", python="3.10")
    assert [row.last for row in found.rows] == ["2.16.2", "2.15.1", "2.10.1"]
    assert found.latest == "3.5.0"
    assert {row.python for row in found.rows} == {"3.10"}


def test_what_fails_on_both_sides(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = table("tensorflow", "protobuf")
    oldest = found.rows[-1]
    assert measured_cell(oldest, found, everything=False) == (
        "works 3.19.6-3.20.3; 4.21.1 fails (TypeError); ! metadata forbids 3.20.3"
    )


def test_gaps_are_marked(build: Any) -> None:
    packages = {
        "keras": [rel("1.0", read=False), rel("2.0")],
        "tensorflow": [rel("1.0", "keras<2"), rel("2.0", read=False)],
    }
    build(packages)
    found = table("keras", "tensorflow")
    assert metadata_cell(found.rows[0], found, everything=False) == "not read"
    assert metadata_cell(found.rows[1], found, everything=False) == "1.0 ?"


def test_the_python_of_a_row_has_both(build: Any) -> None:
    packages = {
        "keras": [rel("1.0")],
        "tensorflow": [rel("1.0", "keras", wheels=built("3.9"))],
        "numpy": [rel("1.0", wheels=built("3.12"))],
    }
    build(packages)
    assert table("keras", "tensorflow").rows[0].python == "3.9"
