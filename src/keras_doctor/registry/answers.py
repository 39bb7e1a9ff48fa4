"""Answers kept on disk, so that a run that was killed goes on where it stopped.

Each question is asked once: a refusal is kept like any answer. Without a folder nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib

from keras_doctor.registry.client import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.registry.client import Client

_LARGEST = 64_000_000


class Answers:
    """What a client was answered, now or in an earlier run.

    Args:
        client: Who asks what is not known.
        folder: Where answers are kept, or None.
    """

    def __init__(self, client: Client, folder: str | None = None) -> None:
        self.client = client
        self._folder = folder
        if folder:
            os.makedirs(folder, exist_ok=True)

    def get(
        self, url: str, *, largest: int, accept: str = "*/*", span: str | None = None
    ) -> Answer:
        """See :meth:`Client.get`."""
        if not self._folder:
            return self.client.get(url, largest=largest, accept=accept, span=span)
        question = json.dumps([url, accept, span])
        name = hashlib.sha256(question.encode("utf-8", "surrogateescape")).hexdigest()
        path = os.path.join(self._folder, name)
        known = _load(path)
        if known is None:
            known = self.client.get(url, largest=largest, accept=accept, span=span)
            _store(path, known)
        return known


def _load(path: str) -> Answer | None:
    """The answer in a file; None when there is none or it was not written to its end."""
    try:
        with open(path, "rb") as file:
            head, packed = json.loads(file.readline()), file.read()
        unpacker = zlib.decompressobj()
        body = unpacker.decompress(packed, _LARGEST)
        if not unpacker.eof:
            return None
        return Answer._make([*head, body])
    except (OSError, ValueError, TypeError, zlib.error):
        return None


def _store(path: str, answer: Answer) -> None:
    beside = f"{path}.{os.getpid()}.tmp"
    with open(beside, "wb") as file:
        file.write(json.dumps(answer[:-1]).encode("ascii") + b"\n" + zlib.compress(answer.body))
    os.replace(beside, path)
