"""The document: JSON in pure ASCII between two marker lines."""

import os
import sys


def write_json(value, parts, quote):
    """Append the JSON text of plain values to ``parts``.

    The json package is not imported: that takes as long as the whole scan.
    """
    if isinstance(value, str):
        parts.append(quote(value))
    elif value is None:
        parts.append("null")
    elif value is True:
        parts.append("true")
    elif value is False:
        parts.append("false")
    elif isinstance(value, (int, float)):
        parts.append(repr(value))
    elif isinstance(value, dict):
        separator = "{"
        for key in value:
            parts.append(separator + quote(key) + ":")
            write_json(value[key], parts, quote)
            separator = ","
        parts.append("}" if value else "{}")
    else:
        separator = "["
        for item in value:
            parts.append(separator)
            write_json(item, parts, quote)
            separator = ","
        parts.append("]" if separator == "," else "[]")


def to_json(value):
    """The JSON text of plain values; undecodable bytes stay as escaped surrogates."""
    try:
        from _json import encode_basestring_ascii as quote
        from _json import make_encoder
    except ImportError:
        from json.encoder import py_encode_basestring_ascii as quote

        make_encoder = None
    # As the json package calls it; another Python's may take other arguments.
    arguments = (None, None, quote, None, ":", ",", False, False, True)
    parts = []
    try:
        parts = make_encoder(*arguments)(value, 0)
    except TypeError:
        write_json(value, parts, quote)
    return "".join(parts)


def emit(document, marker):
    """Write the framed document past Python's own buffers and encodings, and end."""
    try:
        sys.stdout.flush()
    except Exception:
        pass  # replaced or closed by start-up code: the marker tells the document apart
    data = ("\n%s\n%s\n%s\n" % (marker, to_json(document), marker)).encode("ascii")
    while data:
        data = data[os.write(1, data) :]
    # Nothing that start-up code has registered for the end runs after a look.
    os._exit(0)
