"""What the record says of a training that has ended."""

import math
from dataclasses import asdict
from typing import Any

import pytorch_lightning as lightning
import torch

from snaketorch.config.specs import TrainSpec
from snaketorch.hardware import precision
from snaketorch.hardware.memory import peak_memory_mb
from snaketorch.training.checkpointing.best_weights import BestWeights
from snaketorch.training.run_callbacks import RunCallbacks
from snaketorch.training.subject import Subject


def facts_of(spec: TrainSpec, subject: Subject, callbacks: RunCallbacks, trainer: lightning.Trainer) -> dict[str, Any]:
    """Device, precision, counts, the best epoch, the cost."""
    device, choice = subject.device, subject.choice
    return {
        "device": {"type": device.type, "name": precision.device_name(device), "threads": torch.get_num_threads()},
        "precision": {"asked": spec.trainer.precision, "used": str(trainer.precision), "why": choice.why},
        "processes": subject.task.peers.world_size,
        "strategy": spec.trainer.strategy_in_use,
        "step_size": spec.step_size,
        "parameters_of_processes": subject.parts,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),  # "high" lets tensor cores use TF32
        "memory_format": choice.memory_format,
        "data": asdict(subject.data.placement),
        "parameters": subject.network["parameters"],
        "network": subject.network,
        "pretrained": subject.origin,
        "epochs": len(callbacks.history.rows),
        "steps": trainer.global_step,
        "best": _best(spec, callbacks.best),
        "non_finite": callbacks.non_finite.record(),
        "peak_memory_mb": round(peak_memory_mb(device), 1),
        "samples_per_second": round(callbacks.history.samples_per_second, 1),
        "wall_seconds": round(callbacks.resume_points.seconds, 3),
    }


def _best(spec: TrainSpec, best: BestWeights) -> dict[str, Any] | None:
    if best.best is None or not math.isfinite(best.best["value"]):
        return None
    return {"metric": spec.checkpoint.monitor, **best.best, "kept": spec.checkpoint.save == "best"}
