"""What a model made as it learnt, images or text, in the order of epochs."""

import re
from dataclasses import dataclass
from pathlib import Path

from snaketorch.report.datasets import picture
from snaketorch.report.results import Experiment

MOST_EARLIER = 5
"""Samples before the last one that are shown, evenly spread over the training."""
MOST_CHARACTERS = 5_000
"""Of a text."""
FILE = re.compile(r"epoch-(\d+)\.(png|txt)")


@dataclass(frozen=True)
class Sample:
    """What was made at the end of one epoch; both are None of a picture that is too large for the page."""

    epoch: int
    path: Path
    picture: str | None
    """A data URI."""
    text: str | None


@dataclass(frozen=True)
class Samples:
    """Of one kind, in the training of the first seed."""

    seed: int
    folder: Path
    count: int
    """In the folder, those that are not shown included."""
    earlier: list[Sample]
    last: Sample


def samples(experiment: Experiment) -> list[Samples]:
    """What the first seed's folder of samples holds: pictures, then texts; empty where there is nothing."""
    seed = experiment.seeds[0]
    folder = seed.folder / "samples"
    found = {"png": {}, "txt": {}}
    for path in folder.iterdir() if folder.is_dir() else ():
        if name := FILE.fullmatch(path.name):
            found[name[2]][int(name[1])] = path
    kinds = []
    for paths in filter(None, found.values()):
        *earlier, last = [_read(epoch, paths[epoch]) for epoch in _chosen(sorted(paths))]
        kinds.append(Samples(seed.seed, folder, len(paths), earlier, last))
    return kinds


def _chosen(epochs: list[int]) -> list[int]:
    """The first, the last, and some between, as evenly spread as they can be."""
    parts = min(MOST_EARLIER, len(epochs) - 1)
    return [epochs[round(part * (len(epochs) - 1) / max(parts, 1))] for part in range(parts + 1)]


def _read(epoch: int, path: Path) -> Sample:
    if path.suffix == ".png":
        return Sample(epoch, path, picture(path), None)
    text = path.read_text("utf-8", errors="replace")
    return Sample(epoch, path, None, text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rstrip() + " …")
