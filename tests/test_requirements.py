"""Requirement lines and markers agree with packaging, their oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Oracle
from packaging.specifiers import SpecifierSet

from keras_doctor import requirements

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
    assert requirements.applies(text, ENVIRONMENT) is expected


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
    mine, oracle = requirements.parse_requirement(line), Oracle(line)
    assert mine is not None
    assert mine.name == oracle.name
    assert SpecifierSet(mine.specifier) == oracle.specifier
    assert bool(mine.marker) is (oracle.marker is not None)


@given(st.text(max_size=60))
def test_no_line_breaks_the_parser(line: str) -> None:
    mine = requirements.parse_requirement(line)
    try:
        oracle = Oracle(line)
    except InvalidRequirement:
        return
    if mine is not None and oracle.url is None:
        assert mine.name == oracle.name
    assert requirements.applies(line, ENVIRONMENT) in (None, True, False)


def test_a_direct_reference_is_not_judged() -> None:
    assert requirements.parse_requirement("pkg @ file:///x/pkg.whl") is None
