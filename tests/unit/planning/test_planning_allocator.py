import pytest

from snaketorch.planning.allocator import MIB, CachingAllocator
from snaketorch.planning.lifetimes import Event


@pytest.mark.parametrize(
    ("size", "block", "segment"),
    [
        (1, 512, 2 * MIB),
        (513, 1024, 2 * MIB),
        (MIB, MIB, 2 * MIB),
        (MIB + 1, MIB + 512, 20 * MIB),
        (9 * MIB, 9 * MIB, 20 * MIB),
        (10 * MIB, 10 * MIB, 10 * MIB),
        (11 * MIB, 12 * MIB, 12 * MIB),
        (19 * MIB, 20 * MIB, 20 * MIB),
    ],
)
def test_sizes_are_rounded_as_torch_does(size, block, segment):
    allocator = CachingAllocator()
    allocator.take(1, size)
    assert (allocator.allocated, allocator.reserved) == (block, segment)


def test_what_is_given_back_is_used_again_but_never_by_the_other_pool():
    allocator = CachingAllocator()
    allocator.take(1, 30 * MIB)
    allocator.give_back(1)
    allocator.take(2, 12 * MIB)
    allocator.take(3, 17 * MIB)
    assert allocator.reserved == 30 * MIB
    allocator.take(4, 100)
    assert allocator.reserved == 32 * MIB


def test_free_neighbours_join():
    allocator = CachingAllocator()
    for name in (1, 2, 3):
        allocator.take(name, 6 * MIB)  # of one segment
    for name in (1, 3, 2):
        allocator.give_back(name)
    assert allocator.allocated == 0
    allocator.take(4, 20 * MIB)
    assert allocator.reserved == 20 * MIB


def test_a_rest_that_is_too_small_stays_with_its_block():
    allocator = CachingAllocator()
    allocator.take(1, 20 * MIB)
    allocator.give_back(1)
    allocator.take(2, 19 * MIB)  # leaves no more than 1 MiB
    assert allocator.allocated == 20 * MIB


def test_blocks_that_lie_between_others_make_more_segments_than_tensors_need():
    allocator = CachingAllocator()
    events = [Event(name, 12 * MIB) for name in range(4)]
    events += [Event(0, 0), Event(2, 0), Event(4, 14 * MIB)]
    allocator.play(events)
    assert allocator.peak_allocated == 48 * MIB
    assert allocator.reserved == 62 * MIB


def test_workspaces_grow_with_the_factor():
    allocator = CachingAllocator()
    allocator.play([Event(1, 10 * MIB), Event(2, 10 * MIB, True), Event(2, 0, True)], scratch_factor=2)
    assert (allocator.allocated, allocator.reserved) == (10 * MIB, 30 * MIB)
