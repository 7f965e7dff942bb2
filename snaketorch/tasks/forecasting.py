"""The next values of a series from the values before them."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.data.loading.samples import Batch, WindowSamples, as_tensor
from snaketorch.data.manifest import Manifest
from snaketorch.errors import DataError
from snaketorch.tasks.base import TaskModule

LOSSES = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}
SPLITS = ("train", "val", "test")


class Forecasting(TaskModule):
    """All steps of the horizon at once, as changes from the last value that is known.

    Forecasting the change makes persistence the starting point, which a series without a fixed level
    needs. Values are normalised by the training split.
    """

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        statistics = facts["fields"]["value"]["statistics"]
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(statistics[name], dtype=torch.float32), persistent=False)

    @property
    def channels(self) -> int:
        return self.facts["fields"]["value"]["shape"][0]

    def input_shape(self) -> tuple[int, int]:
        return self.options.window, self.channels

    def num_outputs(self) -> int:
        return self.options.horizon * self.channels

    def samples(self, manifest: Manifest, split: str) -> WindowSamples:
        """Windows whose targets all lie in ``split``; what they look back on may lie before it.

        Validation and test use every window, training one in each ``stride`` steps.
        """
        values = manifest.arrays(split)["value"]
        before = [manifest.arrays(earlier)["value"] for earlier in SPLITS[: SPLITS.index(split)]]
        context = np.concatenate([*before, values[:0]])[-self.options.window :]
        series = np.concatenate([context, values])
        if len(series) < self.options.window + self.options.horizon:
            raise DataError(
                f"the {split} split of dataset '{manifest.dataset}' has {len(values)} steps, too few for a window of "
                f"{self.options.window} and a horizon of {self.options.horizon}; allowed: a shorter task.window or "
                "task.horizon, or a larger split"
            )
        stride = self.options.stride if split == "train" else 1
        return WindowSamples(as_tensor(series).float(), self.options.window, self.options.horizon, len(context), stride)

    def forward(self, window: Tensor) -> Tensor:
        """Normalised forecast (B, H, C) from a window (B, W, C) in the data's units."""
        normal = (window - self.mean) / self.std
        change = self.network(normal).to(normal.dtype).unflatten(1, (self.options.horizon, self.channels))
        return normal[:, -1:] + change

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        forecast, target = self(batch["window"]), (batch["target"] - self.mean) / self.std
        return {
            "loss": LOSSES[self.options.loss](forecast, target),
            "mae": ((forecast - target).abs() * self.std).mean(),
        }

    def predict(self, batch: Batch) -> Batch:
        """``forecast`` and ``target`` (B, H, C), ``window`` (B, W, C), in the data's units, and ``index`` (B,)."""
        known = {name: batch[name] for name in ("window", "target", "index")}
        return {"forecast": self(batch["window"]) * self.std + self.mean, **known}
