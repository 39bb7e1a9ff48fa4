"""What is to be resolved, as `stacks.toml` says it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from keras_doctor.names import normalize

SOURCE = Path(__file__).with_name("stacks.toml")


class Plan(NamedTuple):
    """One stack that is wanted."""

    python: str
    backend: str
    release: str
    era: str
    date: str
    """Nothing is younger, but for `later`."""
    later: dict[str, str]
    """Distributions that may be younger, and how young."""
    roots: tuple[str, ...]
    """Requirements without which there is no stack."""
    constraints: tuple[str, ...]
    extras: tuple[str, ...]
    """Normalised names of what is put on top where it goes along, in this order."""
    build: tuple[str, ...]
    """Constraints on what builds."""
    native: frozenset[str]
    """What is never built; what else has no wheel of the time may be, where it is small."""

    @property
    def id(self) -> str:
        """Like ``tensorflow-1.15.5-py3.7``."""
        return f"{self.backend}-{self.release}-py{self.python}"


def read_plans() -> tuple[Plan, ...]:
    """All stacks, kin beside each other."""
    data = _data()
    return tuple(
        _plan(data, group, release, date)
        for group in data["group"]
        for release, date in _releases(data, group)
    )


def named() -> tuple[str, ...]:
    """Distributions that are in no stack and whose import names are asked for all the same."""
    return tuple(normalize(name) for name in _data()["named"])


def uv_settings(index: str) -> str:
    """The text of a `uv.toml`: the metadata that uv cannot read, and patience with its cache.

    Each resolution would ask for hundreds of pages whether they are still true, which takes twenty
    times as long as to resolve.

    Args:
        index: The address of the package index.
    """
    lines = [
        "[[index]]",
        f"url = {json.dumps(index)}",
        "default = true",
        'cache-control = { api = "max-age=36000", files = "max-age=365000000, immutable" }',
    ]
    for row in _data()["metadata"]:
        requires = json.dumps(row["requires"])
        lines += [
            "[[dependency-metadata]]",
            f'name = "{row["name"]}"',
            f'version = "{row["version"]}"',
            f"requires-dist = {requires}",
        ]
    return "\n".join(lines) + "\n"


def _data() -> dict[str, Any]:
    with SOURCE.open("rb") as file:
        return tomllib.load(file)


def _releases(data: dict[str, Any], group: dict[str, Any]) -> list[tuple[str, str]]:
    if "dates" in group:
        return list(group["dates"].items())
    return [(release, data["era"][group["era"]]["date"]) for release in group["releases"]]


def _plan(data: dict[str, Any], group: dict[str, Any], release: str, date: str) -> Plan:
    era = data["era"][group["era"]]
    names = [normalize(name) for part in era["extras"] for name in data["extras"][part]]
    # No release is older than this one: what needs a forbidden package does not resolve.
    forbidden = [f"{name}<0.0.0.dev0" for name in group.get("forbidden", ())]
    return Plan(
        python=group["python"],
        backend=group["backend"],
        release=release,
        era=group["era"],
        date=date,
        later=era["later"],
        roots=(
            f"{group['backend']}=={release}",
            *group["roots"],
            *group.get("roots_of", {}).get(release, ()),
        ),
        constraints=(*era["constraints"], *group.get("constraints", ()), *forbidden),
        extras=tuple(name for name in dict.fromkeys(names) if name != group["backend"]),
        build=tuple(era.get("build", ())),
        native=frozenset(data["native"]),
    )
