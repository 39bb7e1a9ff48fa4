"""Every signature matches its example and not its counter-example, and is well formed."""

from __future__ import annotations

import re
import time
import tomllib
from typing import Any

import pytest
from rules.test_rules_table import SLUGS

from keras_doctor.errors.given import given_outcomes
from keras_doctor.knowledge.signatures import CONFIDENCES, Signature, signatures
from keras_doctor.rules.message.match import said
from tools.compile_knowledge import KNOWLEDGE, compile_signatures

FOLDER = KNOWLEDGE / "sources" / "signatures"


def authored() -> list[tuple[str, dict[str, Any]]]:
    rows = []
    for path in sorted(FOLDER.glob("*.toml")):
        with path.open("rb") as file:
            rows += [(path.name, row) for row in tomllib.load(file)["signature"]]
    return rows


ROWS = authored()
BY_ID = {each.id: each for each in signatures()}


def test_what_is_shipped_is_what_is_authored() -> None:
    shipped = (KNOWLEDGE / "compiled" / "signatures.json").read_text(encoding="utf-8")
    assert shipped == compile_signatures(FOLDER)


def test_no_two_have_one_name() -> None:
    names = [row["id"] for _, row in ROWS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("file", "row"), ROWS, ids=[row["id"] for _, row in ROWS])
class TestEach:
    def signature(self, row: dict[str, Any]) -> Signature:
        return BY_ID[row["id"]]

    def test_it_matches_its_example(self, file: str, row: dict[str, Any]) -> None:
        assert any(said(self.signature(row), o) for o in given_outcomes(row["example"]))

    def test_it_does_not_match_its_counter_example(self, file: str, row: dict[str, Any]) -> None:
        assert row["counter"].strip()
        assert not any(said(self.signature(row), o) for o in given_outcomes(row["counter"]))

    def test_its_fields_are_known(self, file: str, row: dict[str, Any]) -> None:
        assert set(row) <= {
            *("id", "literals", "pattern", "scope", "frames", "unless", "source"),
            *("example", "counter", "meaning"),
        }
        assert row.get("scope", "exception") in ("exception", "text")
        assert row["source"].startswith(("https://", "measured", "the sources of"))

    def test_its_meanings_are_well_formed(self, file: str, row: dict[str, Any]) -> None:
        causes = {slug for slugs in SLUGS.values() for slug in slugs.split()} - {"unknown"}
        groups = set(re.compile(row["pattern"]).groupindex)
        for each in row["meaning"]:
            assert each["cause"] in causes
            assert each["confidence"] in CONFIDENCES
            assert set(each) <= {
                *("cause", "culprit", "confidence", "title", "why", "when", "fix"),
                *("ask", "ask_command"),
            }
            assert set(each.get("when", ())) <= {
                *("packages", "python", "systems", "managers", "text", "not_text"),
            }
            for text in (each["culprit"], each["title"], each["why"]):
                assert set(re.findall(r"\{(\w+)\}", text)) <= groups
            assert not each["title"].endswith(".")


@pytest.mark.parametrize("signature", BY_ID.values(), ids=BY_ID)
def test_no_text_takes_long(signature: Signature) -> None:
    """A pattern without an anchor that repeats what it begins with is quadratic."""
    started = time.process_time()
    for literal in signature.literals[:2]:
        for text in (
            f"{literal} " * 2000,
            literal + "a" * 40_000,
            "a" * 40_000 + literal,
            f"{literal}/a.b-c_d" * 2000,
            "x." * 20_000 + literal + "'" * 20_000,
        ):
            for pattern in filter(None, (signature.pattern, signature.frames, signature.unless)):
                re.search(pattern, text)
    assert time.process_time() - started < 2
