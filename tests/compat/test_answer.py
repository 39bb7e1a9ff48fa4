"""The newest set, why nothing newer, and where else something fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compat.compat_builders import EDGES, PACKAGES, base, built, edge, rel
from keras_doctor import api
from keras_doctor.compat import choose
from keras_doctor.compat.answer import Answer, Together, answer
from keras_doctor.compat.asked import CompatError
from keras_doctor.knowledge.releases import installable, known_packages, release


def ask(*words: str, python: str | None = None, platform: str = "linux-x86_64") -> Answer:
    return answer(words, python=python, platform=platform)


def versions(found: Together | None) -> list[str]:
    return [one.version for one in found.members] if found else []


def held(found: Answer) -> list[tuple[str, str, str, str]]:
    return [(one.name, one.first, one.last, one.why) for one in found.held]


def test_the_newest_that_was_seen_to_work(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = ask("keras", "tensorflow", python="3.11")
    assert found.newest is not None
    assert versions(found.newest) == ["3.6.0", "2.16.2"]
    assert found.newest.evidence == "measured"
    assert found.newest.command.startswith("pip install keras==3.6.0 tensorflow==2.16.2")
    assert versions(found.unseen) == ["3.6.0", "2.17.0"]
    assert found.unseen is not None
    assert found.unseen.evidence == "declared"
    assert held(found) == [("tensorflow", "2.17.0", "2.17.0", "was not measured with keras 3.6.0")]


def test_programs_ask_the_same(build: Any) -> None:
    build(PACKAGES, EDGES)
    asked = api.compat(["keras", "tensorflow"], python="3.11", platform="linux-x86_64")
    assert asked == ask("keras", "tensorflow", python="3.11")


def test_runs_of_other_series_do_not_vouch(build: Any) -> None:
    rows = [edge("tensorflow 2.10.1", "keras", ("2.10.0", "2.10.0"), python="3.10")]
    build(PACKAGES, rows)
    found = ask("keras", "tensorflow")
    assert versions(found.newest) == ["2.10.0", "2.10.1"]
    assert versions(found.unseen) == ["3.6.0", "2.17.0"]


def test_the_order_of_the_names_decides_who_comes_first(build: Any) -> None:
    packages = {
        "keras": [rel("1.0"), rel("2.0", "six<2")],
        "six": [rel("1.0"), rel("2.0")],
    }
    build(packages)
    assert versions(ask("keras", "six", python="3.11").newest) == ["2.0", "1.0"]
    assert versions(ask("six", "keras", python="3.11").newest) == ["2.0", "1.0"]
    assert held(ask("keras", "six", python="3.11")) == [
        ("six", "2.0", "2.0", "does not go with keras 2.0: keras 2.0 requires six<2")
    ]


def test_a_bound_that_metadata_lacks_goes_along(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = ask("keras", "tensorflow==2.16", python="3.11").newest
    assert found is not None
    assert [one.requirement for one in found.bounds] == ["numpy<2.0.0"]
    assert found.argv[-1] == "numpy<2.0.0"
    assert '"numpy<2.0.0"' in found.command
    # Metadata excludes what fails, or the package is named: no bound.
    assert ask("tensorflow==2.10", python="3.10").newest.bounds == ()  # type: ignore[union-attr]
    named = ask("tensorflow==2.16", "numpy", python="3.11").newest
    assert versions(named) == ["2.16.2", "1.26.4"]
    assert named is not None
    assert named.bounds == ()


def test_any_python_is_the_one_with_the_newest_set(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = ask("keras", "tensorflow")
    assert found.newest is not None
    assert (found.newest.python, found.newest.also_on) == ("3.11", ())
    old = ask("tensorflow==2.10", "keras").newest
    assert old is not None
    assert (old.python, old.also_on) == ("3.10", ("3.9",))


def test_an_older_python_never_vouches_for_a_newer_one(build: Any) -> None:
    packages = {"keras": [rel("2.3.1")], "theano": [rel("1.0.5")], "numpy": PACKAGES["numpy"]}
    rows = [edge("theano 1.0.5", "keras", ("2.3.1", "2.3.1"), python="3.9")]
    build(packages, rows)
    on_newer = ask("keras", "theano", python="3.12").newest
    assert on_newer is not None
    assert on_newer.evidence == "none"
    assert [fact.measured for fact in on_newer.facts] == ["works"]
    on_same = ask("keras", "theano", python="3.9").newest
    assert on_same is not None
    assert on_same.evidence == "measured"


def test_what_fails_on_a_python_takes_its_older_releases_along(build: Any) -> None:
    packages = {"theano": [rel("0.9.0", "numpy"), rel("1.0.5", "numpy")], "numpy": [rel("1.21.6")]}
    rows = [edge("theano 1.0.5", "numpy", ("1.21.6", "1.21.6"), python="3.8")]
    bases = [base("theano 1.0.5", "3.8"), base("theano 1.0.5", "3.10", works=False)]
    build(packages, rows, bases)
    found = ask("theano", "numpy", python="3.11")
    assert found.newest is None
    assert found.elsewhere is not None
    assert (found.elsewhere.python, versions(found.elsewhere)) == ("3.8", ["1.0.5", "1.21.6"])
    assert found.elsewhere.evidence == "measured"


def test_newer_means_older_in_nothing(build: Any) -> None:
    packages = {
        "keras": [rel("1.0"), rel("2.0")],
        "theano": [rel("1.0"), rel("2.0")],
    }
    rows = [edge("theano 2.0", "keras", ("1.0", "1.0"), newer="2.0")]
    build(packages, rows)
    found = ask("keras", "theano", python="3.11")
    assert versions(found.newest) == ["1.0", "2.0"]
    assert found.unseen is None  # keras 2.0 with theano 1.0 would be


def test_what_a_program_imports_by_name_is_no_part_of_another(build: Any) -> None:
    rows = [
        edge("theano 1.0", "keras", ("1.0", "1.0"), newer="2.0", statement="import keras"),
        edge("theano 1.0", "six", ("1.0", "1.0"), newer="2.0", statement="import keras"),
    ]
    packages = {"theano": [rel("1.0")], "keras": [rel("1.0"), rel("2.0")], "numpy": [rel("1.0")]}
    build(packages, rows, [base("theano 1.0", keras="1.0", six="1.0")])
    found = ask("theano", "numpy", python="3.11").newest
    assert found is not None
    assert [bound.requirement for bound in found.bounds] == ["six<2.0"]


def test_nothing_fits_and_the_nearest_python_is_named(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = ask("tensorflow==2.10", "keras", python="3.12")
    assert found.newest is None
    assert found.elsewhere is not None
    assert (found.elsewhere.python, versions(found.elsewhere)) == ("3.10", ["2.10.1", "2.10.0"])
    assert versions(found.otherwise) == ["2.17.0", "3.6.0"]
    assert ask("tensorflow", python="3.14").otherwise is None


def test_nothing_fits_anywhere(build: Any) -> None:
    build({"keras": [rel("1.0", "six<1")], "six": [rel("1.0")]})
    found = ask("keras", "six")
    assert (found.newest, found.elsewhere, found.otherwise) == (None, None, None)
    assert ask("keras", "six", python="3.9").newest is None


def test_why_nothing_newer(build: Any) -> None:
    packages = {
        "keras": [
            rel("1.0", wheels=built("3.9", "3.12")),
            rel("2.0", python=">=3.12"),
            rel("3.0", wheels=built("3.12")),
            rel("4.0", wheels=(), sdist=True),
            rel("5.0", "six>2"),
            rel("6.0"),
            rel("7.0"),
            rel("8.0", yanked=True),
            rel("9.0b1"),
        ],
        "six": [rel("2.0")],
    }
    build(
        packages,
        [edge("keras 6.0", "six", ("1.0", "1.0"), newer="2.0", python="3.9")],
        [base("keras 7.0", "3.8", works=False), base("keras 6.0", "3.9")],
    )
    found = ask("keras", "six", python="3.9")
    assert held(found) == [
        ("keras", "7.0", "7.0", "was seen to fail on Python 3.8: SyntaxError"),
        ("keras", "6.0", "6.0", "was seen to fail with six 2.0: TypeError"),
        ("keras", "5.0", "5.0", "does not go with six 2.0: keras 5.0 requires six>2"),
        ("keras", "4.0", "4.0", "has no wheel and would have to be built"),
        ("keras", "3.0", "3.0", "has no wheel for Python 3.9 on linux-x86_64"),
        ("keras", "2.0", "2.0", "needs Python >=3.12"),
    ]


def test_what_has_no_wheel_anywhere_is_built(build: Any) -> None:
    build({"theano": [rel("1.0.5", wheels=(), sdist=True)], "numpy": PACKAGES["numpy"]})
    found = ask("theano", "numpy", python="3.9").newest
    assert found is not None
    assert [one.how for one in found.members] == ["sdist", "wheel"]


def test_previews_only_when_named(build: Any) -> None:
    build(PACKAGES)
    assert versions(ask("keras", python="3.11").newest) == ["3.6.0"]
    assert versions(ask("keras>=4.0.0rc1", python="3.11").newest) == ["4.0.0rc1"]


def test_platforms(build: Any) -> None:
    packages = {"torch": [rel("1.0", wheels=built("3.11", system="win_amd64")), rel("2.0")]}
    packages["torch"][1] = rel("2.0", wheels=built("3.11", system="macosx_11_0_arm64"))
    build(packages)
    assert versions(ask("torch", platform="windows").newest) == ["1.0"]
    assert versions(ask("torch", platform="macos").newest) == ["2.0"]
    assert ask("torch", platform="macos-x86_64").newest is None
    assert ask("torch", platform="linux").newest is None


def test_the_search_is_bounded(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "MOST_PAIRS", 3)
    rows = [rel(f"{n}.0", "six<1") for n in range(1, 9)]
    build({"keras": rows, "six": [rel("1.0")]})
    found = ask("keras", "six", python="3.11")
    assert found.newest is None
    assert found.gave_up


def test_three_packages(build: Any) -> None:
    build(PACKAGES, EDGES)
    found = ask("tensorflow", "keras", "numpy", python="3.11")
    assert versions(found.newest) == ["2.16.2", "3.6.0", "1.26.4"]
    assert found.newest is not None
    assert [(f.first, f.second, f.measured) for f in found.newest.facts] == [
        ("tensorflow", "keras", "works"),
        ("tensorflow", "numpy", "works"),
        ("keras", "numpy", None),
    ]
    assert [(t.first, t.second) for t in found.tables] == [
        ("tensorflow", "keras"),
        ("tensorflow", "numpy"),
        ("keras", "numpy"),
    ]


@pytest.mark.parametrize(
    ("words", "python", "platform", "told", "hint"),
    [
        ((), None, "linux", "Which packages?", "keras tensorflow"),
        (("kears",), None, "linux", "'kears' are not known", "Did you mean keras?"),
        (("zzz",), None, "linux", "'zzz' are not known", "Known are keras"),
        (("torchvision",), None, "linux", "torchvision are not known here: no page", None),
        (("keras", "Keras<3"), None, "linux", "keras is named twice", None),
        (("keras==9",), None, "linux", "keras has no release ==9.", "2.10.0 to 3.6.0"),
        (("keras>>2",), None, "linux", "'>>2' names no releases", "==2.10"),
        (("./keras",), None, "linux", "'./keras' is no package", "tensorflow==2.10"),
        (("keras",), "three", "linux", "not 'three'", None),
        (("keras",), "3.11", "beos", "not 'beos'", None),
    ],
)
def test_questions_that_cannot_be_answered(
    build: Any,
    words: tuple[str, ...],
    python: str | None,
    platform: str,
    told: str,
    hint: str | None,
) -> None:
    build(PACKAGES, gaps=[("torchvision", "no page")])
    with pytest.raises(CompatError) as caught:
        answer(words, python=python, platform=platform)
    assert told in str(caught.value)
    assert (hint or "") in (caught.value.hint or "")


@pytest.mark.parametrize("word", ["tensorflow==2.10", "tensorflow=2.10", "TensorFlow == 2.10.*"])
def test_a_minor_series(build: Any, word: str) -> None:
    build(PACKAGES)
    assert versions(ask(word).newest) == ["2.10.1"]


def test_one_package(build: Any) -> None:
    build(PACKAGES, EDGES, [base("tensorflow 2.16.2", "3.11"), base("tensorflow 2.16.2", "3.12")])
    overview = ask("tensorflow").overview
    assert overview is not None
    assert [one.last for one in overview.spans] == ["2.17.0", "2.16.2", "2.15.1", "2.10.1"]
    second = overview.spans[1]
    assert second.pythons == ("3.10", "3.11", "3.12")
    assert second.works_on == ("3.11", "3.12")
    by_name = {limit.dependency: limit for limit in second.limits}
    assert by_name["numpy"].newer == "2.0.0"
    assert by_name["numpy"].contradictions == ("accepts-what-fails",)
    assert by_name["keras"].contradictions == ()
    on_310 = ask("tensorflow", python="3.10").overview
    assert on_310 is not None
    assert [one.last for one in on_310.spans] == ["2.16.2", "2.15.1", "2.10.1"]


def test_a_question_has_one_answer(build: Any) -> None:
    build(PACKAGES, EDGES)
    first = ask("keras", "tensorflow", "numpy")
    build(PACKAGES, list(reversed(EDGES)))
    assert ask("keras", "tensorflow", "numpy") == first


@pytest.mark.parametrize("name", ["keras-nightly", "tf-nightly"])
def test_a_nightly_build_has_to_be_named_with_its_version(name: str) -> None:
    with pytest.raises(CompatError, match="development releases only"):
        ask(name)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_sets_from_the_shipped_knowledge_keep_their_promises(data: st.DataObject) -> None:
    nightly = {"keras-nightly", "tf-nightly"}  # without a final release
    names = st.sampled_from(sorted(known_packages() - nightly))
    words = data.draw(st.lists(names, min_size=1, max_size=3, unique=True))
    python = data.draw(st.sampled_from([None, "3.7", "3.9", "3.11", "3.13"]))
    found = ask(*words, python=python)
    for together in (found.newest, found.unseen, found.elsewhere, found.otherwise):
        if together is None:
            continue
        for one in together.members:
            row = release(one.name, one.version)
            assert row is not None
            assert not row.yanked
        for fact in together.facts:
            assert fact.declared != "forbids"
            assert fact.measured != "fails"
    fits = any(
        installable(words[0], python=version) for version in ("3.6", "3.7", "3.9", "3.11", "3.13")
    )
    if len(words) == 1 and python is None and fits:  # not what is made for another system only
        assert found.newest is not None
