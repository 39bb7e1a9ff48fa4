"""What the tests of repairs share: findings with fixes, steps, and plans."""

from __future__ import annotations

from typing import Any

from rules.factory import PROJECT, SCRIPT, SITE

from keras_doctor.model import Finding, Fix
from keras_doctor.model.outcome import Change
from keras_doctor.model.plan import Step
from keras_doctor.rules.base import finding

__all__ = ["PROJECT", "SCRIPT", "SITE", "a_finding", "a_fix", "a_step"]


def a_fix(kind: str, name: str | None = None, value: str | None = None, **fields: Any) -> Fix:
    """One way out of a finding."""
    blank = Fix(kind=kind, summary=f"Do {kind}.", argv=None, command=None, name=name, value=value)
    return blank._replace(**fields)


def a_finding(*fixes: Fix, changes: tuple[Change, ...] = (), **fields: Any) -> Finding:
    """A finding with these fixes."""
    found = finding(
        fields.pop("code", "KD999"),
        fields.pop("cause", "some-cause"),
        fields.pop("culprit", "numpy"),
        title=fields.pop("title", "numpy is wrong"),
        why="It is.",
        evidence=(),
        stage=0,
        weight="fatal",
        subject="numpy",
        fixes=list(fixes),
    )
    return found._replace(changes=changes, **fields)


def a_step(kind: str, *requirements: str, **fields: Any) -> Step:
    """A step of a plan."""
    risk = "safe" if kind in ("install", "reinstall", "uninstall") else "shown"
    blank = Step(
        kind=kind,
        risk=risk,
        summary=f"Do {kind}.",
        code="KD999",
        cause="some-cause",
        culprit="numpy",
        requirements=requirements,
    )
    return blank._replace(**fields)
