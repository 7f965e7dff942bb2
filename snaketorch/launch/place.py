"""Which process this is of those that train together: its rank."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from snaketorch.errors import UserError
from snaketorch.launch.variables import LOCAL_RANK, RANK_OF_SLURM

GPUS_ASKED = "SNAKETORCH_GPUS_ASKED"
"""GPUs of each node that the job asked for; none where it is not set."""


@dataclass(frozen=True)
class Place:
    """One process among those that train together; ranks count from 0."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    """Among the processes of its machine."""
    local_size: int = 1
    """Processes of its machine."""

    @property
    def is_alone(self) -> bool:
        return self.world_size == 1

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes files and tells what happens."""
        return self.rank == 0

    @property
    def node(self) -> int:
        return self.rank // self.local_size


ALONE = Place()


def is_started_here(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether another process of this machine started this one, to train with it."""
    return environment.get(LOCAL_RANK, "0") != "0"


def is_started_by_slurm(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether ``srun`` started this process, for one that waits for it and is the job."""
    return RANK_OF_SLURM in environment


def is_beside_starter(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the process that started this one is of the same machine, and known by its number."""
    return RANK_OF_SLURM not in environment or environment.get("SLURM_NODEID") == "0"


def rank_so_far(environment: Mapping[str, str] = os.environ) -> int:
    """The rank as the environment has it, before it is known how many there are to be; 0 but for those started."""
    if RANK_OF_SLURM in environment:
        return int(environment.get("SLURM_PROCID", "0"))
    # the first process of another machine is the leader there, and started by hand
    node = environment.get("NODE_RANK", "")
    return int(environment.get(LOCAL_RANK, "0")) or (int(node) if node.isdecimal() else 0)


def place_of(devices: int, num_nodes: int, environment: Mapping[str, str] = os.environ) -> Place:
    """The place of this process in a training on so many devices and nodes.

    Raises:
        UserError: not so many processes were started.
    """
    asked = devices * num_nodes
    if RANK_OF_SLURM in environment:
        names = ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")
        rank, started, local_rank = (int(environment.get(name, "0")) for name in names)
    elif LOCAL_RANK in environment:
        local_rank = int(environment[LOCAL_RANK])
        rank, started = int(environment.get("NODE_RANK", "0")) * devices + local_rank, asked
    else:
        rank, started, local_rank = 0, 1, 0
    if started != asked:
        raise UserError(
            f"trainer.devices: {devices} on trainer.num_nodes: {num_nodes} are {_count(asked)} in all, and "
            f"{_count(started)} {'was' if started == 1 else 'were'} started; start the training by "
            "`python -m snaketorch train`, or by snakemake, which start as many"
        )
    if not (rank < asked and local_rank < devices and rank % devices == local_rank):
        raise UserError(
            f"rank {rank} of {asked}, rank {local_rank} in its machine, has no place where each of {num_nodes} nodes "
            f"has {_count(devices)}; each node must start as many, the ranks of a node in a row"
        )
    return Place(rank, asked, local_rank, devices)


def _count(processes: int) -> str:
    return f"{processes} process{'es' if processes > 1 else ''}"
