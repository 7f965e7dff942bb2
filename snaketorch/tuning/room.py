"""What the trials of a sweep may take of the machine; no result depends on it."""

from dataclasses import dataclass

from snaketorch.errors import UserError


@dataclass(frozen=True)
class Room:
    """The share of a job that one trial takes, and how much there is in each node."""

    cpus: int = 1
    """CPU cores of the job in each node."""
    gpus: int = 0
    """GPUs of the job in each node."""
    cpu: float = 1.0
    """CPU cores of a trial."""
    gpu: float = 0.0
    """GPUs of a trial, or its share of one."""
    max_concurrent: int | None = None
    """Trials at one time, at most; as many as there is room for when None."""
    num_nodes: int = 1
    """Nodes of the job."""

    @property
    def in_node(self) -> int:
        """Trials that fit into a node at one time.

        Raises:
            UserError: not one does.
        """
        fit = [int(self.cpus / self.cpu + 1e-9)]
        if self.gpu:
            # a share is of one device, and a rest of it is lost
            fit.append(self.gpus * int(1 / self.gpu + 1e-9) if self.gpu < 1 else self.gpus // int(self.gpu))
        if min(fit) == 0:
            raise UserError(
                f"a trial takes {self.cpu:g} CPU cores and {self.gpu:g} GPUs (tune.resources_per_trial), and the job "
                f"has {self.cpus} and {self.gpus}; allowed: trials that fit into the job"
            )
        return min(fit)

    @property
    def at_once(self) -> int:
        """Trials at one time."""
        room = self.in_node * self.num_nodes
        return room if self.max_concurrent is None else min(room, self.max_concurrent)

    @property
    def threads(self) -> int:
        """CPU threads of a trial."""
        return max(1, int(self.cpu))
