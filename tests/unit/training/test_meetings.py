"""When processes ask each other, with clocks of their own."""

from snaketorch.tasks.peers import ALONE, Peers
from snaketorch.training.meetings import Meetings


class Two(Peers):
    """One of two processes; the other wants nothing, and to meet again after ``pause`` batches."""

    def __init__(self, pause: int):
        super().__init__(0, 2)
        self.pause = pause

    def most(self, *numbers: int) -> list[int]:
        *wishes, pause = numbers
        return [*wishes, max(pause, -self.pause)]


def test_one_alone_decides_at_every_batch():
    meetings = Meetings(ALONE)
    assert all(meetings.is_due(batches) for batches in (1, 2, 3))
    assert meetings.agree(1, True, False) == [True, False]


def test_processes_meet_more_rarely_until_it_is_once_a_second():
    now = [0.0]
    meetings, met = Meetings(Two(pause=1000), lambda: now[0]), []
    for batches in range(1, 1001):
        now[0] += 0.01
        if meetings.is_due(batches):
            met.append(batches)
            meetings.agree(batches, False)
    assert met[:5] == [1, 2, 4, 8, 16]
    assert [later - earlier for earlier, later in zip(met[-4:], met[-3:], strict=False)] == [100, 100, 100]


def test_the_process_that_wants_to_meet_soonest_decides():
    now = [0.0]
    meetings, met = Meetings(Two(pause=3), lambda: now[0]), []
    for batches in range(1, 20):
        now[0] += 0.001
        if meetings.is_due(batches):
            met.append(batches)
            assert meetings.agree(batches, True) == [True]
            assert meetings.is_due(batches), "others may ask at the same batch"
    assert [later - earlier for earlier, later in zip(met[-4:], met[-3:], strict=False)] == [3, 3, 3]
