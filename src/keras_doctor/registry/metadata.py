"""The requirements in a METADATA text, and the METADATA in a wheel that is read in parts.

Source: the core metadata and the binary distribution format pages of packaging.python.org.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from keras_doctor.registry import RegistryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.registry.answers import Answers

LARGEST = 4_000_000
"""Bytes of a METADATA text; it may hold a long description."""
MOST_LINES = 2_000
_LONGEST = 2_000
_TAIL = 65_536
_MOST_PARTS = 12
_LARGEST_PART = 8_000_000


class NoMetadataError(Exception):
    """The requirements of a file cannot be had; the message says why, as a clause."""


def parse_requires(raw: bytes) -> tuple[str, ...]:
    """The Requires-Dist lines, white space made single.

    Raises:
        NoMetadataError: The text is no metadata.
    """
    head = re.split(rb"\r?\n\r?\n", raw[:LARGEST], maxsplit=1)[0].decode("utf-8", "replace")
    lines = re.sub(r"\r?\n[ \t]+", " ", head).splitlines()
    if not any(line.lower().startswith("metadata-version:") for line in lines):
        raise NoMetadataError("its metadata cannot be read")
    found = [
        " ".join(line.partition(":")[2].split())
        for line in lines
        if line.lower().startswith("requires-dist:")
    ]
    return checked(found)


def checked(lines: list[str]) -> tuple[str, ...]:
    """Requirement lines within sane bounds.

    Raises:
        NoMetadataError: They are too many or too long.
    """
    if len(lines) > MOST_LINES or any(len(line) > _LONGEST for line in lines):
        raise NoMetadataError("its requirements are larger than any package's")
    return tuple(line for line in lines if line)


def from_wheel(answers: Answers, url: str) -> bytes:
    """The METADATA of a wheel, from the few parts of the file that hold it.

    Raises:
        NoMetadataError: The index serves no parts, or the file is no wheel.
        RegistryError: The index cannot be asked.
    """
    try:
        with zipfile.ZipFile(_Parts(answers, url)) as wheel:
            names = [n for n in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)]
            if len(names) != 1 or wheel.getinfo(names[0]).file_size > LARGEST:
                raise NoMetadataError("the wheel has no metadata that can be read")
            with wheel.open(names[0]) as file:
                return file.read(LARGEST)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, zlib.error, OSError):
        raise NoMetadataError("the file is no wheel") from None
    except RuntimeError:  # it wants a password
        raise NoMetadataError("the wheel has no metadata that can be read") from None


def remote_file(answers: Answers, url: str) -> io.RawIOBase:
    """A remote file to seek in and read, of which only what is read is fetched.

    Raises:
        NoMetadataError: The index serves no parts; reading raises it too.
        RegistryError: The index cannot be asked.
    """
    return _Parts(answers, url)


class _Parts(io.RawIOBase):
    """A remote file that is read in parts, each asked for once, its end first."""

    def __init__(self, answers: Answers, url: str) -> None:
        super().__init__()
        self._answers, self._url = answers, url
        self._asked = 0
        self._at = 0
        self._parts: dict[int, bytes] = {}
        self._size = 0
        self._size = self._fetch(f"-{_TAIL}")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        data = self._held(self._at, end)
        if data is None:
            if end - self._at > _LARGEST_PART:
                raise NoMetadataError("the wheel's list of files is too large")
            # zipfile reads small pieces one after the other: fetch some more at once.
            self._fetch(f"{self._at}-{max(end, min(self._at + _TAIL, self._size)) - 1}")
            data = self._held(self._at, end)
        if data is None:
            raise NoMetadataError("the index serves other parts than those asked for")
        self._at = end
        return data

    def _held(self, start: int, end: int) -> bytes | None:
        for place, part in self._parts.items():
            if place <= start and end <= place + len(part):
                return part[start - place : end - place]
        return None

    def _fetch(self, span: str) -> int:
        """Fetch a part; returns the size of the whole file."""
        self._asked += 1
        if self._asked > _MOST_PARTS:
            raise NoMetadataError("the wheel cannot be read in a few parts")
        try:
            answer = self._answers.get(self._url, largest=_LARGEST_PART, span=span)
        except RegistryError as error:
            if "more than" in str(error):  # the whole file instead of a part
                raise NoMetadataError("the index serves no parts of files") from None
            raise
        match = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", answer.content_range)
        if answer.refused:
            raise NoMetadataError(f"the index refuses it ({answer.status})")
        if answer.status == 200:
            self._parts[0] = answer.body
            return len(answer.body)
        if match is None or int(match[2]) - int(match[1]) + 1 != len(answer.body):
            raise NoMetadataError("the index serves no parts of files")
        self._parts[int(match[1])] = answer.body
        return int(match[3])
