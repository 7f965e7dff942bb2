"""Brings the processes of a training together, and sees that their devices are of one type."""

import datetime
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import distributed

from snaketorch.errors import UserError
from snaketorch.launch.local_ranks import training_is_over
from snaketorch.launch.place import Place
from snaketorch.launch.variables import LISTENER
from snaketorch.tasks.peers import ALONE, Peers

PATIENCE = datetime.timedelta(minutes=30)
"""For one another: the first saves, draws and probes alone while the others wait."""
LOOPBACK = Path("/sys/class/net/lo")


@contextmanager
def together(place: Place, device: torch.device, copies: int = 1, in_step: bool = False) -> Iterator[Peers]:
    """The processes of a training, while the block runs; waits until all are there.

    Args:
        place: This process among them.
        device: That it trains on.
        copies: Processes in a row that work on the same samples.
        in_step: Whether each has a part of the weights.

    Raises:
        UserError: they are not on devices of one type.
    """
    if place.is_alone:
        yield ALONE
        return
    if place.local_size == place.world_size and LOOPBACK.exists():
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK.name)  # the machine's name may lead nowhere
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group(
        # what only hosts talk about keeps no GPU waiting
        "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
        store=_store(place),
        rank=place.rank,
        world_size=place.world_size,
        timeout=PATIENCE,
    )
    peers = Peers(place.rank, place.world_size, copies, in_step)
    _check(peers.gather((socket.gethostname(), device.type)))
    yield peers
    distributed.destroy_process_group()  # after an error it would wait for those that are gone
    training_is_over()


def _store(place: Place) -> distributed.Store:
    """Where they find each other."""
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    listener = os.environ.get(LISTENER)
    return distributed.TCPStore(
        address,
        port,
        place.world_size,
        is_master=place.is_first,
        timeout=PATIENCE,
        master_listen_fd=int(listener) if listener and place.is_first else None,
    )


def _check(found: list[tuple[str, str]]) -> None:
    if len({kind for _, kind in found}) > 1:
        where = ", ".join(f"{kind} on {host}" for host, kind in found)
        raise UserError(f"the processes of a training need devices of one type, and have {where}")
