"""The only way of the model's NamedTuples out to and in from JSON-able values.

A NamedTuple given to :mod:`json` would silently become an array, so nothing else may write or
read one. Both directions follow the annotations of the classes: ``str``, ``int``, ``float``,
``bool``, ``X | None``, ``tuple[X, ...]`` and nested NamedTuples, nothing else. Reading
validates, because a snapshot may come from anybody: types are exact, and lists, texts and
numbers are bounded. Depth is bounded by the annotations, which do not recurse.
"""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, TypeVar

    _T = TypeVar("_T")
    _Decoder = Callable[[Any], Any]

MAX_ITEMS = 100_000
"""The longest list that is read."""
MAX_TEXT = 1 << 20
"""The longest text that is read, in characters."""
MAX_NUMBER = 1 << 63
"""Integers are read up to this size, exclusive."""

_MISSING: Any = object()


class CodecError(ValueError):
    """Data does not have the shape that the model gives it; one sentence with the place."""


class _MismatchError(Exception):
    """A :class:`CodecError` on its way up, collecting where it happened, innermost first."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.steps: list[str] = []


def encode(value: Any) -> Any:
    """The JSON-able form of a model value: NamedTuples as dicts, tuples as lists.

    Args:
        value: A NamedTuple of the model, a tuple of such, text, a number, a bool or None.

    Returns:
        Dicts keyed by field names in field order, lists, and plain values.

    Raises:
        TypeError: Something else is in it, which is a mistake in this program.
    """
    kind = type(value)
    if kind is str or value is None or kind is int or kind is bool or kind is float:
        return value
    if isinstance(value, tuple):
        names = getattr(kind, "_fields", None)
        if names is None:
            return [encode(item) for item in value]
        return {name: encode(item) for name, item in zip(names, value, strict=True)}
    raise TypeError(f"{kind.__name__} is not a value of the model")


def decode(cls: type[_T], data: Any, *, where: str = "snapshot") -> _T:
    """The NamedTuple that JSON-able data describes.

    Unknown keys are ignored (a newer writer may add some); a missing key takes the field's
    default if it has one.

    Args:
        cls: The NamedTuple class to build.
        data: What :func:`encode` gave, after any journey.
        where: What the data is called in an error.

    Returns:
        An instance of ``cls``.

    Raises:
        CodecError: Data has another shape, like
            ``snapshot.distributions[3].name: expected text, found number``.
    """
    annotation: Any = cls
    try:
        result: _T = _decoder(annotation)(data)
    except _MismatchError as mismatch:
        path = where + "".join(reversed(mismatch.steps))
        raise CodecError(f"{path}: {mismatch.problem}") from None
    return result


def _found(data: Any) -> str:
    """What kind of JSON value this is, in a user's words."""
    if data is None:
        return "null"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return names.get(type(data), "number")


def _expected(what: str, data: Any) -> NoReturn:
    raise _MismatchError(f"expected {what}, found {_found(data)}")


def _default(value: Any) -> Any:
    if value is _MISSING:
        raise _MismatchError("missing")
    return value


def _text(data: Any) -> Any:
    if type(data) is not str:
        _expected("text", data)
    if len(data) > MAX_TEXT:
        raise _MismatchError(f"longer than {MAX_TEXT} characters")
    return data


def _integer(data: Any) -> Any:
    if type(data) is not int:
        _expected("an integer", data)
    if not -MAX_NUMBER < data < MAX_NUMBER:
        raise _MismatchError("a number out of range")
    return data


def _real(data: Any) -> Any:
    if type(data) is not float and type(data) is not int:
        _expected("number", data)
    if not -MAX_NUMBER < data < MAX_NUMBER:  # also false for NaN
        raise _MismatchError("a number out of range")
    return float(data)


def _truth(data: Any) -> Any:
    if type(data) is not bool:
        _expected("true or false", data)
    return data


_PLAIN: dict[Any, _Decoder] = {str: _text, int: _integer, float: _real, bool: _truth}


@cache
def _decoder(annotation: Any) -> _Decoder:
    """The closure that reads values of one annotation; built once for each."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin = getattr(annotation, "__origin__", None)
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _list_decoder(_decoder(arguments[0]))
    if isinstance(annotation, UnionType) and len(arguments) == 2 and NoneType in arguments:
        return _optional_decoder(_decoder(next(a for a in arguments if a is not NoneType)))
    if isinstance(annotation, type) and hasattr(annotation, "_fields"):
        return _record_decoder(annotation)
    raise TypeError(f"the codec does not know the annotation {annotation!r}")


def _optional_decoder(inner: _Decoder) -> _Decoder:
    def read(data: Any) -> Any:
        return None if data is None else inner(data)

    return read


def _list_decoder(item: _Decoder) -> _Decoder:
    def read(data: Any) -> Any:
        if type(data) is not list:
            _expected("a list", data)
        if len(data) > MAX_ITEMS:
            raise _MismatchError(f"more than {MAX_ITEMS} entries")
        values: list[Any] = []
        try:
            for element in data:
                values.append(item(element))  # noqa: PERF401 - its length names the bad one
        except _MismatchError as mismatch:
            mismatch.steps.append(f"[{len(values)}]")
            raise
        return tuple(values)

    return read


def _record_decoder(cls: Any) -> _Decoder:
    hints = cls.__annotations__
    defaults = cls._field_defaults
    plan = [(name, _decoder(hints[name]), defaults.get(name, _MISSING)) for name in cls._fields]
    make = cls._make

    def read(data: Any) -> Any:
        if type(data) is not dict:
            _expected("an object", data)
        values = []
        name = ""
        try:
            for name, decoder, default in plan:
                raw = data.get(name, _MISSING)
                if raw is not _MISSING:
                    values.append(decoder(raw))
                else:
                    values.append(_default(default))
        except _MismatchError as mismatch:
            mismatch.steps.append(f".{name}")
            raise
        return make(values)

    return read
