import pytest

from snaketorch.errors import UserError
from snaketorch.launch.place import ALONE, Place, is_started_here, place_of, rank_so_far


def test_a_process_that_nobody_started_with_others_is_alone():
    assert place_of(1, 1, {}) == ALONE
    assert ALONE.is_first and ALONE.is_alone
    assert rank_so_far({}) == 0


def test_the_processes_of_a_machine_have_ranks_in_a_row():
    of_second_machine = {"SNAKETORCH_LOCAL_RANK": "1", "NODE_RANK": "1"}
    assert place_of(4, 1, {"SNAKETORCH_LOCAL_RANK": "3"}) == Place(3, 4, 3, 4)
    assert place_of(2, 2, of_second_machine) == Place(3, 4, 1, 2)
    assert place_of(2, 2, of_second_machine).node == 1


def test_slurm_says_which_process_it_started():
    started = {"SNAKETORCH_RANK_OF": "1", "SLURM_PROCID": "3", "SLURM_LOCALID": "1", "SLURM_NTASKS": "4"}
    assert place_of(2, 2, started) == Place(3, 4, 1, 2)
    assert rank_so_far(started) == 3
    assert not is_started_here(started)


@pytest.mark.parametrize(
    ("devices", "nodes", "environment", "said"),
    [
        (2, 1, {}, "2 processes in all, and 1 process was started"),
        (2, 2, {"SNAKETORCH_RANK_OF": "1", "SLURM_NTASKS": "1"}, "4 processes in all, and 1 process was started"),
        (1, 1, {"SNAKETORCH_RANK_OF": "1", "SLURM_NTASKS": "2"}, "1 process in all, and 2 processes were started"),
        (
            2,
            2,
            {"SNAKETORCH_RANK_OF": "1", "SLURM_NTASKS": "4", "SLURM_PROCID": "2", "SLURM_LOCALID": "2"},
            "rank 2 of 4, rank 2 in its machine, has no place",
        ),
    ],
)
def test_another_number_of_processes_than_asked_for_is_refused(devices, nodes, environment, said):
    with pytest.raises(UserError, match=said):
        place_of(devices, nodes, environment)
