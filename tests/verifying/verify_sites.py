"""Small site-packages folders with RECORDs, made in a temporary folder."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

from report.report_samples import snapshot as sample

from keras_doctor.model import Distribution, Snapshot

LONG_AGO = 1_600_000_000


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def row(path: str, data: bytes) -> str:
    return f"{path},sha256={encoded(data)},{len(data)}"


class Site:
    """A location with distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.distributions: list[Distribution] = []

    def write(self, path: str, data: bytes) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def install(self, name: str, files: dict[str, bytes], *rows: str, **fields: Any) -> Path:
        """Writes files and a RECORD that knows them, and some rows more."""
        metadata = self.folder / f"{name}-1.0.dist-info"
        listed = [row(path, data) for path, data in files.items()]
        for path, data in files.items():
            self.write(path, data)
        record = f"{metadata.name}/RECORD"
        self.write(record, "\n".join([*listed, *rows, f"{record},,", ""]).encode())
        self.distributions.append(
            Distribution(
                name=name,
                version="1.0",
                location=str(self.folder),
                metadata=str(metadata),
                installer="pip",
                editable=False,
                origin_url=None,
                requires=(),
                requires_python=None,
                import_packages=(name,),
                tags=(),
                record="present",
            )._replace(**fields)
        )
        return metadata

    def age(self) -> None:
        """Sets modification times of long ago; the change time cannot be set."""
        for root, _, files in os.walk(self.folder):
            for name in files:
                os.utime(os.path.join(root, name), (LONG_AGO, LONG_AGO))

    def snapshot(self, **fields: Any) -> Snapshot:
        return sample(distributions=tuple(self.distributions), **fields)
