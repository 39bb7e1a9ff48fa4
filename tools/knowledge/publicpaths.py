"""Which modules of a release are found under which public path.

Packages move their ``__path__``: ``keras.layers`` of Keras 3.3 lies in ``keras/api/layers``, and
``tensorflow.keras`` lay in the wheels of TensorFlow, then in those of Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tools.knowledge.surface import Module, Reader, Surface

_KEPT = frozenset({"__internal__", "_tf_keras"})
"""Private by their names, and asked for all the same."""
_NAMES_KEPT = frozenset({"__version__", "__internal__"})
_TEST_FOLDERS = frozenset({"tests", "integration_test", "testdata"})
_UNREAD = [
    "tensorflow.python",
    "tensorflow.core",
    "tensorflow.compiler",
    "tensorflow.tools",
    "tensorflow.examples",
    "tensorflow.lite",
    "tensorflow.tsl",
    "tensorflow.raw_ops",
    "tensorflow.compat.v1.raw_ops",
    "tensorflow.compat.v2.raw_ops",
    "tensorflow.contrib",
    "tensorflow.python.keras.api",
    "keras.src",
    "tf_keras.src",
]
"""Of what lies there only the modules are listed; their names would be most of the file."""
_CONTRIB_DEPTH = 4
"""Below tensorflow.contrib.layers.python nobody looks any more."""
_PACKAGES_READ = ("tensorflow.lite", "keras.src", "tf_keras.src")
"""Though nothing below them is."""
_READ = ("tensorflow.python.keras", "tensorflow.lite.experimental")

Roots = list[tuple[str, list[str]]]
"""Public prefix, and the private ones of which the first that is there is taken."""


def is_read(path: str) -> bool:
    """Whether a file is a module that the index is about (not of tests, headers or data)."""
    parts = path.split("/")
    stem = parts[-1].rpartition(".")[0]
    # A shared library that is no module has the name that linkers look for.
    if stem.endswith("_test") or (stem.startswith("lib") and parts[-1].endswith(".so")):
        return False
    return not _TEST_FOLDERS.intersection(parts[:-1]) and "include" not in parts[:2]


def roots_of(top: str, major: int) -> Roots:
    """The places of a top-level package, the files where they lie first."""
    roots: Roots = [(top, [top])]
    if top == "keras":
        roots.append((top, ["keras.api"]))
    if top != "tensorflow":
        return roots
    roots.append((top, [f"tensorflow._api.v{major}"]))
    apis = [("", major), (".compat.v1", 1), (".compat.v2", 2)]
    for place, api in apis:
        estimator = "tensorflow_estimator.python.estimator.api"
        roots += [
            (f"tensorflow{place}.keras", _keras_api(api)),
            (
                f"tensorflow{place}.estimator",
                [f"{estimator}._v{api}.estimator", f"{estimator}.estimator"],
            ),
            (f"tensorflow{place}.summary", ["tensorboard.summary._tf.summary"] * (api > 1)),
        ]
    legacy = "keras.api._v1.keras.__internal__.legacy"
    roots.append(("tensorflow.compat.v1.layers", [f"{legacy}.layers"]))
    roots.append(("tensorflow.compat.v1.nn.rnn_cell", [f"{legacy}.rnn_cell"]))
    return roots


def _keras_api(api: int) -> list[str]:
    return [f"keras.api._v{api}.keras", f"tensorflow.python.keras.api._v{api}.keras"]


def surface_of(reader: Reader, top: str, roots: Roots) -> Surface:
    """The public paths of a package in one release, with what is in each."""
    known = reader.modules()
    places: dict[str, list[str]] = {}
    for public, candidates in roots:
        private = next((name for name in candidates if name in reader.texts), None)
        if private is None or (private != public and not _takes(reader, top, private)):
            continue
        for name in known:
            if _is_below(name, private):
                places.setdefault(public + name[len(private) :], []).append(name)
    return {
        public: _listed(public, [reader.module(name) for name in names])
        for public, names in places.items()
        if _is_public(public)
    }


def _takes(reader: Reader, top: str, private: str) -> bool:
    """Whether the package really puts that folder on its path: in Keras not every release did."""
    if private != f"{top}.api":
        return True
    text, _ = reader.texts[top]
    return b"__path__" in (text or b"")


def _is_public(path: str) -> bool:
    parts = path.split(".")
    if parts[0] == "tensorflow" and parts[1:2] in (["v1"], ["v2"]):
        return False  # all of the API once more, by an accident of __path__
    if parts[1:2] == ["contrib"] and len(parts) > _CONTRIB_DEPTH:
        return False
    # TensorFlow's APIs hold each other: compat.v1.compat.v2.compat ...
    return parts.count("compat") < 2 and all(
        not part.startswith("_") or part in _KEPT for part in parts
    )


def _names_are_read(public: str) -> bool:
    if public in _PACKAGES_READ:
        return True
    unread = max((len(root) for root in _UNREAD if _is_below(public, root)), default=0)
    return max((len(root) for root in _READ if _is_below(public, root)), default=0) >= unread


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root + ".")


def _listed(public: str, modules: Iterable[Module]) -> Module:
    """The names that are listed of what was found at one path."""
    found = list(modules)
    if not _names_are_read(public):
        return Module(frozenset(), is_open=True)
    names = {name for module in found for name in module.names}
    public_names = frozenset(n for n in names if not n.startswith("_") or n in _NAMES_KEPT)
    borrowed = frozenset(name for module in found for name in module.borrowed)
    is_open = any(module.is_open for module in found)
    return Module(public_names - borrowed, is_open, public_names & borrowed)


def wanted(tops: Iterable[str]) -> Callable[[str], bool]:
    """The files of these packages."""
    folders = tuple(f"{top}/" for top in tops)
    return lambda path: path.startswith(folders) and is_read(path)
