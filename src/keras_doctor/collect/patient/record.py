"""RECORD files: which loadable files a distribution says it installed."""

LOADABLE = (".py", ".so", ".pyd", ".dll", ".dylib")


NOT_LOADED = ("__pycache__", "tests")
"""Folders in a package that its import does not lead to: nothing in them is looked at."""


def is_loadable(name):
    """Whether an import can load a file of this name."""
    return name.endswith(LOADABLE) or ".so." in name


def parse_record(text):
    """The loadable files of a RECORD, by folder.

    The paths are untrusted: absolute ones and those that lead out of the location (scripts in
    ``../../../bin``) are left out, and so are the tests of subpackages. (Those of a whole
    package are not: Theano imports its own.)

    Returns:
        dict: folder (relative, ``/`` between the parts, "" for the location itself) to a dict
        of file name to recorded size (None when none is recorded).
    """
    tree = {}
    last = None
    current = None
    loadable = LOADABLE
    # Hardly any RECORD has fields that need csv's rules, and one look tells.
    odd = '"' in text or "\\" in text or "\r" in text
    for line in text.split("\n"):
        path, _, rest = line.partition(",")
        if odd:
            path, size = _parse_odd_line(line)
        if not path.endswith(loadable) and ".so." not in path:
            continue
        if not odd:
            size = rest.rpartition(",")[2]
        folder, _, name = path.rpartition("/")
        if folder != last:
            parts = folder.split("/")
            if folder[:1] == "/" or folder[1:2] == ":" or ".." in parts or "tests" in parts[2:]:
                continue
            last = folder
            current = tree.get(folder)
            if current is None:
                current = tree[folder] = {}
        current[name] = int(size) if size.isdigit() else None
    return tree


def _parse_odd_line(line):
    """(path, size) of a line with quotes or with another number of fields, as csv reads it."""
    fields = []
    field = ""
    quoted = False
    line = line.rstrip("\r")
    index = 0
    while index < len(line):
        character = line[index]
        if quoted and character == '"' and line[index + 1 : index + 2] == '"':
            field += '"'
            index += 1
        elif character == '"' and (quoted or not field):
            quoted = not quoted
        elif character == "," and not quoted:
            fields.append(field)
            field = ""
        else:
            field += character
        index += 1
    fields.append(field)
    return fields[0].replace("\\", "/"), fields[2] if len(fields) > 2 else ""


def with_parents(folders):
    """The folders and all that they lie in, without the location itself."""
    found = set()
    for folder in folders:
        above = folder
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found
