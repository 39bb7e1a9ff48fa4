"""Releases, edges and bases in few words, and a world that most tests share."""

from __future__ import annotations

from typing import Any

from keras_doctor.knowledge.releasefile import Release

PURE = ("py3-none-any",)


def rel(
    version: str,
    *requires: str,
    python: str | None = None,
    wheels: tuple[str, ...] = PURE,
    read: bool = True,
    yanked: bool = False,
    sdist: bool = False,
    on: tuple[tuple[str, tuple[str, ...] | None], ...] = (),
) -> Release:
    return Release(
        version=version,
        date="2024-01-01",
        yanked=yanked,
        requires_python=python,
        requires=requires if read else None,
        tags=wheels,
        has_sdist=sdist,
        requires_on=on,
    )


def built(*pythons: str, system: str = "manylinux2014_x86_64") -> tuple[str, ...]:
    """The tags of wheels for CPythons, like ``3.10``."""
    words = [python.replace(".", "") for python in pythons]
    return tuple(f"cp{word}-cp{word}-{system}" for word in words)


def edge(
    subject: str,
    dependency: str,
    good: tuple[str, str],
    *,
    python: str = "3.11",
    newer: str | None = None,
    older: str | None = None,
    statement: str | None = None,
    error: str = "TypeError",
) -> dict[str, Any]:
    """`subject` like ``tensorflow 2.10.1``."""
    name, release = subject.split()
    failure = [[error, "it broke", "import", name]]
    return {
        "subject": name,
        "release": release,
        "python": python,
        "dependency": dependency,
        "statement": statement or f"import {name}",
        "good": list(good),
        "newer": newer,
        "newer_failures": failure if newer else [],
        "older": older,
        "older_failures": failure if older else [],
        "runs": 3,
        "date": "2024-06-01",
    }


def base(
    subject: str, python: str = "3.11", *, works: bool = True, **others: str
) -> dict[str, Any]:
    name, release = subject.split()
    return {
        "subject": name,
        "release": release,
        "python": python,
        "statement": f"import {name}",
        "works": works,
        "failure": None if works else ["SyntaxError", "invalid syntax", "import", name],
        "with": {key.replace("_", "-"): value for key, value in others.items()},
    }


PACKAGES = {
    "keras": [
        rel("2.10.0"),
        rel("2.15.0", python=">=3.8"),
        rel("3.0.0", "numpy", python=">=3.9"),
        rel("3.5.0", "numpy", python=">=3.9"),
        rel("3.6.0", "numpy", python=">=3.11"),
        rel("4.0.0rc1", "numpy", python=">=3.11"),
    ],
    "tensorflow": [
        rel("2.10.1", "keras<2.11,>=2.10.0", "protobuf<3.20", wheels=built("3.9", "3.10")),
        rel("2.15.1", "keras<2.16,>=2.15.0", "numpy<2", wheels=built("3.10", "3.11")),
        rel("2.16.2", "keras>=3.0.0", "numpy", wheels=built("3.10", "3.11", "3.12")),
        rel("2.17.0", "keras>=3.0.0", "numpy", wheels=built("3.11", "3.12")),
    ],
    "numpy": [
        rel("1.26.4", wheels=built("3.9", "3.10", "3.11", "3.12")),
        rel("2.0.0", wheels=built("3.9", "3.10", "3.11", "3.12")),
        rel("2.1.0", wheels=built("3.10", "3.11", "3.12"), yanked=True),
    ],
    "protobuf": [rel("3.19.6"), rel("3.20.3"), rel("4.21.1")],
    "six": [rel("1.16.0"), rel("1.17.0")],
}
EDGES = [
    edge("tensorflow 2.10.1", "keras", ("2.10.0", "2.10.0"), newer="2.15.0", python="3.10"),
    edge("tensorflow 2.10.1", "protobuf", ("3.19.6", "3.20.3"), newer="4.21.1", python="3.10"),
    edge("tensorflow 2.15.1", "keras", ("2.15.0", "3.6.0")),
    edge("tensorflow 2.16.2", "keras", ("3.0.0", "3.6.0"), older="2.15.0"),
    edge("tensorflow 2.16.2", "numpy", ("1.26.4", "1.26.4"), newer="2.0.0"),
]
