"""Hypothesis strategies for values of the model, and for worlds that are nearly possible."""

from __future__ import annotations

import typing
from types import NoneType, UnionType
from typing import Any

from hypothesis import strategies as st
from rules import factory

from keras_doctor.model import Outcome, Snapshot
from keras_doctor.rules.context import Context

# Lone surrogates stand for undecodable bytes of file names and must survive.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(-(2**63) + 1, 2**63 - 1),
    float: st.floats(-1e9, 1e9),
    bool: st.booleans(),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """A strategy for any annotation that the model uses."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if typing.get_origin(annotation) in (UnionType, typing.Union):
        return st.none() | values(next(a for a in arguments if a is not NoneType))
    hints = typing.get_type_hints(annotation)
    return st.builds(annotation, **{name: values(hint) for name, hint in hints.items()})


OUTCOMES: st.SearchStrategy[Outcome] = values(Outcome)
WILD: st.SearchStrategy[Snapshot] = values(Snapshot)

VERSIONS = st.sampled_from(
    ["3.8.0", "2.15.0", "2.3.1", "1.0.8", "0.2.0", "3.0.0.dev1", "", "unknown", "1!2.0", "2.4.0rc1"]
)
REQUIREMENTS = st.sampled_from(
    [
        *("numpy", "numpy<2", "keras<2.11,>=2.10.0", "keras", "jax==0.4.*; python_version<'4'"),
        *(
            "",
            ";",
            "===",
            "numpy (>=1)",
            "a @ https://example.org/a.whl",
            "x; extra == 'y'",
            "\x00",
        ),
        *("tensorflow~=2", "protobuf!=4.0", "numpy; sys_platform in 'linux'", "jaxlib>=0.5,<0.5"),
    ]
)
NAMES = st.sampled_from(
    [
        *("keras", "Keras", "keras-nightly", "tensorflow", "tensorflow-cpu", "tf_keras", "jax"),
        *(
            "jaxlib",
            "torch",
            "theano",
            "numpy",
            "scipy",
            "h5py",
            "protobuf",
            "random",
            "pandas",
            "",
        ),
    ]
)
TEXTS_OF_KERAS_JSON = st.sampled_from(
    [
        *("{}", "[]", "", "{", "null", '{"backend": "jax",}', '{"backend": "pytorch"}', "\ufeff{}"),
        *('{"epsilon": 1}', '{"backend": null}', '{"backend": {"a": []}}', '{"floatx": []}'),
    ]
)


@st.composite
def distributions(draw: st.DrawFn) -> Any:
    """A distribution that could be meant for this world, with odd parts."""
    name = draw(NAMES)
    site = draw(st.sampled_from([factory.SITE, "/old/lib/python3.6/site-packages"]))
    made = factory.dist(name, draw(VERSIONS), *draw(st.lists(REQUIREMENTS, max_size=3)), site=site)
    imports = tuple(draw(st.lists(NAMES, max_size=2)))
    return made._replace(
        import_packages=imports, requires_python=draw(st.none() | st.just(">=3.9") | TEXTS)
    )


@st.composite
def modules(draw: st.DrawFn) -> Any:
    """What could answer to an import."""
    kinds = st.sampled_from(["package", "module", "namespace", "extension", "bytecode"])
    places = st.sampled_from([factory.SITE, factory.PROJECT, "/old/lib/python3.6/site-packages"])
    name = draw(NAMES)
    copies = draw(st.lists(st.builds(factory.copy, st.just(name), places, kinds), max_size=3))
    return factory.module(name, *copies)


@st.composite
def worlds(draw: st.DrawFn) -> Context:
    """A world in which much is odd at once, and some of it was run."""
    stacks = [factory.JAX_STACK, factory.TENSORFLOW_STACK, factory.KERAS_210_STACK]
    stack = draw(st.sampled_from([*stacks, factory.THEANO_STACK, factory.BARE_STACK]))
    stack = factory.without(stack, *draw(st.lists(NAMES, max_size=2)))
    beside = draw(st.lists(distributions(), max_size=3))
    anomalies = st.builds(
        factory.anomaly,
        st.sampled_from(["keras/__init__.py", "numpy/a.so", "", "/", "keras/a_test.py"]),
        st.sampled_from(["missing", "size", "zeros", "unreadable", "folder-unreadable"]),
        st.integers(0, 9),
        st.integers(0, 9),
    )
    checks = [
        factory.files(
            d,
            *draw(st.lists(anomalies, max_size=7)),
            checked=draw(st.integers(0, 9)),
            code_version=draw(st.none() | VERSIONS),
            unrecorded_total=draw(st.integers(0, 3)),
        )
        for d in (*stack.distributions[:2], *beside)
    ]
    settings = st.builds(
        factory.setting,
        st.none() | NAMES,
        before=st.booleans(),
        default_only=st.booleans(),
        variable=st.sampled_from(["KERAS_BACKEND", "TF_USE_LEGACY_KERAS"]),
    )
    return factory.world(
        stack,
        variables=draw(
            st.dictionaries(
                st.sampled_from(["KERAS_BACKEND", "KERAS_HOME", "PYTHONHOME", "PYTHONPATH"]),
                NAMES | st.just("1"),
            )
        ),
        keras_json=draw(st.none() | TEXTS_OF_KERAS_JSON),
        program=draw(
            st.none()
            | st.lists(settings | NAMES, max_size=4).map(lambda parts: factory.script(*parts))
        ),
        beside=beside,
        modules=draw(st.lists(modules(), max_size=3)),
        locals_=draw(
            st.lists(
                st.builds(factory.local, NAMES, st.sampled_from(["module", "package"])), max_size=2
            )
        ),
        entries=draw(
            st.lists(
                st.builds(
                    factory.entry,
                    st.just("/old/lib/python3.6/site-packages"),
                    st.sampled_from(["pythonpath", "pth", "user-site", "other"]),
                    python=st.sampled_from([None, "3.6"]),
                ),
                max_size=2,
            )
        ),
        platform=draw(st.sampled_from(["linux", "win32", "darwin", "plan9"])),
        wish=draw(st.none() | NAMES),
        outcomes=draw(st.lists(OUTCOMES, max_size=2)),
        leftovers=tuple(
            factory.leftover("~" + name[1:], draw(st.none() | st.just(name)), None)
            for name in draw(st.lists(NAMES, max_size=2))
        ),
        files=tuple(checks),
    )
