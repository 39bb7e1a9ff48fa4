"""Requirements: beside the wheel, in the wheel, in the project JSON."""

from __future__ import annotations

import email
import io
import json
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from indexserver import FakeIndex, Reply, metadata, wheel

from keras_doctor.registry.answers import Answers
from keras_doctor.registry.listing import File
from keras_doctor.registry.metadata import NoMetadataError, from_wheel, parse_requires
from keras_doctor.registry.project import read_listing, read_requires

LINES = ("numpy>=1.26,<2", 'h5py ; extra == "x"')


def file(index: FakeIndex, filename: str, *, beside: bool = False) -> File:
    return File(
        filename=filename,
        url=f"{index.url}/files/{filename}",
        requires_python=None,
        yanked=False,
        uploaded=None,
        has_metadata=beside,
    )


def test_the_text() -> None:
    assert parse_requires(metadata("keras", "1.0", *LINES)) == LINES
    assert parse_requires(metadata("keras", "1.0", *LINES).replace(b"\n", b"\r\n")) == LINES
    folded = b"Metadata-Version: 1.2\nRequires-Dist: a\n  (>=1)\nrequires-dist:b\n\nx"
    assert parse_requires(folded) == ("a (>=1)", "b")


@pytest.mark.parametrize("raw", [b"", b"<html>", b"Requires-Dist: a\n", b"\0" * 100])
def test_no_text(raw: bytes) -> None:
    with pytest.raises(NoMetadataError):
        parse_requires(raw)


def test_too_much() -> None:
    for lines in (["a"] * 2_001, ["a" * 2_001]):
        with pytest.raises(NoMetadataError):
            parse_requires(metadata("keras", "1.0", *lines))


WORDS = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1)


@given(st.lists(WORDS, max_size=5))
def test_as_the_email_parser_reads_it(lines: list[str]) -> None:
    raw = metadata("keras", "1.0", *lines)
    theirs = email.message_from_bytes(raw).get_all("Requires-Dist", [])
    assert list(parse_requires(raw)) == [" ".join(str(line).split()) for line in theirs]


def test_beside_the_wheel(index: FakeIndex, answers: Answers) -> None:
    row = index.add_wheel("keras", "1.0", *LINES)
    found = read_requires(answers, "keras", "1.0", file(index, row["filename"], beside=True))
    assert found == LINES
    assert index.asked == [f"/files/{row['filename']}.metadata"]


@pytest.mark.parametrize("padding", [0, 3_000_000])
def test_in_the_wheel(index: FakeIndex, answers: Answers, padding: int) -> None:
    name = "keras-1.0-py3-none-any.whl"
    index.add(f"/files/{name}", wheel("keras", "1.0", *LINES, padding=padding))
    assert read_requires(answers, "keras", "1.0", file(index, name, beside=True)) == LINES
    assert index.asked[0].endswith(".metadata")  # refused, so the wheel itself is read
    assert len(index.asked) <= 3


def test_metadata_far_from_the_end(index: FakeIndex, answers: Answers) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("k-1.dist-info/METADATA", metadata("k", "1", *LINES))
        for number in range(2_000):
            archive.writestr(f"k/{number:0100}", b"")
        archive.writestr("k/data", b"\1" * 500_000)
    index.add("/files/k-1-py3-none-any.whl", raw.getvalue())
    found = parse_requires(from_wheel(answers, index.url + "/files/k-1-py3-none-any.whl"))
    assert found == LINES
    assert len(index.asked) <= 6


def whole(body: bytes) -> Reply:
    return 200, {}, body


@pytest.mark.parametrize(
    "reply",
    [
        lambda body: (206, {"Content-Range": "bytes 0-9/10"}, body),
        lambda body: (206, {"Content-Range": "bytes 5-1/10"}, body),
        lambda body: (206, {"Content-Range": "words"}, body),
        lambda body: (206, {}, body),
        lambda body: (206, {"Content-Range": f"bytes 0-{len(body) - 1}/99999999999999"}, body),
        lambda body: (403, {}, b""),
        lambda _: whole(b"no wheel at all"),
        lambda _: whole(b""),
        lambda _: whole(wheel("k", "1")[:-30]),
        lambda body: whole(body.replace(b".dist-info/METADATA", b".dist-info/METADATX")),
    ],
)
def test_wrong_parts(index: FakeIndex, answers: Answers, reply: object) -> None:
    body = wheel("k", "1", *LINES)

    def answer(_: Mapping[str, str]) -> Reply:
        made: Reply = reply(body)  # type: ignore[operator]
        return made

    index.pages["/w.whl"] = answer
    with pytest.raises(NoMetadataError):
        from_wheel(answers, index.url + "/w.whl")
    assert len(index.asked) <= 12


def test_the_whole_wheel_instead_of_a_part(index: FakeIndex, answers: Answers) -> None:
    body = wheel("k", "1", *LINES)
    index.pages["/w.whl"] = lambda _: whole(body)
    assert parse_requires(from_wheel(answers, index.url + "/w.whl")) == LINES
    index.pages["/w.whl"] = lambda _: whole(b"x" * 9_000_000)
    with pytest.raises(NoMetadataError, match="no parts"):
        from_wheel(answers, index.url + "/w.whl")


def test_a_bomb_in_the_wheel(index: FakeIndex, answers: Answers) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("k-1.dist-info/METADATA", b"\n" * 60_000_000)
    index.add("/w.whl", raw.getvalue())
    with pytest.raises(NoMetadataError):
        from_wheel(answers, index.url + "/w.whl")


def test_an_sdist(index: FakeIndex, answers: Answers) -> None:
    sdist = file(index, "theano-1.0.5.tar.gz")
    with pytest.raises(NoMetadataError, match="sdist"):
        read_requires(answers, "theano", "1.0.5", sdist)
    data = {"info": {"requires_dist": ["numpy  (>=1.9.1)", "six"]}}
    index.add("/pypi/theano/1.0.6/json", json.dumps(data).encode(), "application/json")
    assert read_requires(answers, "theano", "1.0.6", sdist) == ("numpy (>=1.9.1)", "six")
    for number, wrong in enumerate([{}, [], {"info": {"requires_dist": None}}, {"info": 3}]):
        index.add(f"/pypi/theano/2.{number}/json", json.dumps(wrong).encode())
        with pytest.raises(NoMetadataError):
            read_requires(answers, "theano", f"2.{number}", sdist)


def test_upload_days_from_the_project_json(index: FakeIndex, answers: Answers) -> None:
    row = index.add_wheel("keras", "1.0")
    index.add_project("keras", [row], html=True)
    listing = read_listing(answers, "keras")
    assert listing is not None
    assert listing.files[0].uploaded is None
    rows = {"1.0": [{"filename": row["filename"], "upload_time_iso_8601": "2024-05-06T07:08:09Z"}]}
    index.add("/pypi/keras/json", json.dumps({"releases": rows}).encode(), "application/json")
    listing = read_listing(answers, "keras")
    assert listing is not None
    assert listing.files[0].uploaded == "2024-05-06"


def test_a_project_that_is_refused(answers: Answers) -> None:
    assert read_listing(answers, "keras") is None
