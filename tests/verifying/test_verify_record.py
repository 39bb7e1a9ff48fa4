"""RECORD files, honest and hostile."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_doctor.verify.record import MOST_ROWS, parse_record, to_bytes
from verifying.verify_sites import encoded, row

HASH = encoded(b"x")


def files(text: str, *, windows: bool = False) -> dict[str, tuple[str, int | None]]:
    return {
        f"{folder}/{name}": (digest, size)
        for folder, rows in parse_record(text, windows=windows).folders.items()
        for name, digest, size in rows
    }


def test_honest() -> None:
    text = f"{row('keras/a.py', b'x')}\n{row('six.py', b'x')}\nkeras/b.py,sha256={HASH},\n"
    assert files(text) == {
        "keras/a.py": (HASH, 1),
        "/six.py": (HASH, 1),
        "keras/b.py": (HASH, None),
    }
    assert files(text.replace("\n", "\r\n")) == files(text)
    assert to_bytes(HASH).hex() == (
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../../bin/x",
        "a/../../x",
        "a/..",
        "..",
        "a/./b.py",
        "a//b.py",
        "C:/x.py",
        "C:x.py",
        "\\\\host\\x.py",
        "\\x.py",
        "a\0b/x.py",
    ],
)
def test_outside(path: str) -> None:
    record = parse_record(row(path, b"x"), windows=True)
    assert record.folders == {}
    assert record.left_out + record.damaged == 1


def test_backslashes_are_folders_only_on_windows() -> None:
    text = row("a\\..\\..\\b.py", b"x")
    assert files(text, windows=True) == {}
    assert list(files(text)) == ["/a\\..\\..\\b.py"]


@pytest.mark.parametrize(
    "path",
    [
        "keras-1.dist-info/RECORD",
        "keras-1.dist-info/INSTALLER",
        "keras-1.dist-info/REQUESTED",
        "keras-1.dist-info/direct_url.json",
        "keras/__pycache__/a.cpython-311.pyc",
        "keras/a.pyc",
    ],
)
def test_legitimately_rewritten(path: str) -> None:
    record = parse_record(row(path, b"x"))
    assert (record.folders, record.left_out, record.damaged) == ({}, 1, 0)


@pytest.mark.parametrize(
    ("text", "left_out", "others", "damaged"),
    [
        ("a.py,,", 1, {}, 0),
        ("a.py,,12", 1, {}, 0),
        ("a.py,md5=abc,3", 0, {"md5": 1}, 0),
        ("a.py,sha512=abc,3\nb.py,SHA384=x,", 0, {"sha512": 1, "sha384": 1}, 0),
        ("a.py,sha256=,3", 0, {}, 1),
        ("a.py,sha256=abc,3", 0, {}, 1),
        (f"a.py,sha256={HASH}x,3", 0, {}, 1),
        (f"a.py,sha256={HASH[:-1]}!,3", 0, {}, 1),
        (f"a.py,sha256={HASH[:-1]}é,3", 0, {}, 1),
        (f"a.py,sha256={HASH},-3", 0, {}, 1),
        (f"a.py,sha256={HASH},{'9' * 5000}", 0, {}, 1),
        (f"a.py,sha256={HASH},1,more", 0, {}, 1),
        (f",sha256={HASH},1", 0, {}, 1),
        ("only one field", 0, {}, 1),
        (f'"a.py,sha256={HASH},1', 0, {}, 1),
        ('"' + "x" * 200_000 + '",sha256=,1', 0, {}, 1),
        (f"{'a/' * 3000}b.py,sha256={HASH},1", 0, {}, 1),
        ("\n\n\n", 0, {}, 0),
    ],
)
def test_unusable(text: str, left_out: int, others: dict[str, int], damaged: int) -> None:
    record = parse_record(text)
    assert record.folders == {}
    assert (record.left_out, dict(record.others), record.damaged) == (left_out, others, damaged)


def test_padding_and_quotes() -> None:
    assert files(f"a.py,sha256={HASH}=,1") == {"/a.py": (HASH, 1)}
    text = f'"k/a,""b"".py",sha256={HASH},1\n"k/c\nd.py",sha256={HASH},1\n'
    assert files(text) == {'k/a,"b".py': (HASH, 1), "k/c\nd.py": (HASH, 1)}


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_doctor.verify.record.MOST_ROWS", 3)
    record = parse_record("\n".join(row(f"a{n}.py", b"x") for n in range(5)))
    assert (len(record), record.damaged) == (3, 2)
    assert MOST_ROWS >= 100_000


NAMES = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="/\\\0\r\n:"),
    min_size=1,
    max_size=12,
).filter(lambda name: name not in {".", ".."} and not name.endswith(".pyc"))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES, st.binary(max_size=9)), max_size=8))
def test_what_csv_writes_is_read(rows: list[tuple[str, str, bytes]]) -> None:
    wanted = {f"{f}/{n}": d for f, n, d in rows if not f.endswith(".dist-info")}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for path, data in wanted.items():
        writer.writerow([path, f"sha256={encoded(data)}", len(data)])
    assert files(text.getvalue()) == {p: (encoded(d), len(d)) for p, d in wanted.items()}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(["..", "/", "a/../b.py", '"', ",", f",sha256={HASH},1", "\0", "\r"]),
        ),
        max_size=12,
    ).map("".join),
    st.booleans(),
)
@example(f'"\n",sha256={HASH},1', False)
def test_nothing_leads_outside(text: str, windows: bool) -> None:
    for path, (digest, size) in files(text, windows=windows).items():
        assert ".." not in path.split("/")
        assert "\0" not in path
        assert len(to_bytes(digest)) == 32
        assert size is None or size >= 0
        if windows:
            assert "\\" not in path
