import pytest

from keras_doctor.knowledge.import_names import distributions_of
from keras_doctor.knowledge.measured import edges_of
from keras_doctor.knowledge.stacks import (
    Pin,
    Stack,
    StackError,
    Summary,
    about,
    closure,
    load_stack,
    stacks,
)
from keras_doctor.names import normalize
from keras_doctor.versions import parse_version

BACKENDS = {row.backend for row in stacks()}


def small() -> Stack:
    pins = (
        Pin("a", "1", ("b", "c")),
        Pin("b", "2", ("c",)),
        Pin("c", "3", ("a",)),
        Pin("d", "4", ()),
    )
    return Stack("x-1-py3.7", "3.7", "x", "1", "2020-01-01", {pin.name: pin for pin in pins})


class TestClosure:
    def test_takes_what_is_needed_and_nothing_else(self) -> None:
        assert [pin.name for pin in closure(small(), ["B"])] == ["a", "b", "c"]

    def test_of_nothing_is_nothing(self) -> None:
        assert closure(small(), []) == ()

    def test_names_all_that_is_missing(self) -> None:
        with pytest.raises(StackError) as caught:
            closure(small(), ["z", "a", "Y_y"])
        assert caught.value.names == ("y-y", "z")
        assert str(caught.value) == "x-1-py3.7 is without y-y, z"


@pytest.mark.parametrize("row", stacks(), ids=lambda row: row.id)
class TestEveryStack:
    def test_is_closed(self, row: Summary) -> None:
        stack = load_stack(row.id)
        assert {need for pin in stack.pins.values() for need in pin.needs} <= set(stack.pins)
        assert closure(stack, stack.pins) == tuple(stack.pins[name] for name in sorted(stack.pins))

    def test_says_what_it_holds(self, row: Summary) -> None:
        stack = load_stack(row.id)
        assert stack[:5] == row[:5]
        assert len(stack.pins) == row.packages
        assert stack.pins[row.backend].version == row.release
        assert row.id == f"{row.backend}-{row.release}-py{row.python}"

    def test_pins_are_versions_of_normalised_names(self, row: Summary) -> None:
        for name, pin in load_stack(row.id).pins.items():
            assert name == pin.name == normalize(name)
            assert parse_version(pin.version) is not None
            assert name not in pin.needs

    def test_holds_what_nearly_every_program_needs(self, row: Summary) -> None:
        wanted = {"keras", "numpy", "scipy", "pandas", "matplotlib", "scikit-learn", "pillow"}
        assert wanted <= set(load_stack(row.id).pins)

    def test_nothing_lies_beyond_a_measured_boundary(self, row: Summary) -> None:
        pins = load_stack(row.id).pins
        for subject in (row.backend, "keras"):
            for edge in edges_of(subject, pins[subject].version):
                pin = pins.get(edge.dependency)
                # A boundary between Keras and a backend is one of another backend's stack.
                if pin and (edge.dependency == row.backend or edge.dependency not in BACKENDS):
                    assert edge.side_of(pin.version) is None, (subject, pin)


class TestTheIndex:
    def test_ids_are_told_apart(self) -> None:
        assert len({row.id for row in stacks()}) == len(stacks())

    def test_says_where_it_comes_from(self) -> None:
        assert about()["date"]
        assert "tools.stacks" in about()["command"]

    def test_an_unknown_stack_is_named(self) -> None:
        with pytest.raises(StackError, match="no stack tensorflow-0-py2"):
            load_stack("tensorflow-0-py2")


class TestImportNames:
    @pytest.mark.parametrize(
        ("module", "distribution"),
        [
            ("cv2", "opencv-python"),
            ("PIL.Image", "pillow"),
            ("sklearn.svm", "scikit-learn"),
            ("yaml", "pyyaml"),
            ("skimage.io", "scikit-image"),
            ("bs4", "beautifulsoup4"),
            ("google.protobuf.text_format", "protobuf"),
            ("mpl_toolkits.mplot3d", "matplotlib"),
            ("mpl_toolkits.basemap", "basemap"),
            ("dateutil.parser", "python-dateutil"),
            ("six.moves.urllib", "six"),
            ("tables", "tables"),
            ("Bio", "biopython"),
        ],
    )
    def test_the_most_used_comes_first(self, module: str, distribution: str) -> None:
        assert distributions_of(module)[0].distribution == distribution

    @pytest.mark.parametrize(
        "module", ["Image", "tests", "docs", "examples", "setup", "google", ""]
    )
    def test_nothing_is_guessed(self, module: str) -> None:
        assert distributions_of(module) == ()

    def test_everything_has_evidence(self) -> None:
        assert all(one.evidence for one in distributions_of("numpy.random"))
        assert distributions_of("numpy")[0].evidence.startswith("numpy-")
