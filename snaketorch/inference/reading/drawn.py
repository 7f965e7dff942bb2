"""Rows for a model that makes samples from nothing: a seed each."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from snaketorch.inference.reading.part import PART_ROWS, SOURCE, Part, Read


class Seeds:
    """Seeds one after the other, and the classes in turn where samples have one."""

    files: Sequence[Path] = ()

    def __init__(self, count: int, seed: int, classes: Sequence[str] | None):
        """``count`` samples from ``seed`` on; ``classes``: what the column `label` takes, None where there is none."""
        self.most_rows, self._seed, self._classes = count, seed, classes

    def parts(self) -> Iterator[Read]:
        for first in range(0, self.most_rows, PART_ROWS):
            yield partial(self._read, range(first, min(first + PART_ROWS, self.most_rows)))

    def _read(self, rows: Sequence[int]) -> Part:
        samples: dict[str, list] = {"seed": [self._seed + row for row in rows]}
        if self._classes:
            samples["label"] = [self._classes[row % len(self._classes)] for row in rows]
        named = [f"seed {self._seed + row}" for row in rows]
        # the class was chosen here, so it is told
        return Part(
            pd.DataFrame(samples), pd.DataFrame({SOURCE: named} | {k: samples[k] for k in samples if k != "seed"})
        )
