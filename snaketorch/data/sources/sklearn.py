"""Image sets that are installed with scikit-learn."""

import numpy as np
from sklearn.datasets import load_digits

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.images import RawImages
from snaketorch.data.readers import MemoryReader
from snaketorch.errors import DataError


def load(spec: PrepareSpec) -> RawImages:
    """The image set that ``spec.source.name`` names."""
    return {"digits": _digits}[spec.source.name]()


def _digits() -> RawImages:
    data = load_digits()
    return RawImages(
        labels=data.target.astype(np.int64),
        classes=tuple(str(name) for name in data.target_names),
        names=[f"row {row}" for row in range(len(data.target))],
        reader=MemoryReader(grey_levels(data.images, steps=16)[:, None]),
    )


def grey_levels(counts: np.ndarray, steps: int) -> np.ndarray:
    """Whole numbers from 0 to ``steps`` as grey levels from 0 to 255 (uint8).

    Reversible while ``steps`` is below 256: ``rint(grey * steps / 255)`` gives the numbers back.
    """
    if not np.array_equal(counts, np.clip(np.rint(counts), 0, steps)):
        raise DataError(
            f"the images hold {counts.min():g} to {counts.max():g}; allowed: whole numbers from 0 to {steps}"
        )
    return np.rint(counts * (255 / steps)).astype(np.uint8)
