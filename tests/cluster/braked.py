"""A network that a study of the cluster tests trains: slow for as long as a file is there."""

import math
import time
from pathlib import Path

from torch import Tensor, nn

QUICK_STEPS = 15
"""Of a process: so many are there at the second epoch's end, and what a test does then finds it training."""


class Braked(nn.Module):
    """Two dense layers with dropout. While the file ``brake`` is there, training steps take long, the first less."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, brake: str):
        super().__init__()
        self.brake, self.steps = Path(brake), 0
        size = math.prod(input_shape)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(size, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, num_outputs)
        )

    def forward(self, images: Tensor) -> Tensor:
        if self.training and self.brake.exists():
            self.steps += 1
            time.sleep(0.4 if self.steps <= QUICK_STEPS else 2.0)
        return self.layers(images)
