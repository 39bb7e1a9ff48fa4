"""The reports of what is known: releases, rules, environments, programs."""

from __future__ import annotations

from keras_doctor.report.json.envelope import envelope, target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from keras_doctor.compat.answer import Answer
    from keras_doctor.knowledge.contents import Contents
    from keras_doctor.model import Snapshot
    from keras_doctor.refresh.update import Updated
    from keras_doctor.report.pages import RulePage
    from keras_doctor.scan.judge import Scan


def envs(environments: Sequence[Any], *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `envs`: one entry for each Python that was found."""
    from keras_doctor.codec import encode

    rows = [encode(environment) for environment in environments]
    return envelope("envs", None, exit_code=exit_code) | {"environments": rows}


def compat(answer: Answer, *, exit_code: int) -> dict[str, Any]:
    """The report of `compat`; about no Python of the user's, so without a target."""
    from keras_doctor.codec import encode

    found: dict[str, Any] = encode(answer)
    return envelope("compat", None, exit_code=exit_code) | found


def scan(found: Scan, *, exit_code: int) -> dict[str, Any]:
    """The report of `scan`."""
    return envelope("scan", None, exit_code=exit_code) | {
        "python": found.python,
        "files": found.files,
        "paths": [
            {
                "path": row.path,
                "here": row.here,
                "releases": [list(pair) for pair in row.ranges] if row.ranges is not None else None,
                "instead": row.instead,
                "uses": [
                    {"file": u.file, "line": u.line, "text": u.text, "guarded": u.guarded}
                    for u in row.uses
                ],
            }
            for row in found.judged
        ],
        "packages": [
            {
                "package": package.name,
                "distribution": package.distribution,
                "installed": package.installed,
                "together": [list(pair) for pair in package.together],
                "without": list(package.without),
            }
            for package in found.packages
        ],
        "problems": list(found.problems),
    }


def snapshot(facts: Snapshot, *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `snapshot`, which holds the snapshot under a key of its own."""
    from keras_doctor.codec import encode

    return envelope("snapshot", target(facts), exit_code=exit_code) | {"snapshot": encode(facts)}


def rules(pages: Sequence[RulePage], *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `rules`."""
    listed = [_rule(page) for page in pages]
    return envelope("rules", None, exit_code=exit_code) | {"rules": listed}


def rule(page: RulePage, *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `rule`."""
    full = _rule(page) | {"page": page.page}
    return envelope("rule", None, exit_code=exit_code) | {"rule": full}


def knowledge(
    known: Contents,
    *,
    updated: Updated | None = None,
    problem: str | None = None,
    exit_code: int = 0,
) -> dict[str, Any]:
    """The report of `knowledge`; `updated` or `problem` tell of an update."""
    update = None
    if updated is not None or problem is not None:
        new = updated.new if updated else ()
        update = {
            "done": updated is not None,
            "problem": problem,
            "new": [{"name": name, "releases": count} for name, count in new],
            "missing": list(updated.missing) if updated else [],
            "asked": updated.asked if updated else None,
        }
    return envelope("knowledge", None, exit_code=exit_code) | {
        "copy": {
            "source": known.source,
            "folder": known.folder,
            "date": known.date,
            "size": known.size,
            "problem": known.problem,
        },
        "packages": [
            {
                "name": package.name,
                "releases": package.releases,
                "requires": package.requires,
                "first": package.first,
                "last": package.last,
                "read": package.read,
                "gaps": [{"what": what, "why": why} for what, why in package.gaps],
            }
            for package in known.packages
        ],
        "missing": [{"name": name, "why": why} for name, why in known.missing],
        "files": [file._asdict() for file in known.files],
        "update": update,
    }


def _rule(page: RulePage) -> dict[str, Any]:
    return {
        "code": page.code,
        "name": page.name,
        "family": page.family,
        "causes": list(page.causes),
        "summary": page.summary,
        "docs": f"rules/{page.code}",
    }
