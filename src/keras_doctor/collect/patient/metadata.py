"""Parsers of installed metadata: pure functions from text to plain values."""


def parse_headers(text):
    """The headers of METADATA or PKG-INFO that matter.

    Keys are compared in any case and folded lines are joined, as in the messages that the
    format descends from; the description after the first empty line is not looked at.

    Returns:
        dict: name, version, requires_python (text or None), requires (list of texts as written).
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    found = {"name": None, "version": None, "requires_python": None, "requires": []}
    key = None
    for line in text.partition("\n\n")[0].split("\n"):
        if line[:1] in (" ", "\t"):
            if key == "requires-dist" and found["requires"]:
                found["requires"][-1] += " " + line.strip()
            continue
        if line[:1] not in "NnVvRr":
            key = None
            continue
        key, colon, value = line.partition(":")
        key = key.lower()
        if key == "requires-dist" and colon:
            found["requires"].append(value.strip())
        elif key in ("name", "version", "requires-python") and colon:
            key = key.replace("-", "_")
            if found[key] is None:
                found[key] = value.strip()
    return found


def parse_requires_txt(text):
    """The requirements of an egg-info's requires.txt, written as Requires-Dist lines.

    Sections name an extra, a marker or both: ``[test]``, ``[:python_version<"3"]``.
    """
    requires = []
    marker = ""
    for line in text.splitlines():
        line = line.strip()
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
    names = set()
    for line in record.split("\n"):
        path = line.partition(",")[0]
        first, slash, rest = path.partition("/")
        if first in names:
            continue
        if slash:
            if (
                rest.endswith((".py", ".so", ".pyd"))
                and first.isidentifier()
                and first != "__pycache__"
            ):
                names.add(first)
        elif path.endswith(".py"):
            names.add(path[:-3])
        elif path.endswith((".so", ".pyd")):
            names.add(path.partition(".")[0])
    return sorted(name for name in names if name.isidentifier())


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
