"""The records of a conda environment, and what its activation sets."""

import os

from keras_doctor.collect.patient.files import names_in, problem, read_text

_MOST_RECORDS = 5000


def read_conda(prefix, listed):
    """A dict like Conda, or None when the prefix is no conda environment.

    Args:
        prefix: The environment's folder.
        listed: Names of the variables that matter.
    """
    folder = os.path.join(prefix, "conda-meta")
    names = names_in(folder)
    if names is None:
        return None
    packages = []
    for name in sorted(names)[:_MOST_RECORDS]:
        if name.endswith(".json"):
            parts = name[:-5].rsplit("-", 2)
            if len(parts) == 3:
                packages.append(_package(os.path.join(folder, name), parts))
    variables = _activation_scripts(prefix, listed) + _state(os.path.join(folder, "state"), listed)
    return {"prefix": prefix, "packages": packages, "variables": variables}


def _package(path, parts):
    # The keys are sorted, so the channel stands near the top, before the long lists of files.
    text = read_text(path, 4096) or ""
    channel = text.partition('"channel"')[2].partition(":")[2].strip()
    channel = channel[1:].partition('"')[0] if channel[:1] == '"' else None
    return {
        "name": parts[0],
        "version": parts[1],
        "build": parts[2],
        "channel": channel.replace("\\/", "/") if channel else None,
    }


def _activation_scripts(prefix, listed):
    folder = os.path.join(prefix, "etc", "conda", "activate.d")
    found = []
    for name in sorted(names_in(folder) or ()):
        if name.endswith(".sh"):
            path = os.path.join(folder, name)
            found += parse_exports(read_text(path, 1 << 18) or "", path, listed)
    return found


def parse_exports(text, path, listed):
    """The listed variables that a shell script sets, with their lines; nothing is expanded."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if words.startswith("export "):
            words = words[7:].strip()
        name, equals, value = words.partition("=")
        if equals and name in listed:
            value = value.strip()
            if value[:1] in ('"', "'"):
                value = value[1:].partition(value[:1])[0]
            else:
                value = value.partition(" ")[0].rstrip(";")
            found.append({"name": name, "value": value, "set_by": "%s:%d" % (path, number)})
    return found


def _state(path, listed):
    """The variables of ``conda env config vars set``."""
    text = read_text(path, 1 << 18)
    if not text:
        return []
    import json

    try:
        values = json.loads(text).get("env_vars", {})
        names = [name for name in sorted(values) if name in listed]
        return [{"name": name, "value": str(values[name]), "set_by": path} for name in names]
    except Exception as error:
        problem("%s is damaged: %s" % (path, error))
        return []
