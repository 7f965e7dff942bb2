"""What Lightning asks about the processes, which are all there before it begins."""

from pytorch_lightning.plugins.environments import ClusterEnvironment

from snaketorch.launch.place import Place


class Started(ClusterEnvironment):
    """Tells Lightning that every process has been started, and which one this is."""

    def __init__(self, place: Place):
        super().__init__()
        self.place = place

    creates_processes_externally = True
    main_address = ""
    main_port = 0

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.place.world_size

    def global_rank(self) -> int:
        return self.place.rank

    def local_rank(self) -> int:
        return self.place.local_rank

    def node_rank(self) -> int:
        return self.place.node

    def set_world_size(self, size: int) -> None:
        assert size == self.place.world_size, f"Lightning counts {size} processes of {self.place.world_size}"

    def set_global_rank(self, rank: int) -> None:
        assert rank == self.place.rank, f"Lightning takes rank {self.place.rank} for {rank}"
