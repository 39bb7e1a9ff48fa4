"""From the pages of an index to releases."""

from __future__ import annotations

import pytest
from indexserver import FakeIndex

from keras_doctor.refresh.gather import Steps, gather
from keras_doctor.registry.answers import Answers
from keras_doctor.registry.client import Client
from refresh.refresh_help import fill, wanted, where


@pytest.fixture
def answers(index: FakeIndex) -> Answers:
    return Answers(Client(where(index), silence=1.0, pause=lambda _: None))


def test_one_package(index: FakeIndex, answers: Answers) -> None:
    rows = [
        index.add_wheel("keras", "3.10.0", "numpy", **{"requires-python": ">=3.9"}),
        index.add_wheel("keras", "3.9.0", "numpy", "rich", yanked="bad"),
        {"filename": "keras-3.9.0.tar.gz", "url": "/x", "upload-time": "2024-02-01T00:00:00Z"},
        {"filename": "keras-3.10.0-py3.9.egg", "url": "/y", "upload-time": "2024-02-01"},
        {"filename": "other-1.0.tar.gz", "url": "/z", "upload-time": "2024-02-01"},
    ]
    index.add_project("keras", rows)
    package = gather(answers, wanted("keras"))
    assert package is not None
    first, last = package.releases
    assert (first.version, last.version) == ("3.9.0", "3.10.0")
    assert not first.yanked  # the sdist is not
    assert first.date == "2024-02-01"
    assert first.has_sdist
    assert first.requires == ("numpy", "rich")
    assert last.requires_python == ">=3.9"
    assert last.tags == ("py3-none-any",)
    assert package.gaps == ()
    assert len(index.asked) == 3


def test_one_wheel_speaks_for_all(index: FakeIndex, answers: Answers) -> None:
    tags = ["cp39-cp39-win_amd64", "cp39-cp39-manylinux2014_x86_64", "cp310-cp310-win_amd64"]
    index.add_project("numpy", [index.add_wheel("numpy", "1.0", "a", tag=tag) for tag in tags])
    package = gather(answers, wanted("numpy"))
    assert package is not None
    assert package.releases[0].tags == tuple(sorted(tags))
    assert len(index.asked) == 2
    assert "manylinux" in index.asked[1]


def test_one_wheel_for_each_platform(index: FakeIndex, answers: Answers) -> None:
    wheels = {
        "cp39-cp39-manylinux2014_x86_64": "numpy",
        "cp310-cp310-manylinux2014_x86_64": "numpy",
        "cp39-cp39-manylinux2014_aarch64": "tensorflow-cpu-aws",
        "cp39-cp39-macosx_12_0_arm64": "tensorflow-macos",
        "cp39-cp39-macosx_10_15_x86_64": "numpy",
        "cp39-cp39-win_amd64": "tensorflow-intel",
    }
    rows = [index.add_wheel("tensorflow", "2.15.0", line, tag=tag) for tag, line in wheels.items()]
    index.add_project("tensorflow", rows)
    package = gather(answers, wanted("tensorflow", per_platform=True))
    assert package is not None
    (release,) = package.releases
    assert release.requires == ("numpy",)
    assert dict(release.requires_on) == {
        "linux-arm64": ("tensorflow-cpu-aws",),
        "macos-arm64": ("tensorflow-macos",),
        "windows-x86_64": ("tensorflow-intel",),
    }
    assert release.requires_for("macos-x86_64") == ("numpy",)
    assert len(index.asked) == 6


def test_only_the_newest_of_a_nightly(index: FakeIndex, answers: Answers) -> None:
    fill(index, *[f"1.0.dev{n}" for n in range(9)], name="tf-nightly")
    package = gather(answers, wanted("tf-nightly", newest=3))
    assert package is not None
    assert [row.requires is not None for row in package.releases] == [False] * 6 + [True] * 3
    assert package.gaps == (("requirements", "read for 3 of 9 releases, from the newest 3 on"),)
    assert len(index.asked) == 4


def test_what_is_known_is_not_asked_for_again(index: FakeIndex, answers: Answers) -> None:
    fill(index, "1.0", "1.1")
    known = gather(answers, wanted("made-up"))
    fill(index, "1.0", "1.1", "1.2")
    index.asked.clear()
    package = gather(answers, wanted("made-up"), known=known)
    assert package is not None
    assert [row.requires for row in package.releases] == [
        ("numpy>=1.0",),
        ("numpy>=1.1",),
        ("numpy>=1.2",),
    ]
    assert len(index.asked) == 2


def test_what_cannot_be_read_is_a_gap(index: FakeIndex, answers: Answers) -> None:
    fill(index, "1.0", "1.1", "1.2")
    del index.pages["/files/made_up-1.1-py3-none-any.whl.metadata"]
    package = gather(answers, wanted("made-up"))
    assert package is not None
    assert [row.requires is None for row in package.releases] == [False, True, False]
    ((what, why),) = package.gaps
    assert what == "requirements"
    assert "2 of 3" in why
    assert "404" in why


def test_a_package_that_is_refused(answers: Answers) -> None:
    assert gather(answers, wanted("nothing")) is None


def test_progress_is_told(index: FakeIndex, answers: Answers) -> None:
    told: list[object] = []
    fill(index, "1.0", "1.1")
    steps = Steps(begin=lambda name, n: told.append((name, n)), advance=lambda: told.append(1))
    gather(answers, wanted("made-up"), steps=steps)
    assert told == [("made-up", 2), 1, 1]
