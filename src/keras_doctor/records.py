"""NamedTuple at a fifth of its price.

``import typing`` and sixty classes of :class:`typing.NamedTuple`, which compiles a constructor
for each, are a tenth of the CPU time of a whole static diagnosis. Type checkers see the original;
at run time its behaviour is rebuilt here from the same parts: a subclass of tuple with
``_tuplegetter`` fields. The tests hold the two against each other.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING or sys.version_info >= (3, 14):
    # From 3.14 on annotations are evaluated late, and the original knows how.
    from typing import NamedTuple
else:
    from _collections import _tuplegetter

    class _Fields(type):
        """Makes a class with annotations a tuple with these fields."""

        def __new__(cls, name, bases, namespace):
            fields = tuple(namespace.get("__annotations__", ()))
            namespace["_fields"] = namespace["__match_args__"] = fields
            namespace["_field_defaults"] = {
                field: namespace[field] for field in fields if field in namespace
            }
            namespace["__slots__"] = ()
            for index, field in enumerate(fields):
                namespace[field] = _tuplegetter(index, None)
            return type.__new__(cls, name, bases, namespace)

    class NamedTuple(tuple, metaclass=_Fields):
        """As :class:`typing.NamedTuple`."""

        __slots__ = ()

        def __new__(cls, /, *values, **named):
            """The fields in order, by position, by name, or by default."""
            values = list(values)
            for field in cls._fields[len(values) :]:
                if field in named:
                    values.append(named.pop(field))
                elif field in cls._field_defaults:
                    values.append(cls._field_defaults[field])
                else:
                    raise TypeError(f"{cls.__name__} needs a value for {field!r}")
            if named or len(values) > len(cls._fields):
                raise TypeError(f"{cls.__name__} has only the fields {', '.join(cls._fields)}")
            return tuple.__new__(cls, values)

        @classmethod
        def _make(cls, iterable):
            made = tuple.__new__(cls, iterable)
            if len(made) != len(cls._fields):
                raise TypeError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(made)}")
            return made

        def _replace(self, /, **named):
            made = self._make(map(named.pop, self._fields, self))
            if named:
                raise TypeError(f"{type(self).__name__} has no field {', '.join(named)}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            pairs = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in pairs)})"

        def __getnewargs__(self):
            return tuple(self)


__all__ = ["NamedTuple"]
