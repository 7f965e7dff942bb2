"""Leaves each process a part of a network: FSDP2, layers that are split, or both (torch's DTensor)."""

import warnings
from collections.abc import Callable

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

from snaketorch.config.trainer import Trainer as TrainerOptions
from snaketorch.errors import UserError
from snaketorch.models.blocks import blocks_of
from snaketorch.models.stepwise import Stepwise
from snaketorch.tasks.peers import Peers
from snaketorch.training.activation_checkpointing import called_parts

SAMPLES, LAYERS = "data_parallel", "tensor_parallel"
"""Dimensions of the mesh of processes, by Lightning's names: who has other samples, and who splits the same layer."""
SHARDED = ("fsdp", "tensor_parallel", "fsdp_tensor_parallel")


def mesh_of(peers: Peers, device: torch.device) -> DeviceMesh:
    """The processes in rows that work on the same samples."""
    return init_device_mesh(device.type, (peers.shards, peers.copies), mesh_dim_names=(SAMPLES, LAYERS))


def shard(
    network: nn.Module, options: TrainerOptions, peers: Peers, device: torch.device, run: Callable[[], object]
) -> DeviceMesh:
    """Leaves this process its part of ``network``, in place; its parameters are new ones.

    Args:
        network: The same in all processes.
        options: Say how.
        peers: All processes; each calls this.
        device: That the parts are to be on.
        run: Calls the network once, to see which of its blocks are called.

    Returns:
        The mesh of the processes.

    Raises:
        UserError: layers are to be split, and the network does not say how.
    """
    mesh = mesh_of(peers, device)
    called = called_parts(blocks_of(network)[:-1], run)
    for value in (*network.parameters(), *network.buffers()):
        peers.take_over([value.detach()])
    if peers.copies > 1:
        if not hasattr(network, "parallelize"):
            raise UserError(
                f"trainer.strategy: {options.strategy} needs a network that says how its layers are split, and "
                f"{type(network).__name__} has no method `parallelize`; allowed: fsdp, ddp, or a network with one"
            )
        network.parallelize(mesh[LAYERS])
    if peers.shards > 1:
        for part in (*called, network):
            # its weights are together from when it is called to when it is left, also the last: what looks at
            # weights between steps always sees parts
            fully_shard(part, mesh=mesh[SAMPLES], reshard_after_forward=True)
        if isinstance(network, Stepwise):
            register_fsdp_forward_method(network, "step")
        # that somebody might change it in place: the blocks of a network read what they are given
        warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    return mesh
