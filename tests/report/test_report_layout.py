"""Nothing of the patient's may drive the terminal, and no word may be lost in folding."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_doctor.report.layout import Page, cells, clean, fold, to_ascii

CONTROL = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
NASTY = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]),
        st.sampled_from("\x1b[]0;mAa \n\t\r"),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(NASTY)
def test_clean_leaves_only_what_can_be_printed(text: str) -> None:
    result = clean(text)
    assert not CONTROL.search(result)
    assert all(char == "\n" or char.isprintable() for char in result)
    result.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\ufeff{", "\\ufeff{"),
        ("a\u202eb", "a\\u202eb"),
        ("a\udc80b", "a\\udc80b"),
        ("a\tb", "a    b"),
        ("a\r\nb", "a\nb"),
        ("50 %\r100 %", "50 %\\r100 %"),
        ("caf\u00e9 \u65e5\u672c", "caf\u00e9 \u65e5\u672c"),
    ],
)
def test_clean_shows_the_invisible(text: str, shown: str) -> None:
    assert clean(text) == shown


@settings(deadline=None)
@given(NASTY, st.integers(min_value=12, max_value=100))
def test_fold_keeps_every_word(text: str, width: int) -> None:
    text = clean(text)
    lines = fold(text, width)
    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert cells(line) <= width or " " not in line.strip(" ")


def test_fold_keeps_indentation_and_line_breaks() -> None:
    assert fold("a\n  b c\n\nd", 80) == ["a", "  b c", "", "d"]
    assert fold("  one two three", 10) == ["  one two", "  three"]


def test_fold_counts_wide_characters() -> None:
    assert cells("\u65e5\u672c e\u0301") == 6
    assert fold("\u65e5\u672c \u65e5\u672c \u65e5\u672c", 9) == [
        "\u65e5\u672c \u65e5\u672c",
        "\u65e5\u672c",
    ]


def test_long_words_stay_whole() -> None:
    path = "/" + "x" * 200
    assert path in fold(f"see {path} there", 40)


@settings(deadline=None)
@given(st.lists(NASTY, min_size=5, max_size=5), st.integers(0, 200), st.booleans())
def test_a_page_without_colour_has_no_control_character(
    texts: list[str], width: int, unicode: bool
) -> None:
    page = Page(width=width, color=False, unicode=unicode)
    page.text(texts[0], style="red")
    page.field("Label", texts[1], style="bold")
    page.verbatim(texts[2])
    page.command(texts[3], indent=20)
    page.table([(texts[3], texts[4], texts[0]), (texts[1], texts[2], texts[3])])
    text = page.render()
    assert not CONTROL.search(text)
    assert text.endswith("\n")
    if not unicode:
        assert text.isascii()


def test_colour_is_closed_on_every_line() -> None:
    page = Page(width=24, color=True, unicode=True)
    page.text("one two three four five six seven", style="red")
    for line in page.render().splitlines():
        assert line.startswith("\x1b[1;31m")
        assert line.endswith("\x1b[0m")


def test_a_patient_cannot_colour() -> None:
    page = Page(width=80, color=True, unicode=True)
    page.text("\x1b[32mfine\x1b[0m \x1b[2Khidden")
    assert page.render() == "fine \\x1b[2Khidden\n"


def test_table_aligns_and_folds_the_last_column() -> None:
    page = Page(width=40, color=False, unicode=True)
    page.table([("a", "bbb", "one two three four five six seven"), ("cc", "d", "e")])
    assert page.render().splitlines() == [
        "a   bbb  one two three four five six",
        "         seven",
        "cc  d    e",
    ]


def test_ascii_spells_typography() -> None:
    assert to_ascii("a\u2026 \u2192 \u201cb\u201d \u2265 \u00e9") == 'a... -> "b" >= \\xe9'
