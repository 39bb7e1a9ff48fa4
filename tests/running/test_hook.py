"""The exception hook: a diagnosis after an import error of the Keras world, and only then."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> subprocess.CompletedProcess[str]:
    program = f"import keras_doctor; keras_doctor.install_excepthook()\n{code}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )


def test_an_import_error_is_explained_after_its_traceback() -> None:
    done = run("import keras")
    assert done.returncode == 1
    before, _, after = done.stderr.partition("No module named 'keras'")
    assert before.startswith("Traceback")
    assert "Keras is not installed in this Python" in after


@pytest.mark.parametrize("code", ["1 / 0", "import no_such_module_of_mine", "raise SystemExit(3)"])
def test_nothing_else_is(code: str) -> None:
    assert "eras" not in run(code).stderr.replace("keras_doctor", "")


def test_it_is_put_in_once_and_the_hook_before_it_is_kept() -> None:
    done = run(
        "import sys; before = sys.excepthook; keras_doctor.install_excepthook();"
        "print(sys.excepthook is before)"
    )
    assert done.stdout == "True\n"


def test_an_exception_is_explained_as_its_text_is() -> None:
    import keras_doctor

    try:
        import no_such_package_xyz  # type: ignore[import-not-found] # noqa: F401
    except ImportError as error:
        found = keras_doctor.explain(error)
    assert found.diagnosis.causes[0].cause == "not-installed"
    assert found.outcomes[0].chain[-1].name == "no_such_package_xyz"
