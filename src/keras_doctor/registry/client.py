"""One question to an index, one bounded answer.

At most four questions are under way at once, each has a time limit, and only a time-out is tried
again: whatever else an index says is its answer.
"""

from __future__ import annotations

import datetime as dt
import http.client
import ssl
import threading
import time
import urllib.error
import urllib.request
import zlib
from urllib.parse import urlsplit

from keras_doctor import __version__
from keras_doctor.records import NamedTuple
from keras_doctor.registry import RegistryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from keras_doctor.registry.address import Index

AT_ONCE = 4
TRIES = 3
_CHUNK = 65_536
_REFUSALS = (403, 404, 410, 451)
"""There is no such thing for us: an answer, and a final one."""
_REDIRECTS = 5


class Answer(NamedTuple):
    """What an index answered; `status` is 200, 206 or one of the refusals."""

    status: int
    content_type: str
    content_range: str
    asked: str
    """When, like ``2026-11-25T02:40:00Z``."""
    body: bytes

    @property
    def refused(self) -> bool:
        """Whether the index has no such thing for us."""
        return self.status in _REFUSALS


class Client:
    """Asks one index.

    Args:
        index: Which.
        silence: Seconds without a byte after which a try has timed out.
        limit: Seconds for one answer altogether.
        pause: Waits between two tries; replaced in tests.
    """

    def __init__(
        self,
        index: Index,
        *,
        silence: float = 20.0,
        limit: float = 120.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.index = index
        self.asked = 0
        """How many questions were sent."""
        self._silence, self._limit, self._pause = silence, limit, pause
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._opener = _opener(index)

    def get(
        self, url: str, *, largest: int, accept: str = "*/*", span: str | None = None
    ) -> Answer:
        """Ask for an address.

        Args:
            url: http or https.
            largest: Bytes that the answer may have, unpacked.
            accept: The wanted content types.
            span: A range of bytes, like ``0-99`` or ``-100``.

        Raises:
            RegistryError: There was no answer, or it is not to be used.
        """
        headers = {"Accept": accept, "User-Agent": f"keras-doctor/{__version__}"}
        if span:
            headers["Range"] = f"bytes={span}"
        else:
            headers["Accept-Encoding"] = "gzip"
        if self.index.authorization and _origin(url) == _origin(self.index.url):
            headers["Authorization"] = self.index.authorization
        check_address(url)
        for attempt in range(1, TRIES + 1):
            with self._places:
                try:
                    return self._ask(urllib.request.Request(url, headers=headers), largest)  # noqa: S310
                except TimeoutError:
                    pass
            if attempt < TRIES:
                self._pause(float(attempt))
        raise RegistryError(f"{_host(url)} did not answer in time, {TRIES} times")

    def _ask(self, request: urllib.request.Request, largest: int) -> Answer:
        self.asked += 1
        end = time.monotonic() + self._limit
        asked = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        host = _host(request.full_url)
        try:
            with self._opener.open(request, timeout=self._silence) as reply:
                body = _read(reply, reply.headers, largest, end, host)
                return Answer(
                    status=reply.status,
                    content_type=reply.headers.get("Content-Type", ""),
                    content_range=reply.headers.get("Content-Range", ""),
                    asked=asked,
                    body=body,
                )
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _REFUSALS:
                return Answer(error.code, "", "", asked, b"")
            if 300 <= error.code < 400:
                raise RegistryError(f"{host} leads in a circle or off the web") from None
            raise RegistryError(f"{host} answers with the status {error.code}") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise TimeoutError from None
            raise RegistryError(f"{host} cannot be reached: {_reason(error.reason)}") from None
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            raise RegistryError(f"{host} broke off its answer: {_reason(error)}") from None


def check_address(url: str) -> None:
    """Refuse an address that is not asked for on the web.

    Raises:
        RegistryError: It is a file's, or none at all.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise RegistryError("the index names an address that cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RegistryError(
            f"the index leads to an address that is not on the web ({parts.scheme[:20]}:)"
        )


def _read(
    reply: IO[bytes], headers: Mapping[str, str], largest: int, end: float, host: str
) -> bytes:
    """The body, unpacked, within its bounds."""
    packed = (headers.get("Content-Encoding") or "").lower()
    if packed not in ("", "identity", "gzip"):
        raise RegistryError(f"{host} packs its answer in a way that was not asked for")
    unpacker = zlib.decompressobj(wbits=31) if packed == "gzip" else None
    found = bytearray()
    while chunk := reply.read1(_CHUNK):  # type: ignore[attr-defined]
        if time.monotonic() > end:
            raise TimeoutError
        room = largest + 1 - len(found)
        found += chunk if unpacker is None else unpacker.decompress(chunk, room)
        if len(found) > largest:
            raise RegistryError(f"{host} answers with more than {largest:,} bytes")
    length = headers.get("Content-Length")
    if unpacker is not None and not unpacker.eof:
        raise RegistryError(f"{host} broke off its answer")
    if unpacker is None and length and length.isdecimal() and int(length) != len(found):
        raise RegistryError(f"{host} broke off its answer")
    return bytes(found)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows within the web, never from an encrypted address to an open one."""

    max_redirections = max_repeats = _REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        check_address(newurl)
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise RegistryError(f"{_host(req.full_url)} leads away from encryption")
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None and _origin(newurl) != _origin(req.full_url):
            new.remove_header("Authorization")
        return new


def _opener(index: Index) -> urllib.request.OpenerDirector:
    """An opener for http and https alone: none for files, FTP or data."""
    try:
        context = ssl.create_default_context(cafile=index.certificate)
    except OSError as error:
        raise RegistryError(f"the certificates of pip's `cert` cannot be read: {error}") from None
    proxies = {"http": index.proxy, "https": index.proxy} if index.proxy else None
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the index"


def _reason(error: object) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:200]
