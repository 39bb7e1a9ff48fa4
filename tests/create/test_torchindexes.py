"""Builds of torch for the processor on an index that was named, asked for real on this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from keras_doctor.create.torchindexes import small_torch_on_indexes

MACHINE = os.uname().machine if hasattr(os, "uname") else "x86_64"
PAGE = f"""<!DOCTYPE html><html><body>
<a href="/whl/torch-2.5.1%2Bcpu-cp311-cp311-linux_{MACHINE}.whl#sha256=00">one</a>
<a href="/whl/torch-2.6.0%2Bcpu-cp312-cp312-linux_{MACHINE}.whl">two</a>
<a href="/whl/torch-2.7.0%2Bcu126-cp311-cp311-linux_{MACHINE}.whl">large</a>
</body></html>"""


class Handler(BaseHTTPRequestHandler):
    """An index that has torch alone."""

    def do_GET(self) -> None:
        there = self.path == "/simple/torch/"
        body = PAGE.encode() if there else b""
        self.send_response(200 if there else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "name", ["PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"]
)
def test_what_a_named_index_has(index: str, name: str) -> None:
    environ = {"HOME": "/nonexistent", "PIP_CONFIG_FILE": os.devnull, name: f"{index}/simple"}
    found = small_torch_on_indexes(environ, {"3.11", "3.12", "3.13"})
    assert found == (("2.6.0+cpu", "3.12"), ("2.5.1+cpu", "3.11"))
    assert small_torch_on_indexes(environ, {"3.13"}) == ()


def test_an_index_without_torch_or_an_answer_has_none(index: str) -> None:
    environ = {"HOME": "/nonexistent", "PIP_CONFIG_FILE": os.devnull}
    assert small_torch_on_indexes(environ, {"3.11"}) == ()
    for address in (f"{index}/other", "http://127.0.0.1:9/simple", "file:///nowhere"):
        environ["UV_INDEX"] = f"mine={address} {index}/simple"
        assert small_torch_on_indexes(environ, {"3.11"}) == (("2.5.1+cpu", "3.11"),)
