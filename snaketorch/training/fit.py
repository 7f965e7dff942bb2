"""Lightning's part of a training: from a spec to weights."""

import logging
import math
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import EarlyStopping, TQDMProgressBar
from pytorch_lightning.plugins.environments import LightningEnvironment

from snaketorch.config.specs import TrainSpec
from snaketorch.config.trainer import Trainer as TrainerOptions
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.hardware import precision
from snaketorch.hardware.memory import peak_memory_mb
from snaketorch.journal import Journal
from snaketorch.tasks import build_task
from snaketorch.tasks.base import TaskModule
from snaketorch.training.callbacks import History, StepSeeds, StopOnNonFinite
from snaketorch.training.checkpoints import LAST, BestWeights, DurableCheckpointIO, ResumePoints
from snaketorch.training.data import Data
from snaketorch.training.optimization import Optimization

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """A finished training."""

    weights: dict[str, torch.Tensor]
    """Of the network, on the CPU."""
    history: str
    """CSV, one row an epoch."""
    facts: dict[str, Any]
    """What the record says of it: device, precision, counts, the best epoch."""


def fit(spec: TrainSpec, dataset: Manifest, state: Path, choices: Path, journal: Journal) -> Fitted:
    """Trains to the end, from the last checkpoint in ``state`` when there is one.

    ``choices`` is the folder that remembers which precision a device does well.
    """
    device = _device(spec.trainer)
    _quieten_libraries()
    lightning.seed_everything(spec.seed, verbose=False)
    task = build_task(spec.task, spec.model, dataset.facts())
    task.optimization = Optimization(spec.optimizer, spec.lr_scheduler)
    data = Data(spec.data_loader, spec.augment, spec.seed, task, dataset, device, state)
    choice = _choose_precision(spec, task, data, device, choices)
    if choice.memory_format == "channels_last":
        task.network.to(memory_format=torch.channels_last)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)

    history = History(journal)
    best = BestWeights(state, spec.checkpoint.monitor, task.mode_of(spec.checkpoint.monitor))
    resume_points = ResumePoints(state, best)
    callbacks = [StepSeeds(spec.seed), StopOnNonFinite(), history, best, resume_points]
    if spec.early_stopping:
        options = spec.early_stopping.model_dump()
        callbacks.append(EarlyStopping(**options, mode=task.mode_of(options["monitor"]), check_finite=False))
    if sys.stderr.isatty():
        callbacks.append(TQDMProgressBar(refresh_rate=10, leave=False))
    trainer = _trainer(spec, choice, device, callbacks)

    parameters = sum(weight.numel() for weight in task.network.parameters())
    log.info(
        "%s, seed %d: %s with %s parameters on %s, %d training and %d validation samples",
        spec.experiment,
        spec.seed,
        spec.model.kind,
        f"{parameters:,}",
        precision.device_name(device),
        *(len(data.splits[split]) for split in ("train", "val")),
    )
    last = state / LAST
    if last.exists():
        log.info("Going on from %s", last)
    trainer.fit(task, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
    if not trainer.state.finished:
        raise UserError("the training was interrupted; start it again and it goes on from its last checkpoint")
    if len(history.rows) < spec.trainer.max_epochs:
        log.info("Stopped early: %s did not improve", spec.early_stopping.monitor)

    facts = {
        "device": {"type": device.type, "name": precision.device_name(device), "threads": torch.get_num_threads()},
        "precision": {"asked": spec.trainer.precision, "used": str(trainer.precision), "why": choice.why},
        "float32_matmul_precision": torch.get_float32_matmul_precision(),  # "high" lets tensor cores use TF32
        "memory_format": choice.memory_format,
        "data": asdict(data.placement),
        "parameters": parameters,
        "epochs": len(history.rows),
        "steps": trainer.global_step,
        "best": _best(spec, best),
        "peak_memory_mb": round(peak_memory_mb(device), 1),
        "samples_per_second": round(history.samples_per_second, 1),
        "wall_seconds": round(resume_points.seconds, 3),
    }
    return Fitted(_weights(spec, task, best), history.csv(), facts)


def _trainer(
    spec: TrainSpec, choice: precision.Choice, device: torch.device, callbacks: list[lightning.Callback]
) -> lightning.Trainer:
    keys = spec.trainer.model_dump(exclude={"precision", "accelerator", "gradient_clip_algorithm"})
    shows_bar = any(isinstance(callback, TQDMProgressBar) for callback in callbacks)
    return lightning.Trainer(
        **keys,
        gradient_clip_algorithm=spec.trainer.gradient_clip_algorithm if spec.trainer.gradient_clip_val else None,
        accelerator="gpu" if device.type == "cuda" else "cpu",
        precision=choice.precision,
        callbacks=callbacks,
        # Snakemake alone owns retries; under Slurm Lightning would requeue the job too
        plugins=[DurableCheckpointIO(), LightningEnvironment()],
        logger=False,
        enable_progress_bar=shows_bar,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _quieten_libraries() -> None:
    """Leaves the log to what concerns this training."""
    for name in ("pytorch_lightning", "lightning_fabric"):  # their import sets these to INFO
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated")


def _device(options: TrainerOptions) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if options.accelerator == "gpu" and not has_gpu:
        raise UserError("trainer.accelerator is gpu, but this machine shows no GPU to the job; allowed here: auto, cpu")
    device = torch.device("cuda" if has_gpu and options.accelerator != "cpu" else "cpu")
    if device.type == "cpu" and options.precision == "16-mixed":
        raise UserError("trainer.precision: 16-mixed needs a GPU, and this job runs on the CPU; allowed: the others")
    return device


def _choose_precision(
    spec: TrainSpec, task: TaskModule, data: Data, device: torch.device, cache: Path
) -> precision.Choice:
    key = spec.model_dump(include={"task", "model", "augment", "data_loader"})
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        return precision.choose(
            spec.trainer.precision,
            device,
            task,
            lambda trial, batch: trial.measure(batch)["loss"],
            data.first_batch(),
            cache,
            {**key, "data": task.facts["fields"]},
        )


def _weights(spec: TrainSpec, task: TaskModule, best: BestWeights) -> dict[str, torch.Tensor]:
    if spec.checkpoint.save == "best" and best.path:
        return torch.load(best.path, map_location="cpu", weights_only=True)
    return {name: value.cpu() for name, value in task.network.state_dict().items()}


def _best(spec: TrainSpec, best: BestWeights) -> dict[str, Any] | None:
    if best.best is None or not math.isfinite(best.best["value"]):
        return None
    return {"metric": spec.checkpoint.monitor, **best.best, "kept": spec.checkpoint.save == "best"}
