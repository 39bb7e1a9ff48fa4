"""The client against an index that is slow, wrong, hostile or gone."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from indexserver import FakeIndex, Reply

from keras_doctor.registry import RegistryError
from keras_doctor.registry.address import Index, index_from
from keras_doctor.registry.answers import Answers
from keras_doctor.registry.client import AT_ONCE, Client


def get(client: Client, path: str, largest: int = 1000) -> bytes:
    origin = client.index.url.removesuffix("/simple")
    return client.get(origin + path, largest=largest).body


def test_an_answer(index: FakeIndex, client: Client) -> None:
    index.add("/a", b"hello", "text/plain")
    answer = client.get(index.url + "/a", largest=5)
    assert (answer.status, answer.body, answer.content_type) == (200, b"hello", "text/plain")
    assert answer.asked.endswith("Z")


@pytest.mark.parametrize("status", [403, 404, 410, 451])
def test_a_refusal_is_an_answer_and_final(index: FakeIndex, client: Client, status: int) -> None:
    index.pages["/a"] = lambda _: (status, {}, b"no")
    assert client.get(index.url + "/a", largest=9).refused
    assert index.asked == ["/a"]


@pytest.mark.parametrize("status", [400, 401, 418, 429, 500, 503])
def test_other_statuses_are_told_at_once(index: FakeIndex, client: Client, status: int) -> None:
    index.pages["/a"] = lambda _: (status, {}, b"no")
    with pytest.raises(RegistryError, match=f"status {status}"):
        get(client, "/a")
    assert index.asked == ["/a"]


def test_only_time_outs_are_tried_again(index: FakeIndex, client: Client) -> None:
    def slow_at_first(_: Mapping[str, str]) -> Reply:
        if len(index.asked) < 3:
            time.sleep(1.0)
        return 200, {}, b"at last"

    index.pages["/a"] = slow_at_first
    assert get(client, "/a") == b"at last"
    assert index.asked == ["/a"] * 3


def test_never_in_time(index: FakeIndex, client: Client) -> None:
    def slow(_: Mapping[str, str]) -> Reply:
        time.sleep(0.8)
        return 200, {}, b""

    index.pages["/a"] = slow
    with pytest.raises(RegistryError, match="did not answer in time, 3 times"):
        get(client, "/a")


def test_a_body_that_drips(index: FakeIndex) -> None:
    """Each byte comes in time, the whole does not."""
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        for _ in range(3):
            connection, _address = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
                try:
                    for _ in range(40):
                        connection.sendall(b"x")
                        time.sleep(0.05)
                except OSError:
                    pass

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    client = Client(index_from(url + "/simple"), silence=0.5, limit=0.3, pause=lambda _: None)
    with pytest.raises(RegistryError, match="in time"):
        client.get(url + "/a", largest=1000)
    thread.join()
    listener.close()


def test_nobody_listens(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(RegistryError, match="cannot be reached"):
        client.get(f"http://127.0.0.1:{port}/", largest=9)


def test_four_at_once(index: FakeIndex, client: Client) -> None:
    index.delay = 0.05
    for number in range(20):
        index.add(f"/{number}", b"x")
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: get(client, f"/{n}"), range(20)))
    assert index.most_at_once == AT_ONCE == 4
    assert client.asked == 20


@pytest.mark.parametrize("packed", [False, True])
def test_too_large(index: FakeIndex, client: Client, packed: bool) -> None:
    body = b"0" * 100_000
    headers = {"Content-Encoding": "gzip"} if packed else {}
    index.pages["/a"] = lambda _: (200, headers, gzip.compress(body) if packed else body)
    with pytest.raises(RegistryError, match="more than 99,999 bytes"):
        get(client, "/a", 99_999)
    assert get(client, "/a", 100_000) == body


def test_a_bomb_is_not_unpacked(index: FakeIndex, client: Client) -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 50_000_000))
    index.pages["/a"] = lambda _: (200, {"Content-Encoding": "gzip"}, bomb)
    raw = get(client, "/a", 200_000)
    assert len(raw) < 200_000  # the inner layer is not touched
    index.pages["/a"] = lambda _: (200, {"Content-Encoding": "gzip"}, raw)
    with pytest.raises(RegistryError, match="more than"):
        get(client, "/a", 200_000)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Encoding": "gzip"}, b"not gzip"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 1000)[:20]),
        ({"Content-Encoding": "br"}, b"x"),
        ({"Content-Length": "50"}, b"short"),
    ],
)
def test_broken_bodies(
    index: FakeIndex, client: Client, headers: dict[str, str], body: bytes
) -> None:
    index.pages["/a"] = lambda _: (200, {**headers, "Connection": "close"}, body)
    with pytest.raises(RegistryError):
        get(client, "/a")


def redirect(to: str) -> Reply:
    return 302, {"Location": to}, b""


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "gopher://x", "http://"]
)
def test_redirects_leave_the_web_never(index: FakeIndex, client: Client, to: str) -> None:
    index.pages["/a"] = lambda _: redirect(to)
    with pytest.raises(RegistryError):
        get(client, "/a")


def test_redirects(index: FakeIndex, client: Client) -> None:
    index.pages["/a"] = lambda _: redirect("/b")
    index.add("/b", b"there")
    assert get(client, "/a") == b"there"
    index.pages["/c"] = lambda _: redirect("/c")
    with pytest.raises(RegistryError):
        get(client, "/c")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "x", "", "http://[", "//h/x"])
def test_addresses_that_are_never_asked(client: Client, url: str) -> None:
    with pytest.raises(RegistryError):
        client.get(url, largest=9)
    assert client.asked == 0


def test_credentials_go_to_the_index_alone(index: FakeIndex) -> None:
    where = index_from(index.url.replace("http://", "http://me:s%40cret@") + "/simple")
    assert "cret" not in where.url
    client = Client(where, silence=0.5)
    index.add("/a", b"x")
    other = index.url.replace("127.0.0.1", "localhost")
    index.pages["/b"] = lambda _: redirect(other + "/a")
    for path in ("/a", "/b"):
        client.get(index.url + path, largest=9)
    client.get(other + "/a", largest=9)
    sent = [headers.get("authorization") for headers in index.headers]
    assert sent == ["Basic bWU6c0BjcmV0", "Basic bWU6c0BjcmV0", None, None]


def test_answers_are_asked_for_once(index: FakeIndex, client: Client, tmp_path: object) -> None:
    folder = str(tmp_path)
    index.add("/a", b"hello")
    for _ in range(2):
        answers = Answers(client, folder)
        assert answers.get(index.url + "/a", largest=9).body == b"hello"
        assert answers.get(index.url + "/none", largest=9).refused
        assert answers.get(index.url + "/a", largest=9, span="1-2").body == b"el"
    assert index.asked == ["/a", "/none", "/a"]


def test_an_answer_cut_off_on_disk_is_asked_for_again(
    index: FakeIndex, client: Client, tmp_path: object
) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    index.add("/a", b"hello" * 20)
    first = Answers(client, str(folder)).get(index.url + "/a", largest=900)
    (path,) = folder.iterdir()
    raw = path.read_bytes()
    for end in range(0, len(raw), 3):
        path.write_bytes(raw[:end])
        assert Answers(client, str(folder)).get(index.url + "/a", largest=900).body == first.body


def test_a_certificate_file_that_is_missing() -> None:
    with pytest.raises(RegistryError, match="certificates"):
        Client(Index(url="http://127.0.0.1/simple", certificate="/nonexistent.pem"))
