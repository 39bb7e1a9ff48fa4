import io
import tarfile
from collections.abc import Mapping, Sequence

from keras_doctor.knowledge.stacks import decode
from tools.stacks.grow import grow
from tools.stacks.names import names_in, names_in_sdist
from tools.stacks.plan import Plan, named, read_plans
from tools.stacks.resolve import Row, Rows, UnresolvableError, parse, reason, required_in
from tools.stacks.shipped import encode, pins_of


def plan(*extras: str) -> Plan:
    return Plan("3.7", "x", "1", "old", "2020-01-01", {}, ("x==1",), (), extras, (), frozenset())


def test_the_plans_have_ids_of_their_own() -> None:
    plans = read_plans()
    assert len({one.id for one in plans}) == len(plans) > 40
    assert all(one.date and one.extras for one in plans)


def test_annotations_become_needs() -> None:
    text = """\
# a comment
Keras==2.2.4      # via -r wanted.in
numpy==1.16.2     # via -c constraints.txt, keras, scipy
scipy==1.1.0      # via -r wanted.in, Keras
torch==2.0.0+cpu
"""
    assert parse(text) == {
        "keras": Row("2.2.4", ("numpy", "scipy")),
        "numpy": Row("1.16.2", ()),
        "scipy": Row("1.1.0", ("numpy",)),
        "torch": Row("2.0.0+cpu", ()),
    }


def test_a_refusal_names_the_requirements() -> None:
    text = "error: cause: Because you require\n  a<2 and you require B-b, we can conclude no."
    assert required_in(text) == ("a", "b-b")
    assert reason(text) == "you require a<2 and you require B-b"


def test_addresses_and_paths_are_not_kept() -> None:
    assert reason("error: Failed at https://host/simple/x in /root/cache/y") == (
        "Failed at … in …y"
    )


class Clash:
    """Resolves all but some pairs of names; says which of them clash, or not."""

    def __init__(self, *pairs: tuple[str, str], blame: bool) -> None:
        self.pairs, self.blame, self.calls = pairs, blame, 0

    def __call__(
        self, plan: Plan, names: Sequence[str], known: Mapping[str, Row], source: set[str]
    ) -> Rows:
        self.calls += 1
        for pair in self.pairs:
            if set(pair) <= {"x", *names}:
                raise UnresolvableError(f"{pair} clash", pair if self.blame else ())
        return {name: Row("1", ()) for name in ("x", *names)}


def test_the_later_of_two_that_clash_is_left_out() -> None:
    for blame in (True, False):
        clash = Clash(("b", "d"), ("x", "e"), blame=blame)
        grown = grow(plan("a", "b", "c", "d", "e", "f"), {}, {}, set(), clash)
        assert sorted(grown.rows) == ["a", "b", "c", "f", "x"]
        assert list(grown.left) == ["d", "e"]


def test_what_a_kin_stack_left_out_is_tried_when_it_may_be_for_the_backend() -> None:
    clash = Clash(blame=True)
    kin = {"x": Row("2", ()), "a": Row("1", ())}
    refused = {"b": "has no wheels", "c": "needs x<1"}
    grown = grow(plan("a", "b", "c"), kin, refused, set(), clash)
    assert grown.left == {"b": "has no wheels"}
    assert sorted(grown.rows) == ["a", "c", "x"]


def test_stacks_survive_being_stored_as_differences() -> None:
    one = {"a": Row("1", ("b",)), "b": Row("1", ()), "c": Row("1", ())}
    two = {"a": Row("2", ("b",)), "b": Row("1", ("d",)), "d": Row("1", ())}
    three = {**two, "d": Row("3", ())}
    stored = encode({"one": one, "two": two, "three": three})
    assert stored["three"] == {"base": "two", "lines": "d 3"}
    for name, rows in (("one", one), ("two", two), ("three", three)):
        assert decode(stored, name) == pins_of(rows)


def test_what_is_named_is_in_no_plan() -> None:
    wanted = {name for plan in read_plans() for name in plan.extras}
    assert named()
    assert set(named()) - wanted >= {"dlib", "pyaudio", "mpi4py"}


def test_names_of_a_wheel() -> None:
    members = [
        "numpy/__init__.py",
        "numpy/core/x.so",
        "numpy.libs/libopenblas.so",
        "tests/test_it.py",
        "examples/one.py",
        "setup.py",
        "six.py",
        "_x.cpython-37m-x86_64-linux-gnu.so",
        "cv2.cpython-37m-x86_64-linux-gnu.so",
        "google/protobuf/message.py",
        "backports/weakref.py",
        "backports/__init__.py",
        "six-1.0.dist-info/METADATA",
        "x-1.data/purelib/inner/__init__.py",
        "../outside.py",
    ]
    assert names_in(members) == (
        "numpy",
        "six",
        "cv2",
        "google.protobuf",
        "backports.weakref",
        "inner",
    )


def test_names_of_a_source_archive() -> None:
    def archive(**files: str) -> bytes:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w:gz") as out:
            for name, text in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                out.addfile(info, io.BytesIO(text.encode()))
        return raw.getvalue()

    told = {"x-1/x.egg-info/top_level.txt": "lasagne\ntests\n", "x-1/setup.py": ""}
    assert names_in_sdist(archive(**told)) == ("lasagne",)
    bare = {"x-1/src/theano/__init__.py": "", "x-1/docs/__init__.py": "", "x-1/setup.py": ""}
    assert names_in_sdist(archive(**bare)) == ("theano",)
