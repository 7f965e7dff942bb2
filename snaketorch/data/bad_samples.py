"""What becomes of samples that cannot be used: an error that names the first, or a list of those left out."""

import logging
from collections.abc import Sequence

import numpy as np

from snaketorch.config.datasets import Prepare
from snaketorch.data.quality.report import Skipped
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

MOST_TO_LOG = 5


class BadSamples:
    """Follows ``prepare.on_bad_sample`` and ``prepare.max_bad_share``."""

    def __init__(self, options: Prepare, total: int):
        """``total`` counts all samples of the dataset, good and bad."""
        self._options, self._total = options, total
        self.skipped: list[Skipped] = []

    def add(self, name: str, why: str) -> None:
        """A bad sample. DataError when it may not be skipped, or is one too many."""
        if self._options.on_bad_sample == "error":
            raise DataError(
                f"{name}: {why}. Mend or remove it, or set `prepare: {{on_bad_sample: skip}}` to leave such samples out"
            )
        self.skipped.append(Skipped(name, why))
        if len(self.skipped) <= MOST_TO_LOG:
            log.warning("left out %s: %s", name, why)
        most = int(self._options.max_bad_share * self._total)
        if len(self.skipped) > most:
            raise DataError(
                f"{len(self.skipped)} of {self._total} samples are bad, and there may be more; prepare.max_bad_share "
                f"({self._options.max_bad_share:g}) allows {most}. The last: {name}: {why}"
            )

    def finish(self, counts: np.ndarray, classes: Sequence[str]) -> None:
        """Sums up. DataError when a class has lost all its samples; ``counts``: what each class has left."""
        if len(self.skipped) > MOST_TO_LOG:
            log.warning("left out %d samples in all; the manifest lists them", len(self.skipped))
        lost = [name for name, count in zip(classes, counts, strict=True) if not count]
        if lost:
            raise DataError(f"all samples of class {', '.join(map(repr, lost))} are bad; every class needs samples")
