"""Where the samples of a training lie, and in which kind of order they are drawn there."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from snaketorch.config.trainer import DataLoader
from snaketorch.data.loading.host_memory import free_host_memory
from snaketorch.data.loading.order import Shuffle
from snaketorch.data.loading.samples import Samples
from snaketorch.errors import UserError

log = logging.getLogger(__name__)

PLACES = {"device": "the device's memory", "host": "host memory", "memory_map": "the files on disk"}


@dataclass(frozen=True)
class Placement:
    """Where samples lie, and why there."""

    placement: str
    """`device`, `host` or `memory_map`."""
    why: str
    bytes: int
    """Of the samples of training and validation."""
    shuffle: Shuffle

    def place(self, samples: Samples, device: torch.device) -> Samples:
        """The samples, there."""
        if self.placement == "memory_map":
            return samples
        if self.placement == "device" and device.type == "cuda":
            return samples.apply(lambda tensor: tensor.to(device))
        # out of the memory map; for a GPU the batches are pinned, not what they are gathered from
        return samples.apply(torch.Tensor.clone)

    def reads_ahead_for(self, device: torch.device) -> torch.device | None:
        """The device to bring batches to, as the loaders understand it."""
        return None if self.placement == "device" else device


def choose_placement(
    options: DataLoader, splits: Sequence[Samples], device: torch.device, shuffle: Shuffle | None, sharing: int = 1
) -> Placement:
    """The first place that has room, or the one that is asked for.

    Args:
        options: What the experiment says.
        splits: All samples that the training needs.
        device: Where it runs; on a CPU the device's memory is the host's.
        shuffle: The kind of order that the training began with; None at its beginning.
        sharing: Processes that share the host's memory, each with all samples.

    Raises:
        UserError: the place that is asked for has no room.
    """
    size = sum(samples.nbytes for samples in splits)
    host = free_host_memory() // sharing
    free = {"device": torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else host, "host": host}
    if options.placement != "auto":
        place, why = options.placement, "asked for"
        if size > free.get(place, size):
            raise UserError(
                f"data_loader.placement: {place}: the samples take {_shown(size)}, and {PLACES[place]} has "
                f"{_shown(free[place])} free; allowed here: auto, "
                + ("host, memory_map" if place == "device" and device.type == "cuda" else "memory_map")
            )
    else:
        fitting = [place for place in free if size <= options.memory_share * free[place]]
        place = fitting[0] if fitting else "memory_map"
        nearest = place if fitting else "host"
        why = (
            f"{_shown(size)} {'is within' if fitting else 'is more than'} {options.memory_share:.0%} of the "
            f"{_shown(free[nearest])} that {PLACES[nearest]} has free"
        )
    usual: Shuffle = "blocks" if place == "memory_map" else "full"
    chosen = Placement(place, why, size, shuffle or usual)
    log.info("Samples lie in %s (%s), shuffled %s", PLACES[place], why, _HOW[chosen.shuffle])
    if place == "memory_map" and chosen.shuffle == "full":
        log.warning(
            "This training began with a full shuffle and keeps it, so it reads single samples from all over the disk; "
            "more memory, or a new start, would make it faster"
        )
    return chosen


_HOW = {"full": "fully", "blocks": "in blocks"}


def _shown(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
