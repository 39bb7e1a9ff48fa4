"""From the files that an index lists, and what their metadata requires, to releases."""

from __future__ import annotations

from keras_doctor.knowledge.releasefile import Package, Release, well_formed
from keras_doctor.knowledge.tags import platform_of
from keras_doctor.records import NamedTuple
from keras_doctor.registry.filenames import parse_filename
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keras_doctor.registry.listing import File, Listing
    from keras_doctor.versions import Version

_PREFERRED = ("any", "linux-x86_64")


def precedence(platform: str) -> tuple[int, str]:
    """Sorts platforms: the one whose wheel speaks for a release comes first, an sdist last."""
    if platform in _PREFERRED:
        return _PREFERRED.index(platform), ""
    return len(_PREFERRED) + (platform == "sdist"), platform


class Upload(NamedTuple):
    """A file together with what its name says."""

    version: str
    tag: str | None
    file: File

    @property
    def platform(self) -> str:
        """The platform of a wheel, or ``sdist``."""
        return "sdist" if self.tag is None else platform_of(self.tag)


def uploads_by_version(listing: Listing) -> dict[str, tuple[Upload, ...]]:
    """The wheels and sdists of each release, oldest version first."""
    found: dict[Version, list[Upload]] = {}
    for file in listing.files:
        parts = parse_filename(file.filename, listing.name)
        if parts is not None and well_formed(parts.version):
            upload = Upload(parts.version, parts.tag, file)
            found.setdefault(compare_key(parts.version), []).append(upload)
    # Old and new files of one release may spell it differently: a wheel's spelling is normal.
    return {
        max(rows, key=lambda row: (row.tag is not None, row.version)).version: tuple(rows)
        for _, rows in sorted(found.items())
    }


def speakers(uploads: Sequence[Upload], *, per_platform: bool) -> dict[str, Upload]:
    """The files whose metadata stands for a release, by platform, the most telling one first.

    Args:
        uploads: The files of one release.
        per_platform: Whether its wheels require different things by platform; else one speaks
            for all.
    """
    wheels = {row.platform: row for row in reversed(uploads) if row.tag is not None}
    chosen = {platform: wheels[platform] for platform in sorted(wheels, key=precedence)}
    if not chosen:
        chosen = {row.platform: row for row in uploads}
    return chosen if per_platform else dict(list(chosen.items())[:1])


def assemble(
    listing: Listing,
    requires: Mapping[str, Mapping[str, tuple[str, ...]]],
    gaps: Sequence[tuple[str, str]] = (),
) -> Package:
    """The package that a listing describes.

    Args:
        listing: Its files.
        requires: The requirements that were read, by version and platform; the first platform
            of a version speaks for those that are not named.
        gaps: What could not be read.
    """
    releases = []
    for version, uploads in uploads_by_version(listing).items():
        read = list(requires.get(version, {}).items())
        main = read[0][1] if read else None
        dates = [row.file.uploaded for row in uploads if row.file.uploaded]
        pythons = [row.file.requires_python for row in uploads if row.file.requires_python]
        releases.append(
            Release(
                version=version,
                date=min(dates, default=None),
                yanked=all(row.file.yanked for row in uploads),
                requires_python=pythons[-1] if pythons else None,
                requires=main,
                tags=tuple(sorted({row.tag for row in uploads if row.tag})),
                has_sdist=any(row.tag is None for row in uploads),
                requires_on=tuple((place, lines) for place, lines in read[1:] if lines != main),
            )
        )
    return Package(name=listing.name, read=listing.read, releases=tuple(releases), gaps=tuple(gaps))
