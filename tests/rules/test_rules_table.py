"""The table of rules: every code leads to a rule, every rule has its page and a known cause."""

from __future__ import annotations

import os
import re

import pytest

import keras_doctor.rules as package
from keras_doctor.rules import RULES, Rule, rule_of
from rules.factory import judge, world

# Slugs are the vocabulary of the project: they are never renamed, so they are data here.
SLUGS = {
    "KD1": "backend-unknown backend-not-installed backend-source-conflict backend-setting-ignored "
    "keras-config-invalid legacy-keras-switch",
    "KD2": "shadowed-module wrong-interpreter multiple-installations same-import-name foreign-path "
    "not-installed namespace-remnant",
    "KD3": "missing-files altered-files duplicate-metadata mixed-version-files unreadable-files "
    "interrupted-install",
    "KD4": "requirement-unmet undeclared-incompatibility keras-backend-mismatch python-unsupported "
    "abi-mismatch tensorflow-variant-or-plugin-mismatch",
    "KD5": "missing-shared-library toolchain-too-old cpu-instruction-missing wrong-architecture "
    "cuda-mismatch compiler-missing crash-on-import library-path-contaminated windows-dll",
    "KD6": "api-removed-or-moved api-never-existed mixed-keras-and-tf-keras circular-import",
    "KD7": "no-matching-distribution build-failure network-or-permission",
    "KD9": "upstream-bug unknown",
}
# Codes are promises too: a report, an ignore list or a link may hold one.
CODES = {
    "KD101": "backend-unknown",
    "KD102": "backend-not-installed",
    "KD103": "backend-source-conflict",
    "KD104": "backend-setting-ignored",
    "KD105": "keras-config-invalid",
    "KD106": "legacy-keras-switch",
    "KD201": "shadowed-module",
    "KD202": "wrong-interpreter",
    "KD203": "multiple-installations",
    "KD204": "same-import-name",
    "KD205": "foreign-path",
    "KD206": "not-installed",
    "KD207": "namespace-remnant",
    "KD301": "missing-files",
    "KD302": "altered-files",
    "KD303": "duplicate-metadata",
    "KD304": "mixed-version-files",
    "KD305": "unreadable-files",
    "KD306": "interrupted-install",
    "KD401": "requirement-unmet",
    "KD403": "keras-backend-mismatch",
    "KD404": "python-unsupported",
    "KD601": "api-removed-or-moved",
    "KD902": "unknown",
}
BY_WORDS = ("known-message", "quoted-failure")
"""Rules that find causes of every family."""
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def test_codes_are_unique_and_kept() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert codes == sorted(codes)
    table = {rule.code: rule.name for rule in RULES}
    assert {code: table.get(code) for code in CODES} == CODES


@EACH
def test_name_is_a_cause_of_the_family(rule: Rule) -> None:
    assert re.fullmatch(r"KD[1-9]\d\d", rule.code)
    assert rule.name in (*SLUGS[rule.code[:3]].split(), *BY_WORDS)


@EACH
def test_place_exists(rule: Rule) -> None:
    module, _, name = rule.place.partition(":")
    file = os.path.join(os.path.dirname(package.__file__), *module.split(".")) + ".py"
    assert os.path.isfile(file)
    assert rule.function().__name__ == name


SECTIONS = ("What it checks: ", "How it is fixed: ", "Example: ")


@EACH
def test_page_has_every_section(rule: Rule) -> None:
    paragraphs = rule.page.split("\n\n")
    starts = [next((p for p in paragraphs if p.startswith(word)), None) for word in SECTIONS]
    assert None not in starts
    assert any(re.match(r"Why it (breaks the import|matters|is there): ", p) for p in paragraphs)
    order = [p.split(":")[0].split(" ")[0] for p in paragraphs[1:]]
    assert order[:4] == ["What", "Why", "How", "Example"]


@EACH
def test_summary_is_one_sentence_on_one_line(rule: Rule) -> None:
    assert rule.summary == rule.page.split("\n")[0]
    assert rule.summary.endswith(".")
    assert 20 < len(rule.summary) <= 100


@EACH
def test_page_is_plain(rule: Rule) -> None:
    assert "\t" not in rule.page
    assert all(line == line.rstrip() for line in rule.page.split("\n"))
    assert "TODO" not in rule.page


def test_every_rule_file_is_in_the_table() -> None:
    """A file that defines a rule and is in no table would never be asked."""
    folder = os.path.dirname(package.__file__)
    placed = {rule.place.partition(":")[0] for rule in RULES}
    for family in ("selection", "resolution", "integrity", "compatibility", "code", "other"):
        for entry in os.listdir(os.path.join(folder, family)):
            if not entry.endswith(".py"):
                continue
            with open(os.path.join(folder, family, entry), encoding="utf-8") as file:
                first = file.readline()
            if re.match(r'"""KD\d', first):
                assert f"{family}.{entry[:-3]}" in placed


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("KD101", "KD101"),
        ("kd101", "KD101"),
        (" KD101 ", "KD101"),
        ("backend-unknown", "KD101"),
        ("Backend-Unknown", "KD101"),
        ("unknown", "KD902"),
        ("KD999", None),
        ("KD1", None),
        ("backend", None),
        ("", None),
    ],
)
def test_rule_of(asked: str, code: str | None) -> None:
    found = rule_of(asked)
    assert (found.code if found else None) == code


def test_a_rule_reports_under_its_own_code() -> None:
    (found,) = judge("KD102", world())
    assert (found.code, found.cause) == ("KD102", "backend-not-installed")
