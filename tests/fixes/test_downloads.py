"""How far uv's downloads are, in words."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from keras_doctor.fixes.downloads import Downloads

OUTPUT = b"""Using Python 3.11.7 environment at: env
Resolved 17 packages in 337ms
Downloading scipy (33.7MiB)
Downloading keras (512.0KiB)
 Downloaded keras
Downloading tensorflow (1.5GiB)
 Downloaded scipy
 Downloaded tensorflow
Prepared 17 packages in 2.02s
 + keras==3.15.1
"""
SAID = [
    "Downloading [....................] 0 of 34 MiB: scipy",
    "Downloading [....................] 0 of 34 MiB: scipy, keras",
    "Downloading [....................] 0 of 34 MiB: scipy",
    "Downloading [....................] 0 of 1,570 MiB: scipy, tensorflow",
    "Downloading [....................] 34 of 1,570 MiB: tensorflow",
    "Downloading [####################] 1,570 of 1,570 MiB",
]


def test_each_line_that_matters_is_told() -> None:
    told: list[str] = []
    read = Downloads(told.append)
    for line in OUTPUT.splitlines(keepends=True):
        read(line)
    assert told == SAID


@given(st.lists(st.integers(0, len(OUTPUT)), max_size=12))
def test_however_the_output_is_cut(cuts: list[int]) -> None:
    told: list[str] = []
    read = Downloads(told.append)
    places = [0, *sorted(cuts), len(OUTPUT)]
    for begin, end in itertools.pairwise(places):
        read(OUTPUT[begin:end])
    assert told[-1] == SAID[-1]
    assert set(told) <= set(SAID)


def test_what_is_no_download_is_not_told() -> None:
    told: list[str] = []
    read = Downloads(told.append)
    read(b"Downloading\n Downloading x\nDownloaded\n\xff\xfe\n")
    assert told == []
