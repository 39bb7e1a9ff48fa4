"""Whether the shared objects on the way of the import would load: by reading, never by loading.

The first look reads no object of a wheel whose tags promise that it goes with this Python,
processor and libc, as long as nothing turns the loader's head. Everything else is read, and in a
thorough look all of it.
"""

import os

from keras_doctor.collect.patient.files import is_folder, read_bytes

LOADER_CACHE = "/etc/ld.so.cache"
MOST_CACHE = 1 << 23
# Hardly a wheel with native code does without it, and the smallest systems lack it.
_EVERYWHERE = b"libstdc++.so.6\0"


def look_at_native(checked, texts, distributions, interpreter, thorough):
    """A dict like Native.

    Args:
        checked: The distributions on the way of the import.
        texts: The text of their RECORD, by the metadata folder.
        distributions: All.
        interpreter: The facts about it.
        thorough: Whether nothing is taken on trust.
    """
    linux = interpreter["platform"].startswith("linux")
    doubt = thorough or (linux and _may_be_misled(interpreter))
    facts = {
        "complete": bool(doubt),
        "modules": 0,
        "objects": 0,
        "machine": None,
        "libraries": [],
        "problems": [],
        "named": [],
        "libcuda": None,
        "driver": None,
    }
    if not doubt:
        checked = [one for one in checked if not is_promised(one["tags"], interpreter)]
        checked = [one for one in checked if _has_objects(texts.get(one["metadata"], ""))]
    if checked or doubt:
        from keras_doctor.collect.patient.objects import look_at_objects

        facts.update(look_at_objects(checked, texts, distributions, interpreter, doubt))
    if linux and thorough:
        from keras_doctor.collect.patient.objects import look_at_driver

        facts.update(look_at_driver())
    return facts


def _has_objects(text):
    return ".so" in text or ".pyd" in text


def _may_be_misled(interpreter):
    """Whether the loader may take, or miss, other libraries than usual."""
    if os.environ.get("LD_LIBRARY_PATH") or os.environ.get("LD_PRELOAD"):
        return True
    if is_folder(os.path.join(interpreter["base_prefix"], "conda-meta")):
        return True  # its interpreter brings folders of its own
    return _EVERYWHERE not in (read_bytes(LOADER_CACHE, MOST_CACHE) or b"")


def is_promised(tags, interpreter):
    """Whether a tag of its wheel says that it goes with this Python, processor and libc."""
    for tag in tags:
        python, _, rest = tag.partition("-")
        abi, _, platform = rest.partition("-")
        if _fits_python(python, abi, interpreter) and _fits_platform(platform, interpreter):
            return True
    return False


def _fits_python(python, abi, interpreter):
    """Whether the Python and ABI tags of a wheel are for this interpreter (PEP 425)."""
    if abi == "none":
        return python.startswith(("py3", "cp3"))
    numbers = interpreter["version"].split(".")
    own = "cp" + numbers[0] + numbers[1]
    free = interpreter["free_threaded"]
    if abi == "abi3":
        older = python[3:].isdigit() and int(python[3:]) <= int(numbers[1])
        return python.startswith("cp3") and older and not free
    return python == own and abi.rstrip("m") == own + ("t" if free else "")


def _fits_platform(platform, interpreter):
    """Whether a platform tag is for this processor and a libc that is not newer (PEP 600)."""
    machine = "_" + interpreter["machine"]
    if platform == "any" or not platform.endswith(machine):
        return platform == "any"
    if not interpreter["platform"].startswith("linux"):
        return True
    level = platform[: -len(machine)].split("_")
    if level[0] == "manylinux" and len(level) == 3:
        try:
            libc = os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")
            return [int(number) for number in level[1:]] <= [int(number) for number in libc[:2]]
        except (AttributeError, ValueError, OSError, IndexError):
            return False
    # The old names (manylinux2014 is the newest) stand for what all such systems have.
    return platform.startswith("manylinux")
