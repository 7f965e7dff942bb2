import pytest

from snaketorch.errors import UserError
from snaketorch.tuning.room import Room


@pytest.mark.parametrize(
    "room, at_once",
    [
        (Room(cpus=4), 4),
        (Room(cpus=4, cpu=0.5), 8),
        (Room(cpus=4, cpu=3), 1),
        (Room(cpus=8, gpus=2, gpu=1), 2),
        (Room(cpus=8, gpus=2, gpu=0.5), 4),
        (Room(cpus=8, gpus=2, gpu=0.4), 4),  # two of each device, and a fifth of it is lost
        (Room(cpus=8, gpus=4, gpu=2), 2),
        (Room(cpus=3, gpus=2, gpu=0.25), 3),
        (Room(cpus=4, max_concurrent=3), 3),
        (Room(cpus=4, num_nodes=2), 8),
        (Room(cpus=1, cpu=0.1), 10),
    ],
)
def test_as_many_trials_run_as_there_is_room_for(room, at_once):
    assert room.at_once == at_once


@pytest.mark.parametrize("room", [Room(cpus=1, cpu=2), Room(cpus=4, gpus=1, gpu=2), Room(cpus=4, gpus=0, gpu=0.5)])
def test_a_trial_that_does_not_fit_is_refused(room):
    with pytest.raises(UserError, match=r"tune\.resources_per_trial"):
        _ = room.at_once


@pytest.mark.parametrize("cpu, threads", [(0.5, 1), (1, 1), (2.5, 2), (4, 4)])
def test_a_trial_has_a_thread_for_each_of_its_cores(cpu, threads):
    assert Room(cpus=8, cpu=cpu).threads == threads
