"""The release files: what is written is read again, and damage is told."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.releasefile import DamagedError, Package, Release, decode, encode

LINES = st.sampled_from(["numpy>=1.26,<2", "h5py", 'absl-py ; extra == "x"', "six (>=1)", "\u00e9"])
REQUIRES = st.none() | st.lists(LINES, max_size=4, unique=True).map(tuple)
TAGS = st.sampled_from(["py3-none-any", "cp39-cp39-win_amd64", "cp310-cp310-win_amd64", "a-b-c"])
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2200, 1, 1)).map(dt.date.isoformat)
RELEASES = st.builds(
    Release,
    version=st.integers(0, 10**6).map(lambda n: f"1.{n}"),
    date=st.none() | DAYS,
    yanked=st.booleans(),
    requires_python=st.sampled_from([None, ">=3.9", ">=2.7,!=3.0.*"]),
    requires=REQUIRES,
    # The order of tags is not kept: they are a set.
    tags=st.just(()),
    has_sdist=st.booleans(),
    requires_on=st.dictionaries(
        st.sampled_from(["macos-arm64", "windows-x86_64"]), REQUIRES, max_size=2
    ).map(lambda rows: tuple(sorted(rows.items()))),
)
PACKAGES = st.builds(
    Package,
    name=st.sampled_from(["keras", "tf-keras"]),
    read=st.just("2026-11-25T02:40:00Z"),
    releases=st.lists(RELEASES, max_size=30, unique_by=lambda r: r.version).map(tuple),
    gaps=st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=2).map(tuple),
)


@given(PACKAGES, st.data())
def test_round_trip(package: Package, data: st.DataObject) -> None:
    rows = tuple(
        row._replace(tags=tuple(data.draw(st.lists(TAGS, max_size=4, unique=True))))
        for row in package.releases
    )
    package = package._replace(releases=rows)
    read = decode(json.loads(json.dumps(encode(package))))
    assert [set(row.tags) for row in read.releases] == [set(row.tags) for row in rows]
    without = package._replace(releases=tuple(row._replace(tags=()) for row in rows))
    assert read._replace(releases=tuple(r._replace(tags=()) for r in read.releases)) == without


def sample() -> dict[str, Any]:
    rows = tuple(
        Release(
            version=f"1.{n}",
            date="2024-01-01",
            yanked=n == 3,
            requires_python=">=3.9",
            requires=("numpy", f"h5py>={n // 3}"),
            tags=("py3-none-any", f"cp3{n}-cp3{n}-win_amd64"),
            has_sdist=True,
            requires_on=(("windows-x86_64", ("tensorflow-intel",)),) if n > 4 else (),
        )
        for n in range(8)
    )
    found: dict[str, Any] = json.loads(json.dumps(encode(Package("keras", "2026", rows))))
    return found


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys: Any = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [at, *(place for key in keys for place in places(value[key], (*at, key)))]


WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, -1, -2, -3, 10**12, 1.5, "x", "", [], {}, [[]], True, 7]
)


@settings(max_examples=400)
@given(st.sampled_from(places(sample())[1:]), WRONG)
def test_damaged_values(place: tuple[Any, ...], wrong: Any) -> None:
    data = copy.deepcopy(sample())
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = wrong
    try:
        package = decode(data)
    except DamagedError:
        return
    assert all(isinstance(row.version, str) for row in package.releases)
    assert all(isinstance(line, str) for row in package.releases for line in row.requires or ())
    assert all(isinstance(tag, str) for row in package.releases for tag in row.tags)


@pytest.mark.parametrize("data", [None, [], {}, "x", 3, {"schema": 2}, {"schema": 1}])
def test_something_else(data: Any) -> None:
    with pytest.raises(DamagedError):
        decode(data)


def test_bombs_of_runs() -> None:
    for key in ("yanked", "python", "requires", "wheels", "sdist"):
        data = sample()
        data[key] = [10**9, 0]
        with pytest.raises(DamagedError):
            decode(data)


def test_the_shipped_files_are_whole() -> None:
    shipped = copies.shipped()
    assert len(shipped.packages) > 30
    for entry in shipped.packages.values():
        package = copies.read_package(shipped, entry.name)
        assert package is not None
        assert len(package.releases) == entry.releases > 0
        assert json.loads(json.dumps(encode(package))) == json.loads(
            copies._read(f"{shipped.folder}/{entry.name}.json")
        )
    listed = sum(entry.size for entry in shipped.packages.values())
    assert listed < 2_000_000
