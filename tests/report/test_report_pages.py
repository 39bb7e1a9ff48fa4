"""The screens of `envs`, `rules` and `rule`."""

from __future__ import annotations

from keras_doctor.report.environments import render_envs
from keras_doctor.report.pages import RulePage, render_rule, render_rules
from keras_doctor.targets.inventory import EnvironmentFound
from keras_doctor.targets.packages import PackageFound

LONG = "/home/ada/" + "deep/" * 20 + "env/bin/python"


def environment(python: str, *packages: str, **fields: object) -> EnvironmentFound:
    return EnvironmentFound(
        python=python,
        folder=None,
        manager="venv",
        version="3.11.7",
        found=("PATH",),
        packages=tuple(
            PackageFound(name=text.split()[0], version=text.split()[1], location="/s")
            for text in packages
        ),
        active=bool(fields.get("active")),
        pip=("pip",) if fields.get("pip") else (),
        problem=str(fields["problem"]) if "problem" in fields else None,
    )


def test_one_line_each_with_keras_first() -> None:
    text = render_envs(
        (
            environment("/a/python", "numpy 2.2.1", "jax 0.5.0", "keras 3.8.0", active=True),
            environment(LONG, "torch 2.5.1"),
            environment("/gone/python", problem="its interpreter is gone\x1b[2J"),
        ),
        width=40,
    )
    lines = text.splitlines()
    assert lines[0].split() == (
        ["*", "/a/python", "3.11.7", "keras", "3.8.0,", "jax", "0.5.0,", "numpy", "2.2.1", "(PATH)"]
    )
    assert LONG in lines[1]
    assert lines[0].index("3.11.7") == lines[1].index("3.11.7") == lines[2].index("3.11.7")
    assert "its interpreter is gone\\x1b[2J" in lines[2]
    assert lines[3] == ""


def test_a_pip_that_installs_elsewhere_is_said() -> None:
    text = render_envs(
        (environment("/a/python", active=True), environment("/b/python", "keras 2.3.1", pip=True))
    )
    flat = " ".join(text.split())
    assert "no Keras, no backend" in flat
    assert "`pip` installs into /b/python, not into that one." in flat
    assert "`/a/python -m pip install ...`" in flat


def test_nothing_found() -> None:
    assert "No Python that holds" in render_envs(())
    assert "None of these" in render_envs((environment("/b/python", "keras 2.3.1"),))


RULE = RulePage(
    code="KD102",
    name="backend-not-installed",
    family="Selection",
    causes=("backend-not-installed",),
    summary="The selected backend is ``not`` installed.",
    page="The summary of it.\n\nA paragraph\nin two lines with ``code``.\n\n    an example\n"
    "      as it stands\n\n- one\n- two\n",
)


def test_rule_page() -> None:
    assert render_rule(RULE, width=30) == (
        "KD102 backend-not-installed\n"
        "Selection\n"
        "\n"
        "The summary of it.\n"
        "\n"
        "A paragraph in two lines with\n"
        "`code`.\n"
        "\n"
        "    an example\n"
        "      as it stands\n"
        "\n"
        "- one\n"
        "- two\n"
    )


def test_rules_by_family_in_common_columns() -> None:
    other = RULE._replace(code="KD201", name="short", family="Resolution")
    assert render_rules([RULE, other], width=100) == (
        "Selection\n"
        "  KD102  backend-not-installed  The selected backend is `not` installed.\n"
        "\n"
        "Resolution\n"
        "  KD201  short                  The selected backend is `not` installed.\n"
    )
