"""Only what was there on a day is chosen."""

from __future__ import annotations

import pytest

from keras_doctor.create.choose import choose
from keras_doctor.create.days import also, there_on
from keras_doctor.create.wanted import CreateError, Wanted
from keras_doctor.knowledge.releases import releases_of
from keras_doctor.versions import satisfies

PYTHONS = {f"3.{minor}": f"/opt/python3.{minor}" for minor in range(6, 14)}
DATES = {
    (name, one.version): one.date or ""
    for name in ("keras", "tensorflow", "jax")
    for one in releases_of(name)
}


@pytest.mark.parametrize("day", ["2016-05-01", "2019-06-30", "2024-03-01", "2099-01-01"])
@pytest.mark.parametrize("name", ["keras", "tensorflow", "jax"])
def test_what_was_uploaded_by_then_and_nothing_else(name: str, day: str) -> None:
    bound = there_on(name, day)
    for (other, version), date in DATES.items():
        if other == name and date:
            assert (satisfies(version, bound) is not False) is (date <= day), version


def test_without_a_day_or_without_knowledge_nothing_is_said() -> None:
    assert there_on("keras", None) == ""
    assert there_on("no-such-distribution", "2020-01-01") == ""
    assert also("", "<3", "", "!=2.0") == "<3,!=2.0"


@pytest.mark.parametrize("day", ["2018-09-01", "2021-03-01", "2025-06-01"])
def test_the_newest_set_of_a_day(day: str) -> None:
    chosen = choose(Wanted(backend="tensorflow", before=day), PYTHONS)
    later = choose(Wanted(backend="tensorflow"), PYTHONS)
    assert chosen.keras != later.keras
    for pin in chosen.requirements[:2]:
        name, _, version = pin.partition("==")
        date = next(one.date for one in releases_of(name) if one.version == version)
        assert date is not None
        assert date <= day


def test_before_there_was_one_it_is_said() -> None:
    with pytest.raises(CreateError, match="Keras as of 2016-06-01 does not run on jax"):
        choose(Wanted(backend="jax", before="2016-06-01"), PYTHONS)
