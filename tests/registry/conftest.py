from __future__ import annotations

from collections.abc import Iterator

import pytest
from indexserver import FakeIndex, serve

from keras_doctor.registry.address import index_from
from keras_doctor.registry.answers import Answers
from keras_doctor.registry.client import Client


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as running:
        yield running


@pytest.fixture
def client(index: FakeIndex) -> Client:
    where = index_from(index.url + "/simple")
    return Client(where, silence=0.5, limit=2.0, pause=lambda _: None)


@pytest.fixture
def answers(client: Client) -> Answers:
    return Answers(client)
