"""Files in class folders that are no samples: told by their endings, so that none is ignored without a word."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePath

from snaketorch.data.quality.report import MOST_EXAMPLES, Finding

log = logging.getLogger(__name__)

SAMPLES_OF_OTHER_FORMATS = {
    "images": frozenset(
        {
            *{".gif", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".svg", ".psd", ".tga"},
            *{".ppm", ".pgm", ".pbm", ".pnm", ".exr", ".hdr", ".ico", ".dng", ".cr2", ".nef", ".arw", ".raw", ".dcm"},
        }
    ),
    "videos": frozenset(
        {".gif", ".wmv", ".flv", ".f4v", ".3gp", ".ogv", ".ts", ".mts", ".m2ts", ".vob", ".asf", ".mpe", ".mxf", ".y4m"}
    ),
}
"""By what the samples are, endings of files that are such too, in formats that are not read."""


def by_ending(names: Sequence[str]) -> dict[str, list[str]]:
    """The names by their ending in small letters, the most frequent ending first."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[PurePath(name).suffix.lower()].append(name)
    return dict(sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])))


def say_endings(names: Sequence[str]) -> str:
    """``12 .gif, 3 without an ending``."""
    return ", ".join(
        f"{len(members):,} {ending or 'without an ending'}" for ending, members in by_ending(names).items()
    )


def examine_aside(names: Sequence[str], things: str, allowed: str) -> list[Finding]:
    """A finding for each ending, said in the log too; ``things`` are the samples, of the ``allowed`` endings."""
    findings = []
    for ending, members in by_ending(names).items():
        is_sample = ending in SAMPLES_OF_OTHER_FORMATS.get(things, ())
        what = f"{len(members):,} {'file' if len(members) == 1 else 'files'} {ending or 'without an ending'}"
        why = f"{things} of a format that is not read" if is_sample else f"no {things} by name"
        summary = f"Left aside: {what}, {why}; read are {allowed}."
        findings.append(
            Finding(
                "files left aside",
                "problem" if is_sample else "hint",
                f"{summary} Save them in such a format, or move them elsewhere." if is_sample else summary,
                len(members),
                tuple(members[:MOST_EXAMPLES]),
            )
        )
        log.warning("left aside: %s, %s, such as %s", what, why, members[0])
    return findings
