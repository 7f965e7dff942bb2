"""torch's caching allocator of GPU memory, played on a recorded sequence of blocks.

It takes memory from the driver in segments and never gives one back unless it must, so what a training needs is more
than its tensors at their most: sizes are rounded, segments larger than what is asked for, and free blocks too small for
the next request (`c10/cuda/CUDACachingAllocator.cpp`, with its settings as they come).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable

from snaketorch.planning.lifetimes import Event

MIB = 2**20
LEAST_BLOCK = 512
SMALL = MIB
"""Up to so many bytes a block is of the pool of small ones, whose segments have 2 MiB."""
SMALL_SEGMENT, SEGMENT = 2 * MIB, 20 * MIB
LEAST_OWN_SEGMENT = 10 * MIB
"""From so many bytes on a block has a segment of its own size, in steps of 2 MiB."""


class _Block:
    """A stretch of a segment, beside its neighbours."""

    __slots__ = ("before", "behind", "free", "is_small", "number", "size")

    def __init__(self, number: int, size: int, is_small: bool):
        self.number, self.size, self.is_small, self.free = number, size, is_small, False
        self.before: _Block | None = None
        self.behind: _Block | None = None


class CachingAllocator:
    """Gives and takes blocks as torch's allocator does.

    Attributes:
        allocated: Bytes in use, rounded as torch does.
        reserved: Bytes taken from the driver.
        peak_allocated: The most of ``allocated``.
    """

    def __init__(self) -> None:
        self.allocated = self.reserved = self.peak_allocated = 0
        self._in_use: dict[int, _Block] = {}
        self._free: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        self._blocks: dict[int, _Block] = {}
        self._made = 0

    def play(self, events: Iterable[Event], scratch_factor: float = 1.0) -> None:
        """Takes and gives back; workspaces are ``scratch_factor`` times as large as the record says."""
        for event in events:
            if event.size:
                self.take(event.block, int(event.size * scratch_factor) if event.is_scratch else event.size)
            else:
                self.give_back(event.block)

    def take(self, name: int, size: int) -> None:
        """A block for ``size`` bytes, known by ``name`` until it is given back."""
        size = max(LEAST_BLOCK, -(-size // LEAST_BLOCK) * LEAST_BLOCK)
        is_small = size <= SMALL
        free = self._free[is_small]
        place = bisect_left(free, (size, 0))
        block = self._blocks[free.pop(place)[1]] if place < len(free) else self._segment(size, is_small)
        rest = block.size - size
        if rest >= LEAST_BLOCK if is_small else rest > SMALL:
            self._split(block, size)
        block.free = False
        self._in_use[name] = block
        self.allocated += block.size
        self.peak_allocated = max(self.peak_allocated, self.allocated)

    def give_back(self, name: int) -> None:
        """The block of that name; it joins free neighbours."""
        block = self._in_use.pop(name, None)
        if block is None:
            return
        self.allocated -= block.size
        for other in (block.before, block.behind):
            if other is not None and other.free:
                self._forget(other)
                block = self._join(block, other)
        block.free = True
        insort(self._free[block.is_small], (block.size, block.number))

    def _segment(self, size: int, is_small: bool) -> _Block:
        if is_small:
            whole = SMALL_SEGMENT
        elif size < LEAST_OWN_SEGMENT:
            whole = SEGMENT
        else:
            whole = -(-size // SMALL_SEGMENT) * SMALL_SEGMENT
        self.reserved += whole
        return self._make(whole, is_small)

    def _make(self, size: int, is_small: bool) -> _Block:
        self._made += 1
        block = self._blocks[self._made] = _Block(self._made, size, is_small)
        return block

    def _split(self, block: _Block, size: int) -> None:
        rest = self._make(block.size - size, block.is_small)
        rest.free, rest.before, rest.behind = True, block, block.behind
        if block.behind is not None:
            block.behind.before = rest
        block.behind, block.size = rest, size
        insort(self._free[block.is_small], (rest.size, rest.number))

    def _join(self, block: _Block, other: _Block) -> _Block:
        first, second = (other, block) if block.before is other else (block, other)
        first.size += second.size
        first.behind = second.behind
        if second.behind is not None:
            second.behind.before = first
        del self._blocks[second.number]
        return first

    def _forget(self, block: _Block) -> None:
        free = self._free[block.is_small]
        del free[bisect_left(free, (block.size, block.number))]
