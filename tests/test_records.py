"""The NamedTuple of the cold path does what the original does."""

import copy
import pickle
import typing

import pytest

from keras_doctor import records


class Original(typing.NamedTuple):
    """With a default and a method."""

    name: str
    size: int
    note: str | None = None

    def double(self) -> int:
        """Twice the size."""
        return 2 * self.size


class Rebuilt(records.NamedTuple):
    """With a default and a method."""

    name: str
    size: int
    note: str | None = None

    def double(self) -> int:
        """Twice the size."""
        return 2 * self.size


PAIRS = [(Original(name="a", size=1), Rebuilt(name="a", size=1))]
PAIRS += [(Original("b", 2, note="n"), Rebuilt("b", 2, note="n"))]
PAIRS += [(Original._make(["c", 3, None]), Rebuilt._make(["c", 3, None]))]


@pytest.mark.parametrize(("original", "rebuilt"), PAIRS)
def test_values_behave_alike(original: Original, rebuilt: Rebuilt) -> None:
    assert tuple(original) == tuple(rebuilt) == rebuilt
    assert (original.name, original.size, original.note) == (
        rebuilt.name,
        rebuilt.size,
        rebuilt.note,
    )
    assert original.double() == rebuilt.double()
    assert original._asdict() == rebuilt._asdict()
    assert repr(original).replace("Original", "Rebuilt") == repr(rebuilt)
    assert tuple(original._replace(size=9)) == rebuilt._replace(size=9)
    assert hash(original) == hash(rebuilt)
    assert pickle.loads(pickle.dumps(rebuilt)) == rebuilt  # noqa: S301 - our own bytes
    assert copy.copy(rebuilt) == rebuilt
    assert not hasattr(rebuilt, "__dict__")
    with pytest.raises(AttributeError):
        rebuilt.size = 4  # type: ignore[misc]


def test_classes_look_alike() -> None:
    for name in ("_fields", "_field_defaults", "__match_args__", "__annotations__", "__doc__"):
        assert getattr(Original, name) == getattr(Rebuilt, name)
    match Rebuilt("a", 1):
        case Rebuilt(name, size):
            assert (name, size) == ("a", 1)


@pytest.mark.parametrize("cls", [Original, Rebuilt])
def test_wrong_fields_are_refused(cls: type[Original]) -> None:
    make: typing.Any = cls
    for arguments, named in (((), {}), (("a", 1, None, 2), {}), (("a", 1), {"colour": 3})):
        with pytest.raises(TypeError):
            make(*arguments, **named)
    with pytest.raises(TypeError):
        cls._make(["a"])
    with pytest.raises((TypeError, ValueError)):
        make("a", 1)._replace(colour=3)
    with pytest.raises(TypeError):
        make("a", 1, name="b")
