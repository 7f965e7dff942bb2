"""Batches as a task sees them, of zeros or without content."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch

from snaketorch.config.augment import Augment
from snaketorch.data.loading.samples import Batch, Samples
from snaketorch.implementation import resolve
from snaketorch.planning.fakes import NEED_VALUES, Fakes

FEW = 2
"""Samples that augmentation is tried on; what comes out has the same form for any number."""


def batch_of(samples: Samples, size: int, mode: Fakes | None) -> Batch:
    """``size`` of the ``samples``, fake where there is a ``mode``; over again from the first where they are fewer."""
    if mode is None:
        return samples.batch(torch.arange(size) % len(samples))
    try:
        with mode:  # nothing as large as the batch is made
            return samples.batch(torch.arange(size) % len(samples))
    except NEED_VALUES:  # how long the longest sample is
        return {name: mode.from_tensor(value) for name, value in batch_of(samples, size, None).items()}


def seen_batch(
    samples: Samples, size: int, augment: Augment | None, facts: Mapping[str, Any], seed: int, mode: Fakes | None
) -> Batch:
    """The same for training, with the fields, formats and shapes that augmentation gives."""
    if augment is None or not augment.active:
        return batch_of(samples, size, mode)
    augmentation = resolve(augment.implementation)(augment, facts["provides"], facts["fields"], seed)
    rows = augmentation.fetch(torch.arange(FEW) % len(samples), 0, len(samples))
    seen = augmentation(samples.batch(rows), 0)
    with mode or nullcontext():
        return {name: torch.zeros(size, *value.shape[1:], dtype=value.dtype) for name, value in seen.items()}
