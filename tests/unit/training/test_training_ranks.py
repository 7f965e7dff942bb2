import pytest
import torch

from snaketorch.errors import UserError
from snaketorch.launch.local_ranks import LocalRanks
from snaketorch.launch.place import Place
from snaketorch.tasks.peers import Peers
from snaketorch.training import ranks


@pytest.fixture
def found(monkeypatch):
    """Where the processes say that they are; nothing is connected."""
    devices = [("n1", "cpu"), ("n2", "cpu")]
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    monkeypatch.setattr(ranks, "_store", lambda place: None)
    for name in ("init_process_group", "destroy_process_group"):
        monkeypatch.setattr(ranks.distributed, name, lambda *_, **__: None)
    monkeypatch.setattr(Peers, "gather", lambda *_: devices)
    return devices


def test_devices_of_two_types_do_not_train_together(found):
    found[1] = ("n2", "cuda")
    told = "devices of one type, and have cpu on n1, cuda on n2"
    with pytest.raises(UserError, match=told), ranks.together(Place(0, 2, 0, 2), torch.device("cpu")):
        pytest.fail("it trained")


def test_a_training_is_over_when_its_processes_part_in_peace(found, monkeypatch):
    local = LocalRanks(2, 1, print)
    monkeypatch.setattr(LocalRanks, "_now", local)
    with pytest.raises(KeyError), ranks.together(Place(0, 2, 0, 2), torch.device("cpu")):
        raise KeyError("of a step")
    assert not local.over.is_set()
    with ranks.together(Place(0, 2, 0, 2), torch.device("cpu")):
        assert not local.over.is_set()
    assert local.over.is_set()
