"""The next values of a series from the values before them."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.config.tasks.forecasting import MEDIAN
from snaketorch.data.loading.samples import Batch, WindowSamples, as_tensor, too_few_steps
from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.errors import UserError
from snaketorch.models.shapes import SequenceShape
from snaketorch.tasks.base import TaskModule
from snaketorch.tasks.losses import LOSSES


class Forecasting(TaskModule):
    """Forecasts as changes from the last value that is known.

    Forecasting the change makes persistence the starting point, which a series without a fixed level
    needs. Values are normalised by the training split. In the shapes below C are the channels of the
    series, K those that are forecast, and Q the quantiles, 1 where only one value is forecast.
    """

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        field = facts["fields"]["value"]
        targets = torch.tensor(chosen_channels(field["names"], options.targets))
        self.register_buffer("targets", targets, persistent=False)
        self.register_buffer("levels", torch.tensor(options.quantiles or [MEDIAN]), persistent=False)
        for name in ("mean", "std"):
            value = torch.tensor(field["statistics"][name], dtype=torch.float32)
            self.register_buffer(name, value, persistent=False)
            self.register_buffer(f"target_{name}", value[targets], persistent=False)

    def input_shape(self) -> SequenceShape:
        return SequenceShape(self.options.window, self.facts["fields"]["value"]["shape"][0])

    def num_outputs(self) -> int:
        return math.prod(self._ahead_shape)

    @property
    def steps_at_once(self) -> int:
        """Steps that one call of the network forecasts."""
        return 1 if self.options.strategy == "recursive" else self.options.horizon

    def samples(self, manifest: Manifest, split: str) -> WindowSamples:
        """Windows whose targets all lie in ``split``; what they look back on may lie before it.

        Validation and test use every window, training one in each ``stride`` steps, with as many target steps as
        the network forecasts at once.
        """
        is_training, window = split == "train", self.options.window
        horizon = self.steps_at_once if is_training else self.options.horizon
        values = manifest.arrays(split)["value"]
        # where nothing lies before, the memory map itself: a series may be larger than the memory
        series, missing = values, window
        for earlier in reversed(SPLITS[: SPLITS.index(split)]):
            found = manifest.arrays(earlier)["value"][-missing:] if missing else values[:0]
            series, missing = np.concatenate([found, series]), missing - len(found)
        if len(series) < window + horizon:
            raise too_few_steps(manifest.dataset, split, len(values), window, horizon)
        stride = self.options.stride if is_training else 1
        return WindowSamples(as_tensor(series).float(), window, horizon, len(series) - len(values), stride)

    def forward(self, window: Tensor, horizon: int | None = None) -> Tensor:
        """Normalised forecast (B, H, K, Q) from a window (B, W, C) in the data's units.

        ``horizon``: steps to forecast, where one call of the network forecasts one; as the options say when None.
        """
        normal = (window - self.mean) / self.std
        if self.options.strategy == "direct":
            return self._ahead(normal)
        steps = []
        for _ in range(horizon or self.options.horizon):
            steps.append(self._ahead(normal))
            normal = torch.cat([normal[:, 1:], steps[-1][..., 0]], dim=1)
        return torch.cat(steps, dim=1)

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        target = self._normal_target(batch)
        forecast = self(batch["window"], target.shape[1])
        if self.options.quantiles:
            loss = pinball(forecast, target, self.levels).mean()
        else:
            loss = LOSSES[self.options.loss](forecast[..., 0], target)
        error = (self._point(forecast) - target).abs() * self.target_std
        return {"loss": loss, "mae": error.mean()}

    def predict(self, batch: Batch) -> Batch:
        """``forecast``, ``target`` (B, H, K), ``quantiles`` (B, H, K, Q) if any, in the data's units; ``index``.

        Steps are as many as the batch has targets, so a training batch may have fewer.
        """
        forecast = self(batch["window"], batch["target"].shape[1])
        forecast = forecast * self.target_std[:, None] + self.target_mean[:, None]
        quantiles = {"quantiles": forecast} if self.options.quantiles else {}
        known = {"target": self._of_targets(batch), "index": batch["index"]}
        return {"forecast": self._point(forecast), **quantiles, **known}

    def _ahead(self, normal: Tensor) -> Tensor:
        """What one call of the network forecasts (B, steps, K, Q) after normalised values (B, W, C)."""
        change = self.network(normal).to(normal.dtype).unflatten(1, self._ahead_shape)
        last = normal[:, -1:].index_select(2, self.targets)[..., None]
        return last + (in_order(change, self._median) if self.options.quantiles else change)

    @property
    def _ahead_shape(self) -> tuple[int, int, int]:
        channels = self.options.targets or self.facts["fields"]["value"]["names"]
        return self.steps_at_once, len(channels), len(self.options.quantiles or [MEDIAN])

    @property
    def _median(self) -> int:
        return (self.options.quantiles or [MEDIAN]).index(MEDIAN)

    def _point(self, forecast: Tensor) -> Tensor:
        """The one value of each forecast (..., Q)."""
        return forecast[..., self._median]

    def _normal_target(self, batch: Batch) -> Tensor:
        return (self._of_targets(batch) - self.target_mean) / self.target_std

    def _of_targets(self, batch: Batch) -> Tensor:
        """The true values (B, H, K)."""
        return batch["target"].index_select(2, self.targets)


def chosen_channels(names: Sequence[str], chosen: Sequence[str] | None) -> list[int]:
    """Places of the ``chosen`` channels among ``names``; of all when None. UserError when one is not there."""
    if unknown := [name for name in chosen or [] if name not in names]:
        raise UserError(f"task.targets: the series has no {', '.join(unknown)}; allowed: {', '.join(names)}")
    return [names.index(name) for name in (names if chosen is None else chosen)]


def in_order(values: Tensor, median: int) -> Tensor:
    """Quantiles (..., Q) that never cross, from unbounded ``values``: steps up and down from that of the median."""
    centre = values[..., median : median + 1]
    below = F.softplus(values[..., :median]).flip(-1).cumsum(-1).flip(-1)
    above = F.softplus(values[..., median + 1 :]).cumsum(-1)
    return torch.cat([centre - below, centre, centre + above], dim=-1)


def pinball(forecast: Tensor, target: Tensor, levels: Tensor) -> Tensor:
    """Pinball loss (..., Q) of quantiles (..., Q), of ``levels`` (Q,), for values ``target`` (...)."""
    error = target[..., None] - forecast
    return torch.maximum(levels * error, (levels - 1) * error)
