"""Which GPUs of the catalogue are shown, and in which order."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpu_names import matching, name_key, unknown
from snaketorch.config.problems import did_you_mean, listed
from snaketorch.errors import UserError

SORTS: Mapping[str, Callable[[Gpu, str | None], float]] = {
    "tflops": lambda gpu, precision: -gpu.tflops.get(precision or "", gpu.best_tflops),
    "memory": lambda gpu, _: -gpu.memory_gb,
    "bandwidth": lambda gpu, _: -gpu.bandwidth_gbs,
    "price": lambda gpu, _: math.inf if gpu.price_per_hour is None else gpu.price_per_hour,
}
"""Orders, each by a key that is smallest for what comes first: the most, but the lowest price."""


@dataclass(frozen=True)
class Choice:
    """What a GPU must have to be shown."""

    names: Sequence[str] = ()
    """As they were typed; a name of several words may be several of them."""
    vendor: str | None = None
    architecture: str | None = None
    made_for: str | None = None
    min_memory: float | None = None
    """GiB."""
    precision: str | None = None
    """In hardware."""
    sort: str | None = None
    """One of ``SORTS``; None for the order of the catalogue."""

    def of(self, gpus: Mapping[str, Gpu]) -> list[Gpu]:
        """Those of ``gpus`` that are asked for. UserError for a name, vendor or architecture that none has."""
        chosen = _named(self.names, gpus) if self.names else list(gpus.values())
        for what in ("vendor", "architecture"):
            if word := getattr(self, what):
                known = {getattr(gpu, what).lower(): getattr(gpu, what) for gpu in gpus.values()}
                if word.lower() not in known:
                    hint = did_you_mean(word, known.values())
                    raise UserError(f"no GPU has the {what} '{word}'; allowed: {listed(known.values(), 20)}{hint}")
                chosen = [gpu for gpu in chosen if getattr(gpu, what).lower() == word.lower()]
        chosen = [gpu for gpu in chosen if self._has_all(gpu)]
        if self.sort:
            chosen.sort(key=lambda gpu: SORTS[self.sort](gpu, self.precision))
        return chosen

    def _has_all(self, gpu: Gpu) -> bool:
        return (
            self.made_for in (None, gpu.made_for)
            and (self.min_memory is None or gpu.memory_gb >= self.min_memory)
            and self.precision in (None, "fp32", *gpu.native)
        )


def _named(words: Sequence[str], gpus: Mapping[str, Gpu]) -> list[Gpu]:
    """The GPUs that the words mean, as many of them as can be one name taken together: `RTX 3090 A100` are two."""
    found: dict[str, Gpu] = {}
    start = brand = 0
    while start < len(words):
        ends = range(len(words), start, -1)
        end = next((end for end in ends if matching(" ".join(words[start:end]), gpus)), None)
        if end is None:
            raise unknown(" ".join(words[brand:]), gpus)
        name = " ".join(words[start:end])
        found |= {gpu.name: gpu for gpu in matching(name, gpus)}
        # of `RTX 3900` the first word alone means many, and what is unknown is both
        brand, start = end if name_key(name) else start, end
    return list(found.values())
