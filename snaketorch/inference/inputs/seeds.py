"""Numbers that a generator makes images of."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from snaketorch.data.loading.samples import ArraySamples, Batch
from snaketorch.data.manifest import Manifest
from snaketorch.data.raw.images import RawImages
from snaketorch.inference.columns import Column
from snaketorch.inference.inputs.base import ROWS, SOURCE, Fields, Input, is_missing, truth_of


class Seeds(Input):
    """Column `seed`, a whole number from 0 on, and `label`, a class, where the generator is told one.

    The test's images are those of the seeds 0, 1, 2, and so on.
    """

    def __init__(self, task, options, most_pixels):
        super().__init__(task, options, most_pixels)
        self.conditional, self.classes = task.network.conditional, self.facts["classes"]
        self.columns = [Column("seed", "long")]
        if self.conditional:
            self.columns.append(Column("label", "string", description=", ".join(self.classes)))

    def read(self, rows: pd.DataFrame) -> tuple[Fields, dict[int, str]]:
        bad: dict[int, str] = {}
        seeds, labels = [], []
        known = {name: number for number, name in enumerate(self.classes)}
        for place, seed in enumerate(rows["seed"]):
            label = rows["label"].iloc[place] if self.conditional else None
            if not _is_whole(seed):
                bad[place] = f"'seed' is {seed!r}; allowed: whole numbers from 0 on"
            elif self.conditional and not (isinstance(label, str) and label in known):
                bad[place] = f"'label' is {label!r}; allowed: {', '.join(self.classes)}"
            else:
                seeds.append(int(seed))
                labels.append(known[label] if self.conditional else 0)
        return {"seed": np.array(seeds, np.int64), "label": np.array(labels, np.int64)}, bad

    def samples(self, fields: Fields) -> "_SeedSamples":
        return _SeedSamples({name: torch.from_numpy(values) for name, values in fields.items()})

    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        label = manifest.arrays("train")["label"][number]
        return {"seed": number} | ({"label": self.classes[int(label)]} if self.conditional else {})

    def rows_of(self, raw: RawImages) -> Iterator[pd.DataFrame]:
        """As many seeds as there are images, of their classes."""
        for start in range(0, len(raw.labels), ROWS):
            rows = range(start, min(start + ROWS, len(raw.labels)))
            label = {"label": truth_of(raw, rows)} if self.conditional else {}
            yield pd.DataFrame({"seed": [*rows], **label, SOURCE: [raw.names[row] for row in rows]})


class _SeedSamples(ArraySamples):
    """Samples whose numbers are seeds."""

    def batch(self, indices: Tensor) -> Batch:
        batch = super().batch(indices)
        return {"label": batch["label"], "sample": batch["seed"]}


def _is_whole(seed: Any) -> bool:
    if is_missing(seed) or isinstance(seed, bool | np.bool_) or not isinstance(seed, int | float | np.number):
        return False
    return 0 <= seed < 2**63 and float(seed).is_integer()
