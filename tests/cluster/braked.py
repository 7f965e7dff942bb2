"""A network that a study of the cluster tests trains: slow for as long as a file is there."""

import math
import time
from pathlib import Path

from torch import Tensor, nn


class Braked(nn.Module):
    """Two dense layers with dropout. While the file ``brake`` is there, a training step takes ``seconds`` more."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, brake: str, seconds: float = 0.4):
        super().__init__()
        self.brake, self.seconds = Path(brake), seconds
        size = math.prod(input_shape)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(size, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, num_outputs)
        )

    def forward(self, images: Tensor) -> Tensor:
        if self.training and self.brake.exists():
            time.sleep(self.seconds)
        return self.layers(images)
