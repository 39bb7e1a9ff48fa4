"""The first value of a MessagePack text, as far as metadata needs it.

Source: the MessagePack specification.
"""

from __future__ import annotations

import struct

Value = None | bool | int | str | list["Value"]
_LENGTHS = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I", 0xDC: ">H", 0xDD: ">I"}


def first_value(raw: bytes) -> Value:
    """Read one value and leave the rest.

    Raises:
        ValueError: It is of a kind that metadata does not hold.
    """
    return _read(raw, 0)[0]


def _read(raw: bytes, at: int) -> tuple[Value, int]:
    kind = raw[at]
    at += 1
    if kind < 0x80:
        return kind, at
    if kind in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[kind], at
    if 0x90 <= kind <= 0x9F:
        return _list(raw, at, kind & 0xF)
    if 0xA0 <= kind <= 0xBF:
        return _string(raw, at, kind & 0x1F)
    if kind not in _LENGTHS:
        raise ValueError(f"byte {kind:#x} begins no text, list, number or constant")
    length = struct.unpack_from(_LENGTHS[kind], raw, at)[0]
    at += struct.calcsize(_LENGTHS[kind])
    return _list(raw, at, length) if kind >= 0xDC else _string(raw, at, length)


def _string(raw: bytes, at: int, length: int) -> tuple[str, int]:
    return raw[at : at + length].decode("utf-8"), at + length


def _list(raw: bytes, at: int, length: int) -> tuple[list[Value], int]:
    values: list[Value] = []
    for _ in range(length):
        value, at = _read(raw, at)
        values.append(value)
    return values, at
