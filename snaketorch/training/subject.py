"""What is trained: a task with its network, its data, and the number format of the device."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback
from torch import nn

from snaketorch.config.specs import TrainSpec
from snaketorch.config.trainer import Trainer as TrainerOptions
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.hardware import precision
from snaketorch.tasks import build_task
from snaketorch.tasks.base import TaskModule
from snaketorch.training.activation_checkpointing import recompute_activations
from snaketorch.training.batch_normalization import check_batches
from snaketorch.training.compilation import compile_network
from snaketorch.training.data import Data
from snaketorch.training.model_file import load_model
from snaketorch.training.network_facts import network_facts, predict_one
from snaketorch.training.optimization import Optimization
from snaketorch.training.pretrained import start_from_trained
from snaketorch.training.session import Session
from snaketorch.training.transfer import Freezing, layers_of, learnable_weights


@dataclass(frozen=True)
class Subject:
    """What a training trains."""

    device: torch.device
    task: TaskModule
    data: Data
    choice: precision.Choice
    learnable: list[nn.Parameter]
    """The weights that learn at some time."""
    freezing: list[Callback]
    """Of parts of the network that do not learn all the time."""
    network: dict[str, Any]
    """What the network is made of, for the record."""
    origin: dict[str, Any] | None
    """The trained weights that it starts from, for the record."""


def subject_of(spec: TrainSpec, dataset: Manifest, uses: Mapping[str, Path], session: Session) -> Subject:
    """What ``spec`` describes, ready to train.

    Args:
        spec: All that the result depends on, besides data, code, and the models that it uses.
        dataset: The prepared data.
        uses: Models of other experiments, and weights, by what they are for.
        session: Says which folders remember what the training began with.
    """
    device = _device(spec.trainer)
    task = build_task(spec.task, spec.model, dataset.facts())
    task.use({name: load_model(path) for name, path in uses.items() if name in spec.task.upstream})
    clipping = spec.trainer.gradient_clip_val, spec.trainer.gradient_clip_algorithm
    origin = start_from_trained(task, spec.model, spec.transfer, uses.get("pretrained"))
    layers = layers_of(task.network, spec.transfer) if spec.transfer else None
    learnable = learnable_weights(task.network, layers)
    task.optimization = Optimization(spec.optimizer, spec.lr_scheduler, *clipping, layers)
    freezing = [Freezing(spec.transfer, task.network)] if spec.transfer and spec.transfer.freezes else []
    task.samples_folder = session.samples
    session.samples.mkdir(exist_ok=True)
    data = Data(spec.data_loader, spec.augment, spec.seed, task, dataset, device, session.state)
    check_batches(task.network, learnable, spec.data_loader.batch_size, len(data.splits["train"]))
    choice = _choose_precision(spec, task, data, device, session.choices)
    if choice.memory_format == "channels_last":
        task.network.to(memory_format=torch.channels_last)
    first_batch = data.first_batch()
    network = network_facts(task, first_batch, learnable)
    if spec.trainer.gradient_checkpointing:
        recompute_activations(task.network, partial(predict_one, task, first_batch))
    if spec.trainer.compile:
        compile_network(task.network, device)
    return Subject(device, task, data, choice, learnable, freezing, network, origin)


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
