"""The card escapes all that comes from the patient."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

import keras_doctor
from keras_doctor.report.card import render_card


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


OURS = {"style", "div", "p", "strong", "h4", "pre", "br"}


def tags(text: str) -> Tags:
    parser = Tags()
    parser.feed(render_card(keras_doctor.explain(text), [text]))
    return parser


def test_markup_of_theirs_stays_text() -> None:
    text = "ImportError: cannot import name '<img src=x onerror=alert(1)>' from 'keras'"
    seen = tags(text)
    assert seen.seen <= OURS
    assert seen.attributes <= {"class", "style"}


@given(st.text(alphabet="<>&'\"/ab=\n\x1b[", max_size=60))
def test_any_text_stays_text(text: str) -> None:
    seen = tags(f"ModuleNotFoundError: No module named 'keras.{text}'")
    assert seen.seen <= OURS
