"""The simple page of a project, in JSON or HTML.

Source: the simple repository API page of packaging.python.org (PEP 503, 592, 658, 691, 700, 714).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from keras_doctor.knowledge.releasefile import FIRST_DAY
from keras_doctor.registry import RegistryError
from keras_doctor.registry.listing import File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)
MOST_FILES = 400_000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|\Z)")
_LONGEST = 2_000


def parse_page(body: bytes, content_type: str, url: str) -> tuple[File, ...]:
    """The files that a page lists, in its order.

    Args:
        body: The page.
        content_type: As the index said.
        url: Where it was read; addresses in it may be relative.

    Raises:
        RegistryError: It is no simple page.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind.endswith("json"):
            files = _from_json(json.loads(body), url)
        elif kind.endswith("html"):
            files = _from_html(body.decode("utf-8", "replace"), url)
        else:
            raise RegistryError(f"the index answers with {kind[:60]!r} instead of a simple page")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RegistryError(
            f"the index answers with a page that is none ({type(error).__name__})"
        ) from None
    return tuple(files)


def day(text: Any) -> str | None:
    """The day of a time like ``2024-03-11T09:12:01.5Z``; None for anything else."""
    match = _DAY.match(text) if isinstance(text, str) else None
    if match is None or match[0] < FIRST_DAY:
        return None
    try:
        return dt.date.fromisoformat(match[0]).isoformat()
    except ValueError:
        return None


def _from_json(data: Any, url: str) -> list[File]:
    _check_version(data["meta"]["api-version"])
    if len(data["files"]) > MOST_FILES:
        raise RegistryError("the index lists more files than any project has")
    found = []
    for row in data["files"]:
        beside = row.get("core-metadata", row.get("dist-info-metadata", False))
        found.append(
            File(
                filename=_text(row["filename"]),
                url=urljoin(url, _text(row["url"])),
                requires_python=_text(row.get("requires-python") or "") or None,
                yanked=bool(row.get("yanked", False)) or row.get("yanked") == "",
                uploaded=day(row.get("upload-time")),
                has_metadata=bool(beside) or beside == {},
            )
        )
    return found


def _from_html(text: str, url: str) -> list[File]:
    page = _Page(url)
    page.feed(text)
    page.close()
    if not page.anything:
        raise RegistryError("the index answers with something that is no page")
    return page.files


class _Page(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.files: list[File] = []
        self.anything = False
        self._base = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.anything = True
        given = dict(attrs)
        if tag == "base" and given.get("href"):
            self._base = urljoin(self._base, given["href"] or "")
        elif tag == "meta" and given.get("name") == "pypi:repository-version":
            _check_version(given.get("content"))
        elif tag == "a" and given.get("href"):
            self._add(given)

    def _add(self, given: dict[str, str | None]) -> None:
        address = urljoin(self._base, _text(given["href"]))
        beside = {"data-core-metadata", "data-dist-info-metadata"} & given.keys()
        if len(self.files) >= MOST_FILES:
            raise RegistryError("the index lists more files than any project has")
        self.files.append(
            File(
                filename=unquote(urlsplit(address).path.rpartition("/")[2]),
                url=address.partition("#")[0],
                requires_python=_text(given.get("data-requires-python") or "") or None,
                yanked="data-yanked" in given,
                uploaded=None,
                has_metadata=any(given[key] != "false" for key in beside),
            )
        )


def _check_version(version: Any) -> None:
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        raise RegistryError(
            f"the index speaks the version {str(version)[:20]!r} of its language, not 1"
        )


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError
    return value
