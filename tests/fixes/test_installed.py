"""Which distributions a repair changes, told from the facts before and after it."""

from __future__ import annotations

import time

from rules.factory import JAX_STACK, SITE, dist, with_, without, world

from keras_doctor.fixes.installed import changed_distributions
from keras_doctor.model.plan import DistributionChange

BEFORE = world().snapshot


def change(
    name: str, before: str | None, after: str | None, *, again: bool = False
) -> DistributionChange:
    return DistributionChange(name=name, before=before, after=after, again=again)


def test_nothing_changed() -> None:
    assert changed_distributions(BEFORE, BEFORE, []) == ()
    assert changed_distributions(BEFORE, BEFORE, ["/env/bin/f2py", f"{SITE}/other.py"]) == ()


def test_what_came_what_went_and_what_moved() -> None:
    after = world(
        with_(without(JAX_STACK, "optree"), dist("NumPy", "1.26.4"), dist("Aaa", "1"))
    ).snapshot
    touched = ("numpy", "aaa", "optree")
    everything = (*BEFORE.distributions, *after.distributions)
    paths = [one.metadata for one in everything if one.name.lower() in touched]
    assert changed_distributions(BEFORE, after, paths) == (
        change("Aaa", None, "1"),
        change("NumPy", "2.2.1", "1.26.4"),
        change("optree", "0.14.0", None),
    )


def test_what_only_comes_into_sight_is_no_change() -> None:
    after = world(with_(without(JAX_STACK, "optree"), dist("NumPy", "1.26.4"))).snapshot
    assert changed_distributions(BEFORE, after, []) == ()


def test_the_same_release_with_other_files_was_installed_again() -> None:
    again = (change("numpy", "2.2.1", "2.2.1", again=True),)
    for path in (
        f"{SITE}/numpy",
        f"{SITE}/numpy/core/x.so",
        f"{SITE}/numpy-2.2.1.dist-info/RECORD",
        f"{SITE}/numpy/../numpy/__init__.py",
    ):
        assert changed_distributions(BEFORE, BEFORE, [path]) == again
    for path in (f"{SITE}/numpy_more/x.py", f"{SITE}-2/numpy/x", f"{SITE}/more/numpy/x.py"):
        assert changed_distributions(BEFORE, BEFORE, [path]) == ()


def test_a_module_of_one_file() -> None:
    facts = world(with_(JAX_STACK, dist("six", "1.17.0"), dist("fast", "1"))).snapshot
    six = change("six", "1.17.0", "1.17.0", again=True)
    assert changed_distributions(facts, facts, [f"{SITE}/six.py"]) == (six,)
    compiled = [f"{SITE}/fast.cpython-312-x86_64-linux-gnu.so"]
    assert [one.name for one in changed_distributions(facts, facts, compiled)] == ["fast"]


def test_a_shared_package_does_not_tell_when_another_owner_moved() -> None:
    """``google`` is protobuf's and google-auth's; only one of them was installed."""
    auth = dist("google-auth", "2.0", imports=("google",))
    old, new = (dist("protobuf", release, imports=("google",)) for release in ("5.29", "4.25"))
    before = world(with_(JAX_STACK, auth, old)).snapshot
    after = world(with_(JAX_STACK, auth, new)).snapshot
    file = f"{SITE}/google/protobuf/message.py"
    assert changed_distributions(before, after, [file]) == (change("protobuf", "5.29", "4.25"),)
    both = [file, f"{SITE}/google_auth-2.0.dist-info/RECORD"]
    assert [one.name for one in changed_distributions(before, after, both)] == [
        "google-auth",
        "protobuf",
    ]


def test_the_first_on_the_path_counts() -> None:
    hidden = dist("numpy", "1.0", metadata="/other/numpy-1.0.dist-info", location="/other")
    doubled = BEFORE._replace(distributions=(*BEFORE.distributions, hidden))
    assert changed_distributions(BEFORE, doubled, []) == ()


def test_a_large_repair_is_told_quickly() -> None:
    many = tuple(dist(f"d{number}", "1") for number in range(300))
    facts = BEFORE._replace(distributions=many)
    paths = [f"{SITE}/tensorflow/python/{n % 50}/module{n}.py" for n in range(20_000)]
    began = time.process_time()
    assert changed_distributions(facts, facts, paths) == ()
    assert time.process_time() - began < 2.0
