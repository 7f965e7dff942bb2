"""Augmented copies of the training images, made once and written beside them."""

import logging

import numpy as np

from snaketorch.config.augment import Augment
from snaketorch.config.contents import IMAGES
from snaketorch.data.progress import Progress
from snaketorch.data.store import Rows
from snaketorch.implementation import resolve

log = logging.getLogger(__name__)

BATCH_VALUES = 2**20
"""Pixels of the images that are augmented at once; as floats, and with what is between, some tens of megabytes."""


def append_copies(out: Rows, labels: np.ndarray, copies: int, options: Augment, seed: int) -> np.ndarray:
    """Adds ``copies`` augmented copies of each image that ``out`` holds. The labels of all, copies included.

    The draws are those of an experiment's augmentation with this seed, in epoch 1 for the first copy
    and so on. On the CPU, so that every machine makes the same ones.

    Args:
        out: The training images.
        labels: int64, (images,).
        copies: Of each image.
        options: How they are made.
        seed: For the draws.
    """
    # images without copies do without seconds of imports
    import torch

    count, shape = out.count, out.shape
    fields = {
        # so what comes out is between 0 and 1, whatever the dataset
        "image": {
            "dtype": "uint8",
            "shape": list(shape),
            "statistics": {"mean": [0.0] * shape[0], "std": [1.0] * shape[0]},
        },
        "label": {"dtype": "int64", "shape": []},
    }
    augmentation = resolve(options.implementation)(options, IMAGES, fields, seed)
    batch = max(1, BATCH_VALUES // int(np.prod(shape)))
    progress = Progress(log, "augmented", "images", count * copies)
    originals = out.written()
    for copy in range(1, copies + 1):
        for start in range(0, count, batch):
            rows = torch.arange(start, min(start + batch, count))
            augmented = augmentation(
                {
                    "image": torch.from_numpy(np.array(originals[start : start + batch])),
                    "label": torch.from_numpy(labels[start : start + batch]),
                    "sample": rows,
                },
                copy,
            )["image"]
            out.append((augmented * 255).round().clamp(0, 255).to(torch.uint8).contiguous().numpy())
            progress.add(len(rows))
    log.info("added %d augmented copies of each of the %d training images", copies, count)
    return np.concatenate([labels] * (copies + 1))
