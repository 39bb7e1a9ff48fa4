"""Wheel tags against packaging.tags, the authority."""

from __future__ import annotations

from functools import cache

import pytest
from packaging import tags as oracle

from keras_doctor.knowledge import releases
from keras_doctor.knowledge.tags import Matcher, Place, place, platform_of

PYTHONS = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.11", "3.13", "3.13t", "3.14"]


def manylinux(machine: str, glibc: tuple[int, int]) -> list[str]:
    """As packaging._manylinux orders them for a glibc 2.x: from the newest to 2.5."""
    old = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
    found = []
    for minor in range(glibc[1], 4, -1):
        found.append(f"manylinux_2_{minor}_{machine}")
        if minor in old:
            found.append(f"{old[minor]}_{machine}")
    return [*found, f"linux_{machine}"]


PLACES = {
    "linux": (("linux", "x86_64", "glibc 2.31", None), manylinux("x86_64", (2, 31))),
    "linux-old": (("linux", "x86_64", "glibc 2.12", None), manylinux("x86_64", (2, 12))),
    "linux-arm": (("linux", "aarch64", "glibc 2.36", None), manylinux("aarch64", (2, 36))),
    "musl": (
        ("linux", "x86_64", "musl 1.1", None),
        ["musllinux_1_1_x86_64", "musllinux_1_0_x86_64", "linux_x86_64"],
    ),
    "windows": (("win32", "AMD64", None, None), ["win_amd64"]),
    "windows-32": (("win32", "x86", None, None), ["win32"]),
    "mac-arm": (("darwin", "arm64", None, "13.4"), list(oracle.mac_platforms((13, 4), "arm64"))),
    "mac-intel": (
        ("darwin", "x86_64", None, "10.15"),
        list(oracle.mac_platforms((10, 15), "x86_64")),
    ),
    "mac-intel-12": (
        ("darwin", "x86_64", None, "12.6"),
        list(oracle.mac_platforms((12, 6), "x86_64")),
    ),
}


def accepted(python: str, platforms: list[str]) -> set[str]:
    version = tuple(int(part) for part in python.rstrip("t").split("."))
    name = f"cp{version[0]}{version[1]}"
    if python == "2.7":
        abis = [name + "m"] + ([name + "mu"] if platforms[-1].startswith("linux") else [])
    else:
        abis = [name + ("t" if python.endswith("t") else "m" if version < (3, 8) else "")]
    tags = [
        *oracle.cpython_tags(version, abis, platforms),
        *oracle.compatible_tags(version, name, platforms),
    ]
    return {str(tag) for tag in tags}


@cache
def every_tag() -> frozenset[str]:
    """Every tag of every release that is known, taken apart as the authority does."""
    return frozenset(
        str(tag)
        for name in releases.known_packages()
        for row in releases.releases_of(name)
        for text in row.tags
        for tag in oracle.parse_tag(text)
    )


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("python", PYTHONS)
def test_tags_as_packaging_has_them(python: str, where: str) -> None:
    (platform, machine, libc, macos), platforms = PLACES[where]
    matcher = Matcher(place(python, platform, machine, libc, macos))
    expected = accepted(python, platforms)
    for tag in every_tag():
        assert matcher.fits(tag) is (tag in expected), tag
    for tag in expected:
        assert matcher.fits(tag), tag


@pytest.mark.parametrize("tag", ["", "py3", "py3-none", "py3-none-any-more", "cp-cp-any", "x-y-z"])
def test_what_is_no_tag_fits_nowhere(tag: str) -> None:
    assert not Matcher(place("3.11", "linux", "x86_64")).fits(tag)


def test_compressed_tags() -> None:
    matcher = Matcher(place("3.11", "linux", "x86_64", "glibc 2.17"))
    assert matcher.fits("py2.py3-none-any")
    assert matcher.fits("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64")
    assert matcher.fits_any(("cp310-cp310-win_amd64", "cp38-abi3-manylinux2014_x86_64"))
    assert not matcher.fits_any(("cp310-cp310-manylinux2014_x86_64",))


@pytest.mark.parametrize(
    ("tag", "platform"),
    [
        ("py3-none-any", "any"),
        ("cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64", "linux-x86_64"),
        ("cp39-cp39-manylinux2014_aarch64", "linux-arm64"),
        ("cp39-cp39-linux_x86_64", "linux-x86_64"),
        ("cp39-cp39-macosx_11_0_arm64", "macos-arm64"),
        ("cp39-cp39-macosx_10_15_x86_64", "macos-x86_64"),
        ("cp39-cp39-win_amd64", "windows-x86_64"),
        ("cp39-cp39-win32", "windows-x86"),
    ],
)
def test_platform_of(tag: str, platform: str) -> None:
    assert platform_of(tag) == platform


def test_place_speaks_as_platform_of_does() -> None:
    assert place("3.9", "darwin", "arm64").platform == "macos-arm64"
    assert place("3.9", "win32", "AMD64").platform == "windows-x86_64"
    assert place("3.9", "linux", "aarch64").platform == "linux-arm64"
    assert place("3.13t", "linux", "x86_64") == Place("3.13", "linux", "x86_64", threaded=True)
