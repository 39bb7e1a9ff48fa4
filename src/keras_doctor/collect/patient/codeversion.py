"""The version that the code itself states, as a literal."""

import os

from keras_doctor.collect.patient.files import read_text

# src/version.py: where Keras keeps it.
_PLACES = ("version.py", "_version.py", "__init__.py", "src/version.py")
# numpy and scipy write version or full_version, jax _version; in this order of trust.
_TRUSTED = ("__version__", "full_version", "version", "_version", "short_version", "version_json")
_MOST = 1 << 16


def find_code_version(location, import_packages):
    """(version, ``path:line``) from the first import package that states one, else (None, None)."""
    for name in import_packages:
        package = os.path.join(location, *name.split("."))
        for place in _PLACES:
            path = os.path.join(package, *place.split("/"))
            text = read_text(path, _MOST)
            if text and "version" in text:
                version, line = parse_code_version(text)
                if version:
                    return version, "%s:%d" % (path, line)
    return None, None


def parse_code_version(text):
    """(version, line) as the best-named literal says, or (None, 0)."""
    best = (len(_TRUSTED), None, 0)
    at = text.find("version")
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        if end < 0:
            end = len(text)
        names, value = _assignment(text[start:end])
        for name in names:
            if value and name in _TRUSTED and _TRUSTED.index(name) < best[0]:
                best = (_TRUSTED.index(name), value, start)
        at = text.find("version", end)
    return best[1], text.count("\n", 0, best[2]) + 1 if best[1] else 0


def _assignment(line):
    """([names], literal) of ``a: str = b = "1.0"`` or of versioneer's ``"version": "1.0"``."""
    tidy = line.strip()
    if tidy.startswith('"version":'):
        return ["version_json"], _literal(tidy.partition(":")[2])
    if line[:1] in (" ", "\t", "#") or "=" not in line:
        return [], None
    parts = line.split("=")
    return [part.partition(":")[0].strip() for part in parts[:-1]], _literal(parts[-1])


def _literal(text):
    """The content of a quoted text that looks like a version, else None."""
    text = text.strip()
    quote = text[:1]
    if quote not in ('"', "'") or text.startswith(quote * 3):
        return None
    value, closed, _ = text[1:].partition(quote)
    return value if closed and value[:1].isdigit() and len(value) < 100 else None
