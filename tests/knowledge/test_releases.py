"""Questions to the releases, with the shipped data and with data made here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keras_doctor.knowledge import copies, releases
from keras_doctor.knowledge.packages import wanted_packages
from keras_doctor.knowledge.releasefile import Package, Release
from keras_doctor.refresh.copyfiles import write_copy
from keras_doctor.versions import compare_key, satisfies


@pytest.fixture(autouse=True)
def only_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No copy of the user's unless a test writes one; returns where it would lie."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    forget()
    return tmp_path / "data" / "keras-doctor" / "releases"


def forget() -> None:
    copies.in_use.cache_clear()
    releases.package.cache_clear()
    releases._by_version.cache_clear()


@pytest.fixture(autouse=True)
def _forget_afterwards() -> object:
    yield
    forget()


def row(version: str, **given: Any) -> Release:
    plain = Release(
        version=version,
        date="2024-01-01",
        yanked=False,
        requires_python=">=3.9",
        requires=(),
        tags=("py3-none-any",),
        has_sdist=True,
    )
    return plain._replace(**given)


def install(folder: Path, *packages: Package, name: str = "copy-1") -> None:
    (folder / name).mkdir(parents=True)
    write_copy(str(folder / name), packages, [], "made")
    (folder / "current").write_text(name)
    forget()


NEW = "2099-01-01T00:00:00Z"


def test_versions_are_in_order() -> None:
    for name in releases.known_packages():
        keys = [compare_key(one.version) for one in releases.releases_of(name)]
        assert keys == sorted(set(keys)), name


def test_one_release() -> None:
    found = releases.release("NumPy", "1.26.4")
    assert found is not None
    assert found.date == "2024-02-05"
    assert found.requires_python is not None
    assert satisfies("3.9.1", found.requires_python)
    assert releases.release("numpy", "1.26.4+local") == found
    assert releases.release("numpy", "99") is None
    assert releases.release("no-such-package", "1") is None
    assert releases.releases_of("no-such-package") == ()


def test_every_package_is_known_or_said_to_be_missing() -> None:
    shipped = copies.shipped()
    missing = {name for name, _ in shipped.gaps}
    assert {wanted.name for wanted in wanted_packages()} == missing | set(shipped.packages)


@pytest.mark.parametrize(
    ("name", "python", "platform", "machine", "there", "absent"),
    [
        ("tensorflow", "3.9", "linux", "x86_64", "2.10.1", "2.21.0"),
        ("tensorflow", "3.7", "linux", "x86_64", "1.15.5", "2.12.0"),
        ("numpy", "3.12", "win32", "AMD64", "1.26.4", "1.99"),
    ],
)
def test_installable(
    name: str, python: str, platform: str, machine: str, there: str, absent: str
) -> None:
    found = releases.installable(name, python=python, platform=platform, machine=machine)
    wheels = [one.release.version for one in found if one.how == "wheel"]
    assert there in wheels
    assert absent not in wheels
    assert [compare_key(v) for v in wheels] == sorted(map(compare_key, wheels), reverse=True)


def test_what_cannot_be_installed(only_shipped: Path) -> None:
    rows = (
        row("1.0"),
        row("1.1", yanked=True),
        row("1.2", requires_python=">=3.12"),
        row("1.3", tags=("cp39-cp39-win_amd64",)),
        row("1.4", tags=("cp39-cp39-win_amd64",), has_sdist=False),
        row("1.5", tags=(), has_sdist=False),
        row("1.6", requires_python="nonsense"),
        row("1.7", requires_python=">=3.9.7"),
        row("2.0rc1"),
    )
    install(only_shipped, Package("keras", NEW, rows))
    found = releases.installable("keras", python="3.9")
    assert [(one.release.version, one.how) for one in found] == [
        ("1.7", "wheel"),
        ("1.6", "wheel"),
        ("1.3", "sdist"),
        ("1.0", "wheel"),
    ]
    exact = releases.installable("keras", python="3.9.6", prereleases=True)
    assert [one.release.version for one in exact] == ["2.0rc1", "1.6", "1.3", "1.0"]


@pytest.mark.parametrize(
    ("to", "wanted", "expected"),
    [
        (None, ["<2"], "1.26.4"),
        ("2.0.0", ["<2"], "1.26.4"),
        ("1.24.0", [">=1.23,<1.24"], "1.23.5"),
        ("1.24.0", [">=1.24"], "1.24.0"),
        ("1.24.2", ["!=1.24.2"], "1.24.3"),
        ("1.24.2.post9", [], "1.24.2"),
        ("1.22.0", [">=1.24", "!=1.24.0"], "1.24.2"),
        ("3.0", [">=9"], None),
        ("1.24.0", ["nonsense"], None),
    ],
)
def test_nearest(
    only_shipped: Path, to: str | None, wanted: list[str], expected: str | None
) -> None:
    versions = ("1.23.0", "1.23.5", "1.24.0", "1.24.2", "1.24.3", "1.26.4", "2.0.0")
    install(only_shipped, Package("numpy", NEW, tuple(map(row, versions))))
    found = releases.nearest("numpy", wanted, to=to, python="3.9")
    assert (found and found.release.version) == expected


def test_nearest_by_a_function_and_without_building(only_shipped: Path) -> None:
    rows = (row("1.0", requires=("six",)), row("1.1"), row("1.2", tags=()))
    install(only_shipped, Package("numpy", NEW, rows))

    def plain(one: Release) -> bool:
        return one.requires == ()

    found = releases.nearest("numpy", plain, python="3.9")
    assert found is not None
    assert found.release.version == "1.1"
    built = releases.nearest("numpy", plain, python="3.9", build=True)
    assert built is not None
    assert (built.release.version, built.how) == ("1.2", "sdist")


def test_requirements_by_platform() -> None:
    one = row("1", requires=("a",), requires_on=(("windows-x86_64", ("b",)),))
    assert one.requires_for("windows-x86_64") == ("b",)
    assert one.requires_for("linux-x86_64") == ("a",)


def test_a_newer_copy_of_the_users_is_read(only_shipped: Path) -> None:
    install(only_shipped, Package("keras", NEW, (row("99.0"),)))
    assert [one.version for one in releases.releases_of("keras")] == ["99.0"]
    assert copies.in_use()[0].source == "user"


def test_an_older_copy_of_the_users_is_not(only_shipped: Path) -> None:
    install(only_shipped, Package("keras", "2000-01-01T00:00:00Z", (row("99.0"),)))
    assert len(releases.releases_of("keras")) > 100
    copy, problem = copies.in_use()
    assert (copy.source, problem) == ("shipped", None)


@pytest.mark.parametrize(
    "current", ["", "..", "../x", "/etc", ".hidden", "nothing-there", "\xff", "a/b"]
)
def test_a_pointer_that_leads_nowhere(only_shipped: Path, current: str) -> None:
    only_shipped.mkdir(parents=True)
    (only_shipped / "current").write_bytes(current.encode("latin-1"))
    assert len(releases.releases_of("keras")) > 100
    assert copies.in_use()[1]


def test_damage_in_the_users_copy(only_shipped: Path) -> None:
    install(only_shipped, Package("keras", NEW, (row("99.0"),)))
    for file in ("keras.json", "index.json"):
        path = only_shipped / "copy-1" / file
        whole = path.read_bytes()
        for damaged in (b"", whole[:-20], whole.replace(b"99.0", b"98.0"), b"[" * 10_000):
            if damaged == whole:
                continue
            path.write_bytes(damaged)
            forget()
            assert len(releases.releases_of("keras")) > 100, (file, damaged[:50])
        path.unlink()
        forget()
        assert len(releases.releases_of("keras")) > 100
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/share/keras-doctor/releases"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "/d"}, "/d/keras-doctor/releases"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "d"}, "/h/.local/share/keras-doctor/releases"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Application Support/keras-doctor/releases"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/keras-doctor/releases"),
        ("win32", {"HOME": "/h"}, "/h/AppData/Local/keras-doctor/releases"),
    ],
)
def test_user_folder(platform: str, environ: dict[str, str], expected: str) -> None:
    assert copies.user_folder(environ, platform) == expected


def test_a_check_loads_none_of_it() -> None:
    code = (
        "import sys; from keras_doctor.__main__ import main;"
        f"main(['check', '--no-live', '--python', {sys.executable!r}]);"
        "print(*sorted(m for m in sys.modules if m.startswith('keras_doctor')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    loaded = set(done.stderr.split())
    assert "keras_doctor.rules" in loaded
    unwanted = ("keras_doctor.registry", "keras_doctor.refresh", "keras_doctor.knowledge.rel")
    assert not [name for name in loaded if name.startswith(unwanted)]
