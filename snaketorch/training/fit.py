"""Lightning's part of a training: from a spec to weights."""

import logging
import math
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
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
from snaketorch.training.activation_checkpointing import recompute_activations
from snaketorch.training.averaging import WeightAveraging
from snaketorch.training.batch_normalization import check_batches
from snaketorch.training.callbacks import History, StepSeeds, StopOnNonFinite
from snaketorch.training.checkpoints import LAST, BestWeights, DurableCheckpointIO, ResumePoints, Weights
from snaketorch.training.compilation import compile_network
from snaketorch.training.data import Data
from snaketorch.training.model_file import load_model
from snaketorch.training.network_facts import network_facts, predict_one
from snaketorch.training.optimization import Optimization
from snaketorch.training.pretrained import start_from_trained
from snaketorch.training.transfer import Freezing, layers_of, learnable_weights

log = logging.getLogger(__name__)

NOT_LIGHTNINGS = {
    "precision",
    "accelerator",
    "gradient_clip_algorithm",
    "compile",
    "gradient_checkpointing",
    "memory_format",
}
"""Keys of `trainer` that are ours, or go to Lightning in another form."""

SAMPLES = "samples"
"""In the folder of the live state: what the model makes as it learns."""


@dataclass(frozen=True)
class Fitted:
    """A finished training."""

    weights: dict[str, torch.Tensor]
    """Of the network, on the CPU."""
    history: str
    """CSV, one row an epoch."""
    facts: dict[str, Any]
    """What the record says of it: device, precision, counts, the best epoch."""


def fit(
    spec: TrainSpec, dataset: Manifest, uses: Mapping[str, Path], state: Path, choices: Path, journal: Journal
) -> Fitted:
    """Trains to the end, from the last checkpoint in ``state`` when there is one.

    Args:
        spec: All that the result depends on, besides data, code, and the models that it uses.
        dataset: The prepared data.
        uses: Models of other experiments, and weights, by what they are for.
        state: The folder of its live state.
        choices: The folder that remembers which precision a device does well.
        journal: What it tells while it runs.
    """
    device = _device(spec.trainer)
    _quieten_libraries()
    lightning.seed_everything(spec.seed, verbose=False)
    task = build_task(spec.task, spec.model, dataset.facts())
    task.use({name: load_model(path) for name, path in uses.items() if name in spec.task.upstream})
    clipping = spec.trainer.gradient_clip_val, spec.trainer.gradient_clip_algorithm
    origin = start_from_trained(task, spec.model, spec.transfer, uses.get("pretrained"))
    layers = layers_of(task.network, spec.transfer) if spec.transfer else None
    learnable = learnable_weights(task.network, layers)
    task.optimization = Optimization(spec.optimizer, spec.lr_scheduler, *clipping, layers)
    strategy = [Freezing(spec.transfer, task.network)] if spec.transfer and spec.transfer.freezes else []
    task.samples_folder = state / SAMPLES
    task.samples_folder.mkdir(exist_ok=True)
    data = Data(spec.data_loader, spec.augment, spec.seed, task, dataset, device, state)
    check_batches(task.network, learnable, spec.data_loader.batch_size, len(data.splits["train"]))
    choice = _choose_precision(spec, task, data, device, choices)
    if choice.memory_format == "channels_last":
        task.network.to(memory_format=torch.channels_last)
    first_batch = data.first_batch()
    network = network_facts(task, first_batch, learnable)
    if spec.trainer.gradient_checkpointing:
        recompute_activations(task.network, partial(predict_one, task, first_batch))
    if spec.trainer.compile:
        compile_network(task.network, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)

    history = History(journal)
    averages = []
    if spec.weight_averaging:
        options, epochs = spec.weight_averaging, spec.trainer.max_epochs
        averages.append(WeightAveraging(options, task.network, epochs, task.averaged_part))
    weights = averages[0].weights if averages else task.network.state_dict
    best = BestWeights(
        state,
        spec.checkpoint.monitor,
        task.mode_of(spec.checkpoint.monitor),
        weights,
        counts=lambda: all(average.has_begun for average in averages),
    )
    resume_points = ResumePoints(state, best)
    callbacks = [StepSeeds(spec.seed), StopOnNonFinite(), *strategy, *averages, history, best, resume_points]
    if spec.early_stopping:
        options = spec.early_stopping.model_dump()
        callbacks.append(EarlyStopping(**options, mode=task.mode_of(options["monitor"]), check_finite=False))
    if sys.stderr.isatty():
        callbacks.append(TQDMProgressBar(refresh_rate=10, leave=False))
    trainer = _trainer(spec, task, choice, device, callbacks)

    log.info(
        "%s, seed %d: %s with %s parameters on %s, %d training and %d validation samples",
        spec.experiment,
        spec.seed,
        spec.model.kind,
        f"{network['parameters']:,}",
        precision.device_name(device),
        *(len(data.splits[split]) for split in ("train", "val")),
    )
    last = state / LAST
    if last.exists():
        log.info("Going on from %s", last)
    trainer.fit(task, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
    if not trainer.state.finished:
        raise UserError("the training was interrupted; start it again and it goes on from its last checkpoint")
    if averages and not averages[0].has_begun:
        log.warning("The training ended before its weights were averaged: they are those of its last step")
    if len(history.rows) < spec.trainer.max_epochs:
        log.info("Stopped early: %s did not improve", spec.early_stopping.monitor)

    facts = {
        "device": {"type": device.type, "name": precision.device_name(device), "threads": torch.get_num_threads()},
        "precision": {"asked": spec.trainer.precision, "used": str(trainer.precision), "why": choice.why},
        "float32_matmul_precision": torch.get_float32_matmul_precision(),  # "high" lets tensor cores use TF32
        "memory_format": choice.memory_format,
        "data": asdict(data.placement),
        "parameters": network["parameters"],
        "network": network,
        "pretrained": origin,
        "epochs": len(history.rows),
        "steps": trainer.global_step,
        "best": _best(spec, best),
        "peak_memory_mb": round(peak_memory_mb(device), 1),
        "samples_per_second": round(history.samples_per_second, 1),
        "wall_seconds": round(resume_points.seconds, 3),
    }
    return Fitted(_published(spec, best, weights), history.csv(), facts)


def _trainer(
    spec: TrainSpec,
    task: TaskModule,
    choice: precision.Choice,
    device: torch.device,
    callbacks: list[lightning.Callback],
) -> lightning.Trainer:
    keys = spec.trainer.model_dump(exclude=NOT_LIGHTNINGS)
    if not task.automatic_optimization:
        keys["gradient_clip_val"] = None  # a task that steps by itself clips by itself
    shows_bar = any(isinstance(callback, TQDMProgressBar) for callback in callbacks)
    return lightning.Trainer(
        **keys,
        gradient_clip_algorithm=spec.trainer.gradient_clip_algorithm if keys["gradient_clip_val"] else None,
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
    warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")  # frozen by `transfer`


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
    key["memory_format"] = spec.trainer.memory_format
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        return precision.choose(
            spec.trainer.precision,
            spec.trainer.memory_format,
            device,
            task,
            lambda trial, batch: trial.measure(batch)["loss"],
            data.first_batch(),
            cache,
            {**key, "data": task.facts["fields"]},
            scales_loss=task.automatic_optimization,
        )


def _published(spec: TrainSpec, best: BestWeights, weights: Weights) -> dict[str, torch.Tensor]:
    if spec.checkpoint.save == "best" and best.path:
        return torch.load(best.path, map_location="cpu", weights_only=True)
    return {name: value.cpu() for name, value in weights().items()}


def _best(spec: TrainSpec, best: BestWeights) -> dict[str, Any] | None:
    if best.best is None or not math.isfinite(best.best["value"]):
        return None
    return {"metric": spec.checkpoint.monitor, **best.best, "kept": spec.checkpoint.save == "best"}
