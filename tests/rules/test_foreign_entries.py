"""KD203 and KD205: packages from a folder that somebody added win."""

from __future__ import annotations

import pytest

from keras_doctor.model import Change, Distribution, PathEntry, Start
from keras_doctor.rules.context import Context
from rules.factory import (
    HOME,
    JAX_STACK,
    PYTHON,
    QUIET,
    SITE,
    Case,
    abstains,
    assert_case,
    copy,
    dist,
    entry,
    judge,
    module,
    without,
    world,
)

OLD = "/old/lib/python3.6/site-packages"
MINE = "/home/ada/library"
USER = f"{HOME}/.local/lib/python3.12/site-packages"
JAX_VARIABLE = {"KERAS_BACKEND": "jax"}
PTH = f"{SITE}/extra.pth"


def added(path: PathEntry, *held: Distribution, **more: object) -> Context:
    """A world with one more entry of the path, and what lies there."""
    moved = tuple(
        d._replace(location=path.path, metadata=d.metadata.replace(SITE, path.path)) for d in held
    )
    variables = JAX_VARIABLE | ({"PYTHONPATH": path.path} if path.origin == "pythonpath" else {})
    return world(variables=variables, beside=moved, entries=[path], **more)  # type: ignore[arg-type]


KERAS_2 = dist("keras", "2.2.4")
NUMPY_1 = dist("numpy", "1.16.6")
PANDAS = dist("pandas", "1.0.0")
FOREIGN = [
    Case(
        "PYTHONPATH",
        added(entry(OLD, python="3.6"), KERAS_2, NUMPY_1),
        "PYTHONPATH",
        "likely",
        ("PYTHONPATH", "Python 3.6", "keras and numpy", "this is Python 3.12"),
        (("unset-env", "unset PYTHONPATH"),),
    ),
    Case(
        "a .pth file",
        added(entry(OLD, "pth", where=f"{PTH}:3", python="3.6"), NUMPY_1),
        PTH,
        "likely",
        (PTH, "Python 3.6", "numpy"),
        (("edit-config", f"{PTH}:3"),),
    ),
    Case(
        "a .pth file that inserts it twice",
        world(
            variables=JAX_VARIABLE,
            beside=[NUMPY_1._replace(location=OLD)],
            entries=[entry(OLD, "pth", where=f"{PTH}:3", python="3.6")] * 2,
        ),
        PTH,
        "likely",
        (PTH, "Python 3.6", "numpy"),
        (("edit-config", f"{PTH}:3"),),
    ),
    Case(
        "the wrong user site",
        added(entry(OLD, "user-site", python="3.6"), NUMPY_1),
        OLD,
        "likely",
        (OLD, "Python 3.6"),
        (("set-env", "export PYTHONNOUSERSITE=1"),),
    ),
    Case(
        "many packages",
        added(
            entry(OLD, python="3.6"),
            *(NUMPY_1, dist("h5py", "2.10"), dist("rich", "9"), dist("scipy", "1.4")),
            dist("namex", "0.0.1"),
        ),
        "PYTHONPATH",
        "likely",
        ("h5py, namex, numpy and rich …",),
        (("unset-env", "unset PYTHONPATH"),),
    ),
]


@pytest.mark.parametrize("case", FOREIGN, ids=lambda case: case.id)
def test_foreign(case: Case) -> None:
    found = assert_case("KD205", "foreign-path", case)
    no_user_site = Change(kind="set-variable", name="PYTHONNOUSERSITE", value="1")
    dropped = Change(kind="drop-path-entry", name=OLD, value=None)
    expected = no_user_site if "NOUSERSITE" in str(case.fixes) else dropped
    assert found.changes == (expected,)
    assert abstains("KD203", case.context).startswith(QUIET)


def test_pythonhome() -> None:
    start = Start(
        mode="isolated",
        failure="Fatal Python error: init\nModuleNotFoundError: No module named 'encodings'",
        exit_code=1,
    )
    case = Case(
        "PYTHONHOME",
        world(variables={"PYTHONHOME": "/old"}, start=start),
        "PYTHONHOME",
        "fatal",
        ("PYTHONHOME=/old",),
        (("unset-env", "unset PYTHONHOME"),),
        ("python",),
    )
    found = assert_case("KD205", "foreign-path", case)
    assert found.changes == (Change(kind="unset-variable", name="PYTHONHOME", value=None),)
    assert "No module named 'encodings'" in found.evidence[1].text


DOUBLED = [
    Case(
        "PYTHONPATH",
        added(entry(MINE), KERAS_2),
        "PYTHONPATH",
        "risk",
        ("PYTHONPATH", "keras"),
        (("unset-env", "unset PYTHONPATH"),),
    ),
    Case(
        "the user site, of the same Python",
        added(entry(USER, "user-site", python="3.12"), KERAS_2),
        USER,
        "risk",
        ("keras",),
        (("set-env", "export PYTHONNOUSERSITE=1"),),
    ),
    Case(
        "a .pth file",
        added(entry(MINE, "pth", where=f"{PTH}:1"), NUMPY_1),
        PTH,
        "risk",
        (PTH, "numpy"),
        (("edit-config", f"{PTH}:1"),),
    ),
]


@pytest.mark.parametrize("case", DOUBLED, ids=lambda case: case.id)
def test_doubled(case: Case) -> None:
    found = assert_case("KD203", "multiple-installations", case)
    assert len(found.changes) == 1
    assert any("is taken from there, hides" in e.text for e in found.evidence)
    assert abstains("KD205", case.context).startswith(QUIET)


def test_the_other_entries_of_pythonpath_stay() -> None:
    moved = KERAS_2._replace(location=MINE)
    entries = [entry("/first"), entry(MINE), entry("/last")]
    (found,) = judge("KD203", world(beside=[moved], entries=entries))
    assert found.fixes[0].command == "export PYTHONPATH=/first:/last"


def test_both_versions_are_shown() -> None:
    (found,) = judge("KD203", added(entry(MINE), KERAS_2))
    assert found.evidence[0].text == f"{MINE} is on the path"
    assert found.evidence[1].text == "keras 2.2.4 is taken from there, hides keras 3.8.0"


NOTHING: dict[str, Context] = {
    "nothing was added": world(variables=JAX_VARIABLE),
    "a folder with the user's own modules": world(entries=[entry(MINE)]),
    "a folder that is gone": world(entries=[entry("/gone")._replace(kind="missing")]),
    "a package that nobody needs": added(entry(MINE), PANDAS),
    "a package that nobody needs, of another Python": added(entry(OLD, python="3.6"), PANDAS),
    "the copy of the environment wins": world(
        variables=JAX_VARIABLE,
        entries=[entry(USER, "user-site", python="3.12")],
        modules=[module("keras", copy("keras"), copy("keras", USER))],
        beside=[KERAS_2._replace(location=USER)],
    ),
    "an empty folder of another Python": world(entries=[entry(OLD, python="3.6")]),
    "PYTHONHOME, and Python starts": world(variables={"PYTHONHOME": "/usr"}),
    "PYTHONHOME is empty": world(
        variables={"PYTHONHOME": ""}, start=Start(mode="isolated", failure="x", exit_code=1)
    ),
    "Python does not start for another reason": world(
        start=Start(mode="isolated", failure="x", exit_code=1)
    ),
    "the site-packages of a base": world(
        entries=[entry("/usr/lib/python3.11/dist-packages", "site-packages", python="3.11")],
        beside=[KERAS_2._replace(location="/usr/lib/python3.11/dist-packages")],
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
@pytest.mark.parametrize("code", ["KD203", "KD205"])
def test_nothing(code: str, context: Context) -> None:
    assert abstains(code, context).startswith(QUIET)


ONLY_THERE = {
    "the one copy there is": world(
        without(JAX_STACK, "keras"),
        variables=JAX_VARIABLE,
        beside=[dist("keras", "3.8.0", site=MINE)],
        entries=[entry(MINE)],
    ),
    "an editable install": world(
        without(JAX_STACK, "keras"),
        variables=JAX_VARIABLE,
        beside=[dist("keras", "3.8.0", site=MINE, editable=True)],
        entries=[entry(MINE, "editable", where=f"{SITE}/__editable__.keras.pth:1")],
    ),
    "beside a namespace": world(
        variables=JAX_VARIABLE,
        beside=[KERAS_2._replace(location=MINE)],
        entries=[entry(MINE)],
        modules=[module("keras", copy("keras", MINE), copy("keras", SITE, "namespace"))],
    ),
}


@pytest.mark.parametrize("context", ONLY_THERE.values(), ids=ONLY_THERE.keys())
def test_one_copy_is_not_two(context: Context) -> None:
    assert abstains("KD203", context).startswith(QUIET)


def test_one_copy_of_another_python_is_foreign() -> None:
    context = world(
        without(JAX_STACK, "keras"),
        beside=[dist("keras", "2.2.4", site=OLD)],
        entries=[entry(OLD, python="3.6")],
    )
    (found,) = judge("KD205", context)
    assert "hides" not in found.evidence[1].text
    assert PYTHON not in found.title


def test_pythonpath_of_windows() -> None:
    entries = [entry("C:\\first"), entry(MINE), entry("C:\\last")]
    context = world(beside=[KERAS_2._replace(location=MINE)], entries=entries, platform="win32")
    (found,) = judge("KD203", context)
    assert found.fixes[0].value == "C:\\first;C:\\last"


def test_removing_removes() -> None:
    (found,) = judge("KD203", added(entry(MINE, "other"), KERAS_2))
    assert found.fixes[0].argv is None or found.fixes[0].argv[0] != "ls"
