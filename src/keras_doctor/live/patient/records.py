"""Progress records: JSON documents, framed, in a file of their own."""

import os

MAX_STRING = 16384


def encode(value):
    """Returns a value as JSON text, ASCII only.

    Args:
        value: None, bool, int, str, or lists, tuples and dicts of them; strings are cut at
            `MAX_STRING`, lone surrogates are kept as escapes.
    """
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, dict):
        pairs = [quote(str(key)) + ":" + encode(value[key]) for key in value]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([encode(item) for item in value]) + "]"
    return quote(value)


def quote(text):
    """Returns a string as a JSON string."""
    # A subclass of str may have methods of its own: leave them out of it.
    text = "".join(str.__iter__(text)) if type(text) is not str else text
    if len(text) > MAX_STRING:
        text = text[: MAX_STRING // 2] + " [...] " + text[-MAX_STRING // 2 :]
    parts = ['"']
    for letter in text:
        number = ord(letter)
        if letter in '"\\':
            parts.append("\\" + letter)
        elif 32 <= number < 127:
            parts.append(letter)
        elif number < 0x10000:
            parts.append("\\u%04x" % number)
        else:
            number -= 0x10000
            parts.append("\\u%04x\\u%04x" % (0xD800 + (number >> 10), 0xDC00 + (number & 0x3FF)))
    parts.append('"')
    return "".join(parts)


class Channel:
    """Appends records to a file: each a line with its length, then the document.

    A record is on its way when `send` returns, whatever becomes of this process. A child that
    an import forks inherits the channel; what it sends is left out.
    """

    def __init__(self, path):
        self.path = path
        self.owner = os.getpid()
        self.descriptor = self._open()

    def _open(self):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        return os.open(self.path, flags, 0o600)

    def send(self, kind, **fields):
        """Writes one record."""
        if os.getpid() != self.owner:
            return
        text = encode(dict(fields, record=kind))
        data = ("%d\n%s\n" % (len(text), text)).encode("ascii")
        try:
            os.write(self.descriptor, data)
        except OSError:
            # Somebody closed what was not theirs (daemons close every descriptor).
            try:
                self.descriptor = self._open()
                os.write(self.descriptor, data)
            except OSError:
                pass
