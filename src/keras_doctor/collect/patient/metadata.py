"""Parsers of installed metadata: pure functions from text to plain values."""

from keras_doctor.collect.patient.files import to_text


def parse_headers(data):
    """The headers of METADATA or PKG-INFO that matter.

    Keys are compared in any case and folded lines are joined, as in the messages that the
    format descends from; the description after the first empty line is not looked at.

    Args:
        data: The file's bytes, or its beginning.

    Returns:
        dict: name, version, requires_python (text or None), requires (list of texts as written).
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    block = b"\n" + data.partition(b"\n\n")[0]
    small = block.lower()  # of bytes: the places stay the same
    found = {"requires": _header_values(block, small, b"\nrequires-dist:")}
    for key in ("name", "version", "requires-python"):
        values = _header_values(block, small, b"\n" + key.encode("ascii") + b":")
        found[key.replace("-", "_")] = values[0] if values else None
    return found


def _header_values(block, small, mark):
    values = []
    at = small.find(mark)
    while at >= 0:
        start = at + len(mark)
        end = block.find(b"\n", start)
        while end >= 0 and block[end + 1 : end + 2] in (b" ", b"\t"):
            end = block.find(b"\n", end + 1)
        if end < 0:
            end = len(block)
        value = to_text(block[start:end]).strip()
        values.append(" ".join(value.split("\n")) if "\n" in value else value)
        at = small.find(mark, end)
    return values


def parse_requires_txt(text):
    """The requirements of an egg-info's requires.txt, written as Requires-Dist lines.

    Sections name an extra, a marker or both: ``[test]``, ``[:python_version<"3"]``.
    """
    requires = []
    marker = ""
    for line in [line.strip() for line in text.splitlines()]:
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            extra, _, condition = line[1:-1].partition(":")
            parts = []
            if condition.strip():
                parts.append("(%s)" % condition.strip() if extra else condition.strip())
            if extra.strip():
                parts.append('extra == "%s"' % extra.strip())
            marker = " and ".join(parts)
        else:
            requires.append("%s; %s" % (line, marker) if marker else line)
    return requires


def required_name(requirement):
    """The normalised name that a Requires-Dist line asks for.

    None when only an extra asks for it. Other markers are left aside: the answer is a superset.
    """
    head, _, marker = requirement.partition(";")
    if marker and "extra" in marker and "==" in marker.partition("extra")[2]:
        return None
    end = 0
    head = head.strip()
    for character in head:
        if not (character.isalnum() or character in "-_."):
            break
        end += 1
    return normal(head[:end]) if end else None


def normal(name):
    """A distribution name for comparing: small letters, runs of ``-_.`` as one ``-``."""
    name = name.lower().replace("_", "-").replace(".", "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name


def folder_name_parts(folder):
    """(name, version) as the name of a metadata folder says; version "" when it does not."""
    stem = folder.rpartition(".")[0]
    name, _, rest = stem.partition("-")
    version = rest.partition("-py")[0] if folder.endswith((".egg-info", ".egg")) else rest
    return name, version


def top_levels(record):
    """The import names in the first parts of RECORD lines that can be loaded."""
    lines = record.split("\n")
    found = []
    for first in {line.partition("/")[0] for line in lines}:
        name = first
        if "," in first:  # a file of the location itself
            name, _, ending = first.partition(",")[0].partition(".")
            if ending != "py" and not ending.endswith(("so", "pyd")):
                continue
        elif not first.isidentifier() or first == "__pycache__" or not _has_code(lines, first):
            continue
        if name.isidentifier():
            found.append(name)
    return sorted(set(found))


def _has_code(lines, folder):
    """Whether a folder of a RECORD holds anything that can be loaded."""
    start = folder + "/"
    for line in lines:
        if line.startswith(start) and line.partition(",")[0].endswith((".py", ".so", ".pyd")):
            return True
    return False


def without_credentials(url):
    """An address with what stands before ``@`` in its host part masked."""
    scheme, found, rest = url.partition("://")
    if not found:
        return url
    host, slash, path = rest.partition("/")
    credentials, at, host_only = host.rpartition("@")
    if at and credentials != "git":
        host = "<credentials>@" + host_only
    return scheme + found + host + slash + path
