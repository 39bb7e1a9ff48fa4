"""Who else may vouch for a file that is not what its own RECORD says.

Two distributions may ship the same file, and the one that was installed last has its own version
of it there. conda changes files when it builds a package (library paths) and when it installs one
(the prefix); what it left behind it writes into ``conda-meta``, while the RECORD inside is the one
that pip wrote at the build. Source: https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html
"""

from __future__ import annotations

import os

from keras_doctor.verify.record import MOST_BYTES, parse_record, to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_MOST_PACKAGES = 5000
_MOST_JSON = 1 << 28
"""Bytes of one conda record; that of a large package has some ten thousand files."""


def read_record(metadata: str) -> str | None:
    """The text of a RECORD, undecodable bytes as surrogates; None when it cannot be read."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(os.path.join(metadata, "RECORD"), flags)
        with open(handle, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        return None
    if len(data) > MOST_BYTES:
        return None
    return data.decode("utf-8", "surrogateescape")


def recorded_by_others(
    location: str, metadata: Iterable[str], paths: Iterable[str]
) -> dict[str, set[bytes]]:
    """The hashes that other RECORDs of the same location give for some files.

    Args:
        location: The location.
        metadata: The metadata folders of the other distributions.
        paths: Absolute paths of the files in question.
    """
    wanted = {os.path.relpath(path, location).replace(os.sep, "/"): path for path in paths}
    found: dict[str, set[bytes]] = {}
    for folder in metadata:
        text = read_record(folder)
        if text is None or not any(path.rpartition("/")[2] in text for path in wanted):
            continue
        record = parse_record(text)
        for relative, path in wanted.items():
            place, _, name = relative.rpartition("/")
            for recorded, digest, _size in record.folders.get(place, ()):
                if recorded == name:
                    found.setdefault(path, set()).add(to_bytes(digest))
    return found


def recorded_by_conda(prefix: str, paths: Collection[str]) -> dict[str, set[bytes]]:
    """The hashes that conda gives for some files of its environment.

    A file that conda owns without saying its hash has an empty set: nobody knows what it should
    be.

    Args:
        prefix: The environment's folder.
        paths: Absolute paths of the files in question.
    """
    wanted = {os.path.relpath(path, prefix).replace(os.sep, "/"): path for path in paths}
    found: dict[str, set[bytes]] = {}
    for name, digests in _conda_files(prefix, wanted.keys()):
        found.setdefault(wanted[name], set()).update(digests)
    return found


def _conda_files(prefix: str, wanted: Collection[str]) -> Iterator[tuple[str, set[bytes]]]:
    import json

    folder = os.path.join(prefix, "conda-meta")
    try:
        names = sorted(os.listdir(folder))[:_MOST_PACKAGES]
    except OSError:
        return
    for name in names:
        if not name.endswith(".json"):
            continue
        try:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read(_MOST_JSON)
            # Parsing all of them would take seconds.
            if not any(path.rpartition("/")[2].encode() in data for path in wanted):
                continue
            yield from _conda_record(json.loads(data), wanted)
        except (OSError, ValueError, RecursionError):
            continue


def _conda_record(record: object, wanted: Collection[str]) -> Iterator[tuple[str, set[bytes]]]:
    """What one record of conda-meta says about the wanted files."""
    if not isinstance(record, dict):
        return
    files = record.get("files")
    for path in files if isinstance(files, list) else ():
        if isinstance(path, str) and path in wanted:
            yield path, set()
    data = record.get("paths_data")
    rows = data.get("paths") if isinstance(data, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("_path"), str) and row["_path"] in wanted:
            yield row["_path"], _conda_digests(row)


def _conda_digests(row: dict[str, object]) -> set[bytes]:
    """The hash after the prefix was put in, else the one of the package; both are as shipped."""
    digests = set()
    for key in ("sha256_in_prefix", "sha256"):
        value = row.get(key)
        if isinstance(value, str) and len(value) == 64:
            try:
                digests.add(bytes.fromhex(value))
            except ValueError:
                continue
    # Without the hash afterwards, nobody knows what a file with the prefix in it should be.
    if row.get("prefix_placeholder") and not row.get("sha256_in_prefix"):
        return set()
    return digests
