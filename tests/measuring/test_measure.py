"""The measuring tool: where it looks, what it keeps, and what it makes of that. No environments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_doctor.versions import compare_key
from tools.measure.boundaries import bases_of, edges_of, tidy
from tools.measure.job import is_finished
from tools.measure.model import Run, load_subjects, program_of
from tools.measure.plan import PYTHONS, jobs_of, write_queue
from tools.measure.search import find_edge
from tools.measure.store import Store

VERSIONS = [
    f"{major}.{minor}.{patch}" for major in (1, 2) for minor in range(6) for patch in range(4)
]


def run(version: str, status: str = "passed", **more: object) -> Run:
    blank = Run(
        subject="tensorflow",
        release="2.10.1",
        distribution="tensorflow-cpu",
        python="3.10",
        platform="linux-x86_64",
        statement="import tensorflow",
        axis="numpy",
        version=version,
        status=status,
        stage=None,
        error=None if status == "passed" else "TypeError",
        message=None if status == "passed" else "no",
        raised_in=None,
        date="2026-11-25",
    )
    return replace(blank, **more)  # type: ignore[arg-type]


@given(known=st.sampled_from(VERSIONS), edge=st.integers(min_value=0, max_value=len(VERSIONS)))
def test_the_search_finds_the_edge(known: str, edge: int) -> None:
    """Good below the edge, bad from there on."""
    place = VERSIONS.index(known)
    if place >= edge:
        return
    tried: dict[str, bool] = {}
    find_edge(
        VERSIONS,
        known,
        lambda v: tried.setdefault(v, VERSIONS.index(v) < edge),
        newer=True,
    )
    good = [v for v, answer in tried.items() if answer]
    bad = [v for v, answer in tried.items() if not answer]
    if edge == len(VERSIONS):
        assert bad == []
    else:
        assert min(bad, key=compare_key) == VERSIONS[edge]
        assert max([known, *good], key=compare_key) == VERSIONS[edge - 1]
    assert len(tried) <= 14


@given(
    known=st.sampled_from(VERSIONS),
    edge=st.integers(min_value=0, max_value=len(VERSIONS)),
    missing=st.sets(st.sampled_from(VERSIONS), max_size=20),
)
def test_releases_that_cannot_be_installed_are_passed_over(
    known: str, edge: int, missing: set[str]
) -> None:
    tried: list[str] = []

    def trial(version: str) -> bool | None:
        tried.append(version)
        return None if version in missing else VERSIONS.index(version) < edge

    find_edge(VERSIONS, known, trial, newer=True)
    assert all(compare_key(version) > compare_key(known) for version in tried)
    assert len(set(tried)) <= 30


def test_nothing_is_halved_when_the_far_end_works() -> None:
    tried: dict[str, bool] = {}
    find_edge(VERSIONS, "1.2.0", lambda v: tried.setdefault(v, True), newer=True)
    assert list(tried) == ["2.5.3"]


def test_the_older_side() -> None:
    tried: dict[str, bool] = {}

    def trial(version: str) -> bool:
        return tried.setdefault(version, compare_key(version) >= compare_key("1.3.2"))

    find_edge(VERSIONS, "2.1.0", trial, newer=False)
    assert tried["1.3.2"] is True
    assert tried["1.3.1"] is False


def test_an_edge_from_runs() -> None:
    runs = [
        run("1.23.5"),
        run("1.26.4"),
        run("2.0.0", "raised", message="Unable to convert in /tmp/x/env/lib/a.py", stage="import"),
        run("2.2.6", "raised", message="other"),
        run("1.19.5", "raised", error="ImportError", message="too old"),
        run("9.9", "not-installable"),
    ]
    (edge,) = edges_of(runs)
    assert edge["good"] == ["1.23.5", "1.26.4"]
    assert (edge["newer"], edge["older"]) == ("2.0.0", "1.19.5")
    assert edge["newer_failures"][0] == ["TypeError", "Unable to convert in …", "import", None]
    assert edge["older_failures"] == [["ImportError", "too old", None, None]]
    assert edge["runs"] == 5


def test_a_release_that_works_alone_does_not_widen_the_range() -> None:
    runs = [run("1.20.0"), run("1.21.0"), run("1.22.0", "raised"), run("2.0.2")]
    (edge,) = edges_of(runs)
    assert edge["good"] == ["1.20.0", "1.21.0"]
    assert edge["newer"] == "1.22.0"


def test_what_never_worked_has_no_edge() -> None:
    assert edges_of([run("1.0", "raised"), run("2.0", "raised")]) == []


def test_plug_ins_count_as_their_subject_and_bases_are_kept_apart() -> None:
    (edge,) = edges_of([run("0.23.0", subject="tensorflow-plugins", axis="tensorflow-text")])
    assert edge["subject"] == "tensorflow"
    base = run("", axis="", packages={"numpy": "1.23.5"})
    failed = run("", "raised", axis="", release="2.4.4", python="3.11")
    rows = bases_of([base, failed])
    assert [(row["release"], row["works"]) for row in rows] == [("2.10.1", True), ("2.4.4", False)]
    assert rows[1]["failure"][:2] == ["TypeError", "no"]


@given(st.text(max_size=300))
def test_a_message_is_short_and_names_no_folder(text: str) -> None:
    assert len(tidy(text)) <= 160
    assert "/home/ada/secret/x.py" not in tidy(f"in /home/ada/secret/x.py {text}")


def test_a_kill_in_the_middle_of_a_line_loses_only_that_line(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.jsonl")
    store.add(run("1.0"))
    store.add(run("1.1", "raised"))
    text = (tmp_path / "runs.jsonl").read_text()
    (tmp_path / "runs.jsonl").write_text(text + text.splitlines()[0][:40])
    again = Store(tmp_path / "runs.jsonl")
    assert [one.version for one in again.runs] == ["1.0", "1.1"]
    assert len(again.of("tensorflow", "2.10.1", "3.10")) == 2


def test_the_plan_begins_with_what_tells_most(tmp_path: Path) -> None:
    jobs = jobs_of(load_subjects())
    assert jobs[0].subject.name == "tensorflow"
    newer = [job.side for job in jobs].index("older")
    first = jobs[:newer]
    assert {job.subject.name for job in first} >= {"tensorflow", "theano", "jax", "keras"}
    assert all(job.python in PYTHONS for job in jobs)
    left = write_queue(jobs, Store(tmp_path / "none.jsonl"), tmp_path / "queue.json")
    assert left == len(jobs)


@pytest.mark.parametrize("subject", load_subjects(), ids=lambda s: s.name)
def test_every_statement_of_the_plan_is_python(subject: object) -> None:
    axes = getattr(subject, "axes")  # noqa: B009
    for entry in axes:
        _axis, _, statement = entry.partition(": ")
        compile(program_of(statement or "import keras"), "plan", "exec")


def test_a_job_is_finished_when_its_runs_answer_all() -> None:
    jobs = jobs_of(load_subjects())
    assert not is_finished(jobs[0], [])
    job = jobs[0]
    broken = run("", "raised", axis="", release=job.release, python=job.python)
    assert is_finished(job, [broken])  # what does not work as resolved teaches nothing more
