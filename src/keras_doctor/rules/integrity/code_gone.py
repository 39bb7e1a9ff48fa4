"""Distributions whose metadata is there and whose code is not, which no RECORD tells."""

from __future__ import annotations

from keras_doctor.rules.base import finding, listing, seen
from keras_doctor.rules.integrity.damage import check_of, key_name, signs_of
from keras_doctor.rules.remedies import reinstall
from keras_doctor.rules.stages import FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Evidence, Finding
    from keras_doctor.rules.context import Context


def without_code(context: Context) -> Iterator[Finding]:
    """Distributions on the way of which no import package is anywhere on the path.

    The comparison with a RECORD does not see them: that of an editable install lists the link and
    not the code, and a folder that was emptied by hand may have lost its RECORD as well.
    """
    for name in context.way:
        distribution = context.first(name)
        if distribution is None:
            continue
        packages = [p for p in distribution.import_packages if not p.startswith("_")]
        if not packages or not all(context.is_absent(p) for p in packages):
            continue
        check = check_of(context, distribution)
        if check is not None and check.anomalies:
            continue  # its RECORD tells which files are gone
        yield _finding(context, distribution, packages)


def _finding(context: Context, distribution: Distribution, packages: list[str]) -> Finding:
    shown = f"{distribution.name} {distribution.version}"
    return finding(
        "KD301",
        "missing-files",
        distribution.name,
        title=_title(distribution, shown),
        why="pip reads the metadata and says that it is installed; Python finds nothing to import.",
        evidence=[
            seen(f"{shown} is installed, as its metadata says", distribution.metadata),
            *_link(distribution),
            seen(f"nothing on the path answers to `import {listing(packages)}`"),
        ],
        stage=FILES,
        weight="fatal" if distribution in context.owners("keras") else "likely",
        subject=key_name(distribution),
        fixes=[reinstall(context, distribution)],
        signs=signs_of(distribution, []),
        explains=[
            f"{slug}:{name}"
            for slug in ("not-installed", "backend-not-installed")
            for name in sorted({*packages, key_name(distribution)})
        ],
    )


def _title(distribution: Distribution, shown: str) -> str:
    if distribution.editable:
        return f"{shown} is installed in editable mode, and Python does not find its code any more"
    return f"The metadata of {shown} is there, and its code is not"


def _link(distribution: Distribution) -> Iterator[Evidence]:
    if distribution.origin_url:
        kind = "in editable mode " if distribution.editable else ""
        place = f"{distribution.metadata}/direct_url.json"
        yield seen(f"it was installed {kind}from {distribution.origin_url}", place)
