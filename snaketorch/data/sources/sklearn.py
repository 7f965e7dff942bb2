"""Image sets that are installed with scikit-learn."""

import numpy as np
from sklearn.datasets import load_digits

from snaketorch.config.datasets import SklearnSource
from snaketorch.data.raw import RawImages
from snaketorch.errors import DataError


def load(options: SklearnSource) -> RawImages:
    """The image set that ``options.name`` names."""
    return {"digits": _digits}[options.name]()


def _digits() -> RawImages:
    data = load_digits()
    return RawImages(
        images=grey_levels(data.images, steps=16)[:, None],
        labels=data.target.astype(np.int64),
        classes=tuple(str(name) for name in data.target_names),
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
