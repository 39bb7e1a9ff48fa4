"""KD301, KD302, KD305: files that are gone, damaged, or may not be read."""

from __future__ import annotations

import pytest

from keras_doctor.model import Distribution, FileAnomaly, FileCheck, Finding, Outcome
from keras_doctor.rules.context import Context
from keras_doctor.rules.integrity.damage import all_states, is_cut, loadable
from keras_doctor.signs import matches
from rules.factory import (
    JAX_STACK,
    PYTHON,
    QUIET,
    SITE,
    Case,
    abstains,
    anomaly,
    assert_case,
    died,
    dist,
    failed,
    files,
    judge,
    module,
    raised,
    with_,
    world,
)

KERAS = JAX_STACK.distributions[0]
NUMPY = dist("numpy", "2.2.1")
EDITABLE = dist("keras", "3.8.0", "optree", editable=True, origin_url="file:///src/keras")
INIT = "keras/__init__.py"
INNER = "keras/src/models/model.py"
LIBRARY = "numpy/_core/_multiarray.cpython-312-x86_64-linux-gnu.so"


def checked(*checks: FileCheck, **more: object) -> Context:
    """Keras on JAX, with what became of the files of some distributions."""
    done = {check.metadata: check for check in checks}
    rows = tuple(done.pop(d.metadata, files(d)) for d in JAX_STACK.distributions)
    return world(variables={"KERAS_BACKEND": "jax"}, files=(*rows, *done.values()), **more)  # type: ignore[arg-type]


def keras(*anomalies: FileAnomaly, **changes: object) -> Context:
    return checked(files(KERAS, *anomalies, **changes))  # type: ignore[arg-type]


def again(distribution: Distribution = KERAS) -> tuple[str, str | None]:
    wanted = f"{distribution.name}=={distribution.version}"
    return ("reinstall", f"{PYTHON} -m pip install --force-reinstall --no-deps {wanted}")


READABLE = ("chmod", f"chmod -R u+rX {SITE}/keras")
POSITIVE: list[tuple[str, str, Case]] = [
    (
        "KD301",
        "missing-files",
        Case(
            "the file that is imported first",
            keras(anomaly(INIT)),
            "keras",
            "fatal",
            ("A file of keras 3.8.0 is missing",),
            (again(),),
        ),
    ),
    (
        "KD301",
        "missing-files",
        Case(
            "an inner file",
            keras(anomaly(INNER)),
            "keras",
            "likely",
            ("A file of keras 3.8.0 is missing",),
            (again(),),
        ),
    ),
    (
        "KD301",
        "missing-files",
        Case(
            "a library",
            checked(files(NUMPY, anomaly(LIBRARY))),
            "numpy",
            "likely",
            ("A file of numpy 2.2.1 is missing",),
            (again(NUMPY),),
        ),
    ),
    (
        "KD301",
        "missing-files",
        Case(
            "many, of which the list holds a part",
            keras(
                *[anomaly(f"keras/src/{n}.py") for n in range(200)],
                checked=1000,
                anomalies_total=600,
            ),
            "keras",
            "likely",
            ("600 files of keras 3.8.0 are missing",),
            (again(),),
        ),
    ),
    (
        "KD302",
        "altered-files",
        Case(
            "cut short",
            keras(anomaly(INNER, "size", 100, 30)),
            "keras",
            "likely",
            ("A file of keras 3.8.0 is damaged",),
            (again(),),
        ),
    ),
    (
        "KD302",
        "altered-files",
        Case(
            "emptied",
            keras(anomaly(INIT, "size", 100, 0)),
            "keras",
            "fatal",
            ("A file of keras 3.8.0 is damaged",),
            (again(),),
        ),
    ),
    (
        "KD302",
        "altered-files",
        Case(
            "full of zero bytes",
            keras(anomaly(INNER, "zeros", 100, 100), anomaly(INIT, "zeros", 100, 100)),
            "keras",
            "fatal",
            ("2 files of keras 3.8.0 are damaged",),
            (again(),),
        ),
    ),
    (
        "KD302",
        "altered-files",
        Case(
            "longer, which is an edit",
            keras(anomaly(INNER, "size", 100, 130)),
            "keras",
            "risk",
            ("A file of keras 3.8.0", "not as it was shipped"),
            (again(),),
        ),
    ),
    (
        "KD301",
        "missing-files",
        Case(
            "an editable install whose folder is gone",
            world(with_(JAX_STACK, EDITABLE), files=(files(EDITABLE),), modules=[module("keras")]),
            "keras",
            "fatal",
            ("keras 3.8.0", "editable mode", "does not find its code"),
            (again(),),
        ),
    ),
    (
        "KD301",
        "missing-files",
        Case(
            "metadata without RECORD and without code",
            world(
                with_(JAX_STACK, dist("optree", "0.14.0", record="missing")),
                files=(files(KERAS),),
                modules=[module("optree")],
            ),
            "optree",
            "likely",
            ("The metadata of optree 0.14.0 is there", "its code is not"),
            (again(dist("optree", "0.14.0")),),
        ),
    ),
    (
        "KD302",
        "altered-files",
        Case(
            "of the right size and another content",
            keras(anomaly(INNER, "hash", 100, 100), anomaly("keras/b.py", "size", 100, 130)),
            "keras",
            "risk",
            ("2 files of keras 3.8.0", "not as it was shipped"),
            (again(),),
        ),
    ),
    (
        "KD305",
        "unreadable-files",
        Case(
            "a file",
            keras(anomaly(INNER, "unreadable")),
            "keras",
            "likely",
            ("A file of keras 3.8.0 is unreadable",),
            (READABLE, again()),
        ),
    ),
    (
        "KD305",
        "unreadable-files",
        Case(
            "a folder",
            keras(*[anomaly(f"keras/src/{n}.py", "folder-unreadable") for n in range(3)]),
            "keras",
            "likely",
            ("3 files of keras 3.8.0 are unreadable",),
            (READABLE, again()),
        ),
    ),
    (
        "KD305",
        "unreadable-files",
        Case(
            "the first file",
            keras(anomaly(INIT, "unreadable")),
            "keras",
            "fatal",
            ("unreadable",),
            (READABLE, again()),
        ),
    ),
]


@pytest.mark.parametrize(
    ("code", "cause", "case"), POSITIVE, ids=[f"{code} {case.id}" for code, _, case in POSITIVE]
)
def test_damage(code: str, cause: str, case: Case) -> None:
    found = assert_case(code, cause, case)
    others = {"KD301", "KD302", "KD305"} - {code}
    assert all(judge(other, case.context) == [] for other in others)
    # Damage on the disk cannot be undone for one run.
    assert found.changes == ()


def test_what_is_shown_first() -> None:
    (found,) = judge("KD301", keras(*[anomaly(f"keras/a{n}.py") for n in range(9)], anomaly(INIT)))
    assert found.evidence[0].text == "__init__.py is missing"
    assert len(found.evidence) == 5


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (anomaly(INNER, "size", 100, 0), "model.py is empty"),
        (anomaly(INNER, "size", 100, 30), "model.py has 30 bytes, 100 were shipped"),
        (anomaly(INNER, "zeros", 100, 100), "model.py is full of zero bytes"),
        (anomaly(INNER, "size", 100, 130), "model.py has 130 bytes, 100 were shipped"),
        (anomaly(INNER, "hash", 100, 130), "model.py has 130 bytes, 100 were shipped"),
        (anomaly(INNER, "hash", 100, 0), "model.py is empty"),
        (
            anomaly(INNER, "hash", 100, 100),
            "model.py has the size that was shipped, but not the content (its SHA-256 differs)",
        ),
    ],
)
def test_words(what: FileAnomaly, text: str) -> None:
    (found,) = judge("KD302", keras(what))
    assert (found.evidence[0].text, found.evidence[0].where) == (text, f"{SITE}/{INNER}")


def test_links_that_lead_nowhere_go_first() -> None:
    link = f"{SITE}/keras"
    (found,) = judge("KD301", keras(anomaly(INIT), dangling=(link,)))
    assert [(fix.kind, fix.continues) for fix in found.fixes] == [
        ("delete", True),
        ("reinstall", False),
    ]
    assert found.fixes[0].targets == (link,)
    many = tuple(f"{link}/{number}.py" for number in range(20))
    (found,) = judge("KD301", keras(anomaly(INIT), dangling=many))
    assert found.fixes[0].targets == (link,)


def test_edits_and_damage_are_two_findings() -> None:
    context = keras(anomaly("keras/a.py", "size", 100, 30), anomaly("keras/b.py", "size", 100, 130))
    assert [(f.weight, f.key) for f in judge("KD302", context)] == [
        ("likely", "altered-files:keras"),
        ("risk", "altered-files:keras+"),
    ]


def test_each_distribution_by_itself() -> None:
    context = checked(files(KERAS, anomaly(INNER)), files(NUMPY, anomaly("numpy/version.py")))
    assert [f.culprit for f in judge("KD301", context)] == ["keras", "numpy"]


def predicts(found: Finding, outcome: Outcome) -> bool:
    return any(matches(sign, outcome) for sign in found.signs if not sign.weak)


BOOM = raised("AttributeError", "module 'x' has no attribute 'y'", f"{SITE}/{INNER}")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (failed(BOOM), True),
        (failed(raised("SyntaxError", "source code string cannot contain null bytes")), True),
        (failed(raised("ImportError", "cannot import name 'x' from 'keras.src.a'")), True),
        (failed(raised("OSError", f"{SITE}/{INNER}: file too short")), True),
        (
            failed(raised("ModuleNotFoundError", "No module named 'keras.src'", name="keras.src")),
            True,
        ),
        (failed(raised("ValueError", "no", "/elsewhere/a.py")), False),
        (
            failed(
                raised("ModuleNotFoundError", "No module named 'tensorflow'", name="tensorflow")
            ),
            False,
        ),
        (failed(raised("ImportError", "cannot import name 'x' from 'numpy'")), False),
        (died("SIGSEGV"), False),
    ],
)
def test_signs(outcome: Outcome, expected: bool) -> None:
    (found,) = judge("KD301", keras(anomaly(INNER)))
    assert predicts(found, outcome) is expected


def test_a_damaged_library_may_kill() -> None:
    (found,) = judge("KD302", checked(files(NUMPY, anomaly(LIBRARY, "size", 100, 30))))
    assert predicts(found, died("SIGBUS"))
    assert predicts(found, failed(raised("ImportError", f"{LIBRARY}: file too short")))


def test_an_edited_file_explains_only_what_comes_from_it() -> None:
    (found,) = judge("KD302", keras(anomaly(INNER, "size", 100, 130)))
    assert predicts(found, failed(BOOM))
    assert not predicts(found, failed(raised("ValueError", "no", f"{SITE}/keras/src/other.py")))
    assert not predicts(found, died())


def weakly(found: Finding, outcome: Outcome) -> bool:
    return any(matches(sign, outcome) for sign in found.signs)


FAR = failed(raised("ValueError", "no", f"{SITE}/keras/src/other.py"))


def test_another_content_explains_what_is_far_only_when_nothing_else_does() -> None:
    (found,) = judge("KD302", keras(anomaly(INNER, "hash", 100, 100)))
    assert predicts(found, failed(BOOM))
    assert not predicts(found, FAR)
    assert weakly(found, FAR)
    assert not weakly(found, died())
    (library,) = judge("KD302", checked(files(NUMPY, anomaly(LIBRARY, "hash", 100, 100))))
    assert not predicts(library, died("SIGSEGV"))
    assert weakly(library, died("SIGSEGV"))


def test_another_text_explains_nothing() -> None:
    (found,) = judge("KD302", keras(anomaly("keras/readme.txt", "hash", 100, 100)))
    assert not weakly(found, FAR)


def test_off_the_way_it_explains_nothing() -> None:
    other = dist("other", "1.0", imports=("other",))
    check = files(other, anomaly("other/a.py", "hash", 100, 100), checked=0)
    context = checked(check, beside=[other])
    (found,) = judge("KD302", context)
    assert found.weight == "risk"
    assert not weakly(found, failed(raised("ValueError", "no", f"{SITE}/other/b.py")))


def test_unreadable_predicts_a_refusal() -> None:
    (found,) = judge("KD305", keras(anomaly(INNER, "unreadable")))
    assert predicts(found, failed(raised("PermissionError", "[Errno 13] Permission denied")))


TESTS = (
    "keras/src/a_test.py",
    "numpy/tests/test_a.py",
    "keras/examples/a.py",
)
LOADED = ("numpy/testing/a.py", "theano/tests/__init__.py", "tensorflow/_api/v2/test/__init__.py")
"""Paths that look like tests, and that importing their package loads."""
NOTHING: dict[str, Context] = {
    "all files are right": checked(),
    "tests do not count": keras(*[anomaly(path) for path in TESTS]),
    "damaged tests do not count": keras(*[anomaly(path, "zeros") for path in TESTS]),
    "unreadable tests do not count": keras(*[anomaly(path, "unreadable") for path in TESTS]),
    "conftest does not count": keras(anomaly("keras/conftest.py")),
    "of a distribution that is gone": checked(files(dist("old", "1.0"), anomaly("old/a.py"))),
    "no anomalies, but unrecorded files": keras(unrecorded=("keras/mine.py",), unrecorded_total=1),
    "the code says another version": keras(code_version="1.0"),
    "no file was looked at": keras(checked=0),
    "off the way, and its code is not there": world(
        with_(JAX_STACK, dist("pandas", "2.0", record="missing")), modules=[module("pandas")]
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
@pytest.mark.parametrize("code", ["KD301", "KD302", "KD305"])
def test_nothing(code: str, context: Context) -> None:
    assert abstains(code, context).startswith(QUIET)


@pytest.mark.parametrize("code", ["KD301", "KD305"])
def test_nothing_was_compared(code: str) -> None:
    assert abstains(code, world(files=())).startswith("Skip: ")


def test_altered_files_when_nothing_was_compared() -> None:
    assert abstains("KD302", world(files=())).startswith("Skip: ")


def test_size_means_cut_only_when_smaller() -> None:
    assert is_cut(anomaly("a", "size", 10, 9))
    assert is_cut(anomaly("a", "zeros", 10, 10))
    assert not is_cut(anomaly("a", "size", 10, 11))
    assert not is_cut(anomaly("a", "missing"))
    assert not is_cut(anomaly("a", "size")._replace(recorded_size=None))
    assert not is_cut(anomaly("a", "size")._replace(size=None))


def test_a_bounded_list_is_scaled_up() -> None:
    listed = [anomaly("a"), anomaly("b"), anomaly("c", "size"), anomaly("d")]
    assert all_states(files(KERAS, *listed)) == {"missing": 3, "size": 1}
    assert all_states(files(KERAS, *listed, anomalies_total=8)) == {"missing": 6, "size": 2}
    assert all_states(files(KERAS)) == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("numpy/core/a.py", True),
        ("numpy/core/tests/a.py", False),
        ("numpy\\tests\\a.py", False),
        ("keras/src/model_test.py", False),
        ("keras/src/latest.py", True),
        ("contest/a.py", True),
        ("a/benchmarks/b.py", False),
    ],
)
def test_what_an_import_can_load(path: str, expected: bool) -> None:
    assert bool(loadable((anomaly(path),))) is expected


def test_unreadable_files_of_a_distribution_without_import_packages() -> None:
    bare = dist("nvidia-cublas", "12.0", imports=())
    context = checked(files(bare, anomaly("nvidia/lib/a.so", "unreadable")), beside=[bare])
    assert [f.culprit for f in judge("KD305", context)] == ["nvidia-cublas"]


@pytest.mark.parametrize("path", LOADED)
def test_what_only_looks_like_a_test_counts(path: str) -> None:
    (found,) = judge("KD301", keras(anomaly(path)))
    assert found.weight == "likely"
