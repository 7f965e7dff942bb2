"""Which GPU of the catalogue a program runs on, by what the driver calls it."""

from collections.abc import Mapping

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpu_names import matching

FOUND = 0.85, 1.05
"""Of the memory as it is sold, what programs find."""


def gpu_at_hand(name: str, memory_gb: float | None, gpus: Mapping[str, Gpu]) -> Gpu | None:
    """The one of ``gpus`` that calls itself ``name``; None when there is none, or which it is cannot be told.

    Of several that are called so ``memory_gb`` decides, the GiB that programs find, and then what the site has.
    """
    found = matching(name, gpus)
    if len(found) > 1 and memory_gb is not None:
        found = [gpu for gpu in found if FOUND[0] < memory_gb / gpu.memory_gb < FOUND[1]]
    if len(found) > 1:
        found = [gpu for gpu in found if gpu.of_site] or found
    return found[0] if len(found) == 1 else None
