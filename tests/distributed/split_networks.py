"""A network of the user's own that several processes can split."""

from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module


class Split(nn.Module):
    """A block of two layers, and one whose weights never get a gradient."""

    def __init__(self, input_shape, num_outputs: int):
        super().__init__()
        self.idle = nn.Linear(3, 3)
        self.block = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 6))
        self.head = nn.Linear(6, num_outputs)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.block(image.flatten(1)))

    def parallelize(self, mesh: DeviceMesh) -> None:
        parallelize_module(self.block, mesh, {"0": ColwiseParallel(), "2": RowwiseParallel()})
