"""The fast readers agree with packaging, their oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Oracle
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from keras_doctor import versions

numbers = st.integers(min_value=0, max_value=30)
plain = st.lists(numbers, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
suffix = st.sampled_from(
    ["", "", "", "rc1", "rc0", "dev", ".dev2", ".post1", "a0", "+cpu", "+local.1"]
)
installed = st.builds("{}{}".format, plain, suffix)
wanted = st.one_of(plain, plain, st.builds("{}{}".format, plain, suffix), plain.map("{}.*".format))
operator = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~=", "==="])
specifier = st.lists(st.builds("{}{}".format, operator, wanted), max_size=3).map(",".join)

ENVIRONMENT = {
    "python_version": "3.9",
    "python_full_version": "3.9.18",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "implementation_version": "3.9.18",
    "platform_release": "6.1.0",
    "platform_version": "#1 SMP",
}


@given(version=installed, spec=specifier)
def test_satisfies_agrees_with_packaging(version: str, spec: str) -> None:
    try:
        expected = SpecifierSet(spec).contains(version, prereleases=True)
    except InvalidSpecifier:
        assert versions.satisfies(version, spec) in (None, True, False)
        return
    assert versions.satisfies(version, spec) is expected


@given(left=installed, right=installed)
def test_within_agrees_with_packaging_on_order_of_releases(left: str, right: str) -> None:
    a, b = Version(left), Version(right)
    differ = a.release[: len(b.release)] != b.release[: len(a.release)]
    if differ and Version(a.base_version) < Version(b.base_version):
        assert versions.within(left, None, right)
        assert not versions.within(left, right, None)


def test_order_of_pre_and_post_releases() -> None:
    assert versions.within("2.5.0rc0", "2.4.3", "2.5.0")
    assert not versions.within("2.5.0", "2.4.3", "2.5.0")
    assert versions.within("2.5.0.post1", "2.5.0", "2.6")
    assert versions.within("2.5", "2.5.0", "2.6")
    assert versions.within("2.13.0+cpu", "2.13", "2.14")


names = st.sampled_from([*sorted(ENVIRONMENT), "extra"])
values = st.sampled_from(["3.9", "3.10", "linux", "win32", "x86_64", "cpython", "test", "3.9.18"])
atom = st.builds(
    '{} {} "{}"'.format, names, st.sampled_from(["==", "!=", "<", ">=", "in", "not in"]), values
)
marker = st.recursive(
    atom,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=4,
)


@given(text=marker)
def test_applies_agrees_with_packaging(text: str) -> None:
    expected = Marker(text).evaluate({**ENVIRONMENT, "extra": ""})
    assert versions.applies(text, ENVIRONMENT) is expected


@pytest.mark.parametrize(
    "line",
    [
        "numpy",
        "numpy (>=1.9.1)",
        'numpy<2.0.0,>=1.23.5; python_version <= "3.11"',
        "Keras-Preprocessing >= 1.0.5",
        "h5py>=2.9.0",
        "tensorflow-estimator (<1.15.0rc0,>=1.14.0rc0)",
        'nvidia-cublas-cu12==12.3.4.1; extra == "and-cuda"',
        "requests[security,socks] >=2.8.1 ; python_version < '3' and os_name == 'posix'",
        "ml_dtypes~=0.5.0",
        "typing-extensions!=3.7.*",
    ],
)
def test_parse_requirement_agrees_with_packaging(line: str) -> None:
    mine, oracle = versions.parse_requirement(line), Oracle(line)
    assert mine is not None
    assert mine.name == oracle.name
    assert SpecifierSet(mine.specifier) == oracle.specifier
    assert bool(mine.marker) is (oracle.marker is not None)


@given(st.text(max_size=60))
def test_no_line_breaks_the_parser(line: str) -> None:
    mine = versions.parse_requirement(line)
    try:
        oracle = Oracle(line)
    except InvalidRequirement:
        return
    if mine is not None and oracle.url is None:
        assert mine.name == oracle.name
    assert versions.satisfies("1.0", line) in (None, True, False)
    assert versions.applies(line, ENVIRONMENT) in (None, True, False)


def test_a_direct_reference_is_not_judged() -> None:
    assert versions.parse_requirement("pkg @ file:///x/pkg.whl") is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.5.0rc1", (2, 5, 0)), ("2.13.0+cpu", (2, 13, 0)), ("garbage", ()), ("1!2.0", (2, 0))],
)
def test_release(version: str, expected: tuple[int, ...]) -> None:
    assert versions.release(version) == expected
