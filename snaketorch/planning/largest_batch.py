"""The largest batch that a device has room for."""

from collections.abc import Callable
from functools import cached_property

from snaketorch.config.specs import TrainSpec
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.memory import Memory, is_placed

LEAST = 2
"""Batch normalisation has no variance of a single sample."""
FAR = 8
"""Times the batch that is asked for: so far off that the allocator's segments hardly bend the line through both."""
OFF_THE_LINE = 0.03
"""Memory is nearly a straight line over the size of the batch; sizes nearer than this are not told apart."""
TRIES = 4


class LargestBatch:
    """Answers for any amount of memory; what was traced for one answer serves the next.

    Attributes:
        needs: By batch size the bytes with which a device is safe.
    """

    def __init__(self, spec: TrainSpec, estimated: Callable[[int], Estimate]):
        """``estimated``: gives the estimate of ``spec`` with batches of another size."""
        self._spec, self._estimated = spec, estimated
        asked = estimated(spec.data_loader.batch_size)
        self._most = asked.samples_per_epoch
        self._asked, self._memory = min(asked.batch_size, self._most), asked.memory
        self.needs = {self._asked: asked.memory.upper_bound}

    def about(self, free_bytes: int) -> int | None:
        """About the largest batch for so much free memory, drawn from two sizes; None where it has no room for any."""
        if not self._has_room_for_weights(free_bytes):
            return None
        asked, (far, memory) = self._memory, self._far_off
        slope = (memory.upper_bound - memory.data - asked.upper_bound + asked.data) / ((far - self._asked) or 1)
        data = max(asked.data, memory.data)
        room = free_bytes - (data if is_placed(self._spec, data, free_bytes) else 0)
        more = (room - asked.upper_bound + asked.data) / max(1.0, slope)
        size = min(self._asked + int(more * (1 - OFF_THE_LINE if more > 0 else 1 + OFF_THE_LINE)), self._most)
        if size < 1:
            return None
        return max(_handy(size), self._asked) if size >= self._asked else _handy(size)

    def fitting(self, free_bytes: int) -> int | None:
        """The largest batch of one device for so much free memory, tried; None where it has no room for the smallest.

        Of the samples there are, to within ``OFF_THE_LINE``.
        """
        least = min(LEAST, self._asked)
        if not self._has_room_for_weights(free_bytes):
            return None
        if self._need(self._asked) > free_bytes and self._need(least) > free_bytes:
            return None
        guess = self.about(free_bytes) or least
        for _ in range(TRIES):
            self._need(guess)
            above = [size for size, need in self.needs.items() if need > free_bytes]
            guess = _handy(min([self._on_line(free_bytes), self._most, *(size - 1 for size in above)]))
            if guess < self._largest_in(free_bytes) * (1 + OFF_THE_LINE):
                break
        return self._largest_in(free_bytes)

    def _has_room_for_weights(self, free_bytes: int) -> bool:
        """Whether any size is worth a trace."""
        asked = self._memory
        return asked.parameters + asked.gradients + asked.optimizer + asked.context <= free_bytes

    @cached_property
    def _far_off(self) -> tuple[int, Memory]:
        """Another size, and what it needs."""
        far = min(FAR * self._asked, self._most) if self._asked < self._most else max(1, self._most // 2)
        memory = self._estimated(far).memory
        self.needs[far] = memory.upper_bound
        return far, memory

    def _need(self, size: int) -> int:
        if size not in self.needs:
            self.needs[size] = self._estimated(size).memory.upper_bound
        return self.needs[size]

    def _largest_in(self, free_bytes: int) -> int:
        """The largest size that was traced and fits."""
        return max(size for size, need in self.needs.items() if need <= free_bytes)

    def _on_line(self, free_bytes: int) -> int:
        """The size whose need would be ``free_bytes`` on the line through the two traced sizes about it."""
        known = sorted(self.needs.items())
        below = [pair for pair in known if pair[1] <= free_bytes][-2:]
        above = [pair for pair in known if pair[1] > free_bytes][:1]
        (first, need), (second, more) = [*below, *above][-2:] if len([*below, *above]) > 1 else 2 * below
        if more <= need:
            return self._most
        return int(first + (free_bytes - need) * (second - first) / (more - need))


def _handy(size: int) -> int:
    """``size`` rounded down to what suits tensor cores: 13, 30, 60, 120, and further on a multiple of 8."""
    step = 1 << min(3, max(0, size.bit_length() - 4))
    return size // step * step
