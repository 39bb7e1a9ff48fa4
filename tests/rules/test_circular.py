"""KD604: modules that import each other."""

from __future__ import annotations

from keras_doctor.diagnosis import diagnose
from keras_doctor.model import Frame, Outcome
from keras_doctor.rules.context import Context
from rules.factory import PROJECT, SITE, failed, judge, raised, world

MESSAGE = (
    "cannot import name '{name}' from partially initialized module '{module}' (most likely due to "
    "a circular import) ({path})"
)


def line(path: str, number: int, text: str) -> Frame:
    return Frame(file=path, line=number, function="<module>", text=text)


def halfway(module: str, path: str, *frames: Frame) -> Context:
    text = MESSAGE.format(name="build", module=module, path=path)
    outcome: Outcome = failed(raised("ImportError", text)._replace(frames=frames))
    return world(variables={"KERAS_BACKEND": "jax"}, outcomes=(outcome._replace(output=text),))


TRAIN, MODEL = f"{PROJECT}/train.py", f"{PROJECT}/model.py"
BETWEEN = halfway(
    "model",
    MODEL,
    line(TRAIN, 3, "from model import build"),
    line(MODEL, 2, "from train import UNITS"),
    line(TRAIN, 3, "from model import build"),
)


def test_two_files_of_the_user() -> None:
    (found,) = judge("KD604", BETWEEN)
    assert (found.culprit, found.title) == ("model.py", "model.py and train.py import each other")
    assert [(fix.kind, fix.name) for fix in found.fixes] == [("edit-code", f"{MODEL}:2")]
    assert [one.where for one in found.evidence[:2]] == [f"{MODEL}:2", f"{TRAIN}:3"]
    assert [(c.cause, c.confidence) for c in diagnose(BETWEEN).causes] == [
        ("circular-import", "certain")
    ]


def test_a_package_is_read_by_its_folder() -> None:
    package = f"{PROJECT}/model/__init__.py"
    context = halfway(
        "model",
        package,
        line(package, 1, "from model.part import a"),
        line(f"{PROJECT}/model/part.py", 1, "from model import build"),
    )
    (found,) = judge("KD604", context)
    assert found.title == "model/__init__.py and model/part.py import each other"


def test_a_file_that_imports_itself_is_no_cycle() -> None:
    context = halfway("jax", f"{PROJECT}/jax.py", line(f"{PROJECT}/jax.py", 1, "import jax"))
    (found,) = judge("KD604", context)
    assert found.title == "jax is asked for a name while it is still being loaded"


def test_an_installed_package_is_not_the_users() -> None:
    path = f"{SITE}/keras/a.py"
    (found,) = judge("KD604", halfway("keras.a", path, line(path, 1, "from keras import b")))
    assert found.fixes == ()
