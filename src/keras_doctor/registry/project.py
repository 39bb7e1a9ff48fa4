"""A project on an index: its files, when they came, and what they require."""

from __future__ import annotations

import json

from keras_doctor.registry import RegistryError
from keras_doctor.registry.client import check_address
from keras_doctor.registry.listing import File, Listing
from keras_doctor.registry.metadata import (
    LARGEST,
    NoMetadataError,
    checked,
    from_wheel,
    parse_requires,
)
from keras_doctor.registry.pages import ACCEPT, day, parse_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from keras_doctor.registry.answers import Answers

LARGEST_PAGE = 48_000_000
"""Bytes: a nightly package lists tens of thousands of files."""


def read_listing(answers: Answers, name: str) -> Listing | None:
    """The files of a project; None when the index refuses it.

    Args:
        answers: Who asks.
        name: The project, normalised.

    Raises:
        RegistryError: The index cannot be asked, or answers with something else.
    """
    url = f"{answers.client.index.url}/{name}/"
    answer = answers.get(url, largest=LARGEST_PAGE, accept=ACCEPT)
    if answer.refused:
        return None
    files = parse_page(answer.body, answer.content_type, url)
    if any(file.uploaded is None for file in files):
        days = _upload_days(answers, name)
        files = tuple(
            file if file.uploaded else file._replace(uploaded=days.get(file.filename))
            for file in files
        )
    return Listing(name=name, read=answer.asked, files=files)


def read_requires(answers: Answers, name: str, version: str, file: File) -> tuple[str, ...]:
    """What a file requires: from the metadata beside it, else from the wheel, else the JSON.

    Raises:
        NoMetadataError: It cannot be had, and why.
        RegistryError: The index cannot be asked.
    """
    wheel = file.filename.endswith(".whl")
    check_address(file.url)
    if file.has_metadata:
        answer = answers.get(file.url + ".metadata", largest=LARGEST)
        if not answer.refused:
            return parse_requires(answer.body)
    if wheel:
        return parse_requires(from_wheel(answers, file.url))
    return _from_json(answers, name, version)


def _json(answers: Answers, path: str) -> Any:
    """The project JSON, which lies beside the simple pages; None when the index has none."""
    base, _, last = answers.client.index.url.rpartition("/")
    if last != "simple":
        return None
    answer = answers.get(f"{base}/pypi/{path}/json", largest=LARGEST_PAGE)
    if answer.refused:
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _upload_days(answers: Answers, name: str) -> dict[str, str]:
    data = _json(answers, name)
    try:
        return {
            row["filename"]: found
            for rows in data["releases"].values()
            for row in rows
            if (found := day(row.get("upload_time_iso_8601") or row.get("upload_time")))
        }
    except (KeyError, TypeError, AttributeError):
        return {}


def _from_json(answers: Answers, name: str, version: str) -> tuple[str, ...]:
    data = _json(answers, f"{name}/{version}")
    try:
        lines = data["info"]["requires_dist"]
    except (KeyError, TypeError):
        lines = None
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise NoMetadataError("the index knows no requirements of its sdist")
    return checked([" ".join(line.split()) for line in lines])


__all__ = ["LARGEST_PAGE", "NoMetadataError", "RegistryError", "read_listing", "read_requires"]
