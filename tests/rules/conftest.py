"""What most tests of rules leave to a test of its own."""

from __future__ import annotations

import pytest

from keras_doctor.knowledge.selection import backends
from keras_doctor.rules.compatibility import fitting


@pytest.fixture(autouse=True)
def _bare_names_of_backends(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which release of a backend is offered hangs on data that grows: see test_fitting."""
    if not request.module.__name__.endswith("test_fitting"):
        monkeypatch.setattr(
            fitting, "backend_requirement", lambda _context, name: backends()[name].distributions[0]
        )
