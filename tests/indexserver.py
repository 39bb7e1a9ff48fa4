"""A package index on this machine, made of what a test gives it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = "application/vnd.pypi.simple.v1+json"
Reply = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


class FakeIndex:
    """What the index serves, and what it was asked.

    `pages` holds a body or a function by path; functions may return a whole reply.
    """

    def __init__(self) -> None:
        self.url = ""
        self.pages: dict[str, bytes | Callable[[Mapping[str, str]], Reply]] = {}
        self.kinds: dict[str, str] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.delay = 0.0
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    def add(self, path: str, body: bytes, kind: str = "application/octet-stream") -> None:
        self.pages[path] = body
        self.kinds[path] = kind

    def add_project(
        self, name: str, files: list[dict[str, Any]], *, html: bool = False, **top: Any
    ) -> None:
        """A simple page; each file is a row of the JSON form."""
        if html:
            self.add(f"/simple/{name}/", html_page(files), "text/html; charset=utf-8")
        else:
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": files, **top}
            self.add(f"/simple/{name}/", json.dumps(page).encode(), JSON)

    def add_wheel(
        self, name: str, version: str, *requires: str, tag: str = "py3-none-any", **row: Any
    ) -> dict[str, Any]:
        """A wheel with its metadata beside it; returns its row."""
        filename = f"{name.replace('-', '_')}-{version}-{tag}.whl"
        self.add(f"/files/{filename}.metadata", metadata(name, version, *requires))
        return {
            "filename": filename,
            "url": f"/files/{filename}",
            "hashes": {},
            "core-metadata": True,
            "upload-time": "2024-03-01T10:00:00.5Z",
            **row,
        }


def metadata(name: str, version: str, *requires: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires]
    return ("\n".join(lines) + "\n\nRequires-Dist: not-a-header\n").encode()


def wheel(name: str, version: str, *requires: str, padding: int = 0) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as file:
        file.writestr(f"{name}/data.bin", hashlib.shake_128(b"x").digest(padding))
        file.writestr(f"{name}-{version}.dist-info/METADATA", metadata(name, version, *requires))
    return raw.getvalue()


def html_page(files: list[dict[str, Any]]) -> bytes:
    from html import escape

    links = []
    for row in files:
        given = f'href="{escape(row["url"])}#sha256=0"'
        if row.get("requires-python"):
            given += f' data-requires-python="{escape(row["requires-python"])}"'
        if row.get("yanked"):
            given += ' data-yanked="bad"'
        if row.get("core-metadata"):
            given += ' data-dist-info-metadata="sha256=0"'
        links.append(f"<a {given}>{escape(row['filename'])}</a><br>")
    head = '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0"></head>'
    return f"{head}<body>{''.join(links)}</body></html>".encode()


class Handler(BaseHTTPRequestHandler):
    """Answers for the index that its server holds."""

    protocol_version = "HTTP/1.1"
    index: FakeIndex

    def do_GET(self) -> None:
        index = self.index
        with index.lock:
            index.asked.append(self.path)
            index.headers.append({k.lower(): v for k, v in self.headers.items()})
            index.at_once += 1
            index.most_at_once = max(index.most_at_once, index.at_once)
        if index.delay:
            time.sleep(index.delay)
        # Before the answer: who has it may ask again at once.
        with index.lock:
            index.at_once -= 1
        try:
            self._answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self) -> None:
        page = self.index.pages.get(self.path)
        if page is None:
            self._send(404, {}, b"no such page")
        elif callable(page):
            self._send(*page({k.lower(): v for k, v in self.headers.items()}))
        else:
            self._send_body(page, self.index.kinds.get(self.path, "application/octet-stream"))

    def _send_body(self, body: bytes, kind: str) -> None:
        span = self.headers.get("Range", "").removeprefix("bytes=")
        if span:
            first, _, last = span.partition("-")
            start = int(first) if first else max(0, len(body) - int(last))
            end = min(int(last) + 1, len(body)) if first and last else len(body)
            shown = f"bytes {start}-{end - 1}/{len(body)}"
            self._send(206, {"Content-Type": kind, "Content-Range": shown}, body[start:end])
        elif "gzip" in self.headers.get("Accept-Encoding", ""):
            packed = {"Content-Type": kind, "Content-Encoding": "gzip"}
            self._send(200, packed, gzip.compress(body))
        else:
            self._send(200, {"Content-Type": kind}, body)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serve() -> Iterator[FakeIndex]:
    index = FakeIndex()
    handler = type("Bound", (Handler,), {"index": index})
    server = Server(("127.0.0.1", 0), handler)
    index.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
