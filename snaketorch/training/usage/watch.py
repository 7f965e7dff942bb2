"""Measures what a training takes of its machine while it runs."""

import socket
import time
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from snaketorch.hardware.memory import MIB, peak_memory_mb
from snaketorch.hardware.meters.choose import meter_of
from snaketorch.hardware.meters.sampler import Load, Sampler
from snaketorch.training.usage.steps import Steps, ends_step


class UsageWatch(Callback):
    """Memory, load and steps of one process; what it knows is part of each checkpoint, and so goes on over attempts.

    What was lost with an attempt, because it came after its last checkpoint, is not counted, as in the record's wall
    time. It goes before those that keep the books of a training, whose time is no step's.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self.steps = Steps.on(device)
        self.sampler: Sampler | None = None
        self.began: float | None = None
        self.before: dict[str, Any] = {}
        """What earlier attempts had measured."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.began = time.monotonic()
        if self.device.type == "cuda":
            self.sampler = Sampler(partial(meter_of, self.device))
            self.sampler.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.steps.batch_is_done(ends_step(trainer, batch_idx))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.steps.add_measured()
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._stop()

    def measured(self) -> dict[str, Any]:
        """Of this process, earlier attempts included: what ``usage_of`` puts together."""
        return {
            **self._totals(),
            "host": socket.gethostname(),
            "device_memory_mb": self._device_memory_mb(),
            "wait_share": self.steps.wait_share,
            "median": self.steps.durations.quantile(0.5),
            "p90": self.steps.durations.quantile(0.9),
        }

    def state_dict(self) -> dict[str, Any]:
        return {**self._totals(), "steps": self.steps.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.before = dict(state_dict)
        self.steps.load_state_dict(self.before.pop("steps"))

    def _stop(self) -> None:
        if self.sampler:
            self.sampler.stop()

    def _totals(self) -> dict[str, Any]:
        before = self.before
        seconds = time.monotonic() - self.began if self.began is not None else 0.0
        load = self.sampler.load if self.sampler else Load()
        reserved = torch.cuda.max_memory_reserved(self.device) / MIB if self.device.type == "cuda" else None
        return {
            "peak_memory_mb": max(before.get("peak_memory_mb", 0.0), peak_memory_mb(self.device)),
            "host_memory_mb": max(before.get("host_memory_mb", 0.0), peak_memory_mb(torch.device("cpu"))),
            "reserved_memory_mb": None if reserved is None else max(before.get("reserved_memory_mb") or 0.0, reserved),
            "seconds": before.get("seconds", 0.0) + seconds,
            "load": asdict(Load(**before.get("load", {})) + load),
        }

    def _device_memory_mb(self) -> float | None:
        if self.device.type != "cuda":
            return None
        return torch.cuda.get_device_properties(self.device).total_memory / MIB
