"""The fast readers agree with packaging, their oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from keras_doctor import versions

numbers = st.integers(min_value=0, max_value=30)
plain = st.lists(numbers, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
suffix = st.sampled_from(
    [
        *("", "", "", "rc1", "rc0", "dev", ".dev2", ".post1", "a0", "+cpu", "+local.1", "-1"),
        *("c1", "b2.post1", ".post1.dev3", "rc1.dev0", "+1.a", ".0.0"),
    ]
)
installed = st.builds("{}{}".format, plain, suffix)
wanted = st.one_of(plain, plain, st.builds("{}{}".format, plain, suffix), plain.map("{}.*".format))
operator = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~=", "==="])
specifier = st.lists(st.builds("{}{}".format, operator, wanted), max_size=3).map(",".join)


@given(version=installed, spec=specifier)
def test_satisfies_agrees_with_packaging(version: str, spec: str) -> None:
    try:
        expected = SpecifierSet(spec).contains(version, prereleases=True)
    except InvalidSpecifier:
        assert versions.satisfies(version, spec) in (None, True, False)
        return
    assert versions.satisfies(version, spec) is expected


@given(left=installed, right=installed)
def test_the_order_agrees_with_packaging(left: str, right: str) -> None:
    mine = versions.compare_key(left) < versions.compare_key(right)
    assert mine is (Version(left) < Version(right))
    assert (versions.compare_key(left) == versions.compare_key(right)) is (
        Version(left) == Version(right)
    )


@given(text=st.text(alphabet="0123456789.!+-_abcrcdevpostv ", max_size=14))
def test_a_text_is_a_version_when_packaging_says_so(text: str) -> None:
    try:
        expected = Version(text)
    except InvalidVersion:
        assert versions.parse_version(text) is None
        return
    mine = versions.parse_version(text)
    assert mine is not None
    assert (mine.epoch, mine.is_prerelease) == (expected.epoch, expected.is_prerelease)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_the_reader(version: str, specifier: str) -> None:
    assert versions.satisfies(version, specifier) in (None, True, False)
    assert versions.satisfies("1.0", specifier) in (None, True, False)
    assert versions.release(version) >= ()


def test_a_version_of_thousands_of_digits_is_none() -> None:
    assert versions.parse_version("9" * 5000) is None
    assert versions.satisfies("1.0", ">=" + "9" * 5000) is None


def test_order_of_pre_and_post_releases() -> None:
    assert versions.within("2.5.0rc0", "2.4.3", "2.5.0")
    assert not versions.within("2.5.0", "2.4.3", "2.5.0")
    assert versions.within("2.5.0.post1", "2.5.0", "2.6")
    assert versions.within("2.5", "2.5.0", "2.6")
    assert versions.within("2.13.0+cpu", "2.13", "2.14")


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.5.0rc1", (2, 5, 0)), ("2.13.0+cpu", (2, 13, 0)), ("garbage", ()), ("1!2.0", (2, 0))],
)
def test_release(version: str, expected: tuple[int, ...]) -> None:
    assert versions.release(version) == expected
