"""What is trained: a task with its network, its data, and the number format of the device."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
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
from snaketorch.hardware.gpus_given import check_gpus
from snaketorch.launch.place import Place
from snaketorch.tasks import build_task
from snaketorch.tasks.base import TaskModule
from snaketorch.tasks.peers import Peers
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
    parts: list[int] | None = None
    """Weights that each process has, in their order, where each has a part; None where each has all, or DeepSpeed
    decides."""


def subject_of(
    spec: TrainSpec, dataset: Manifest, uses: Mapping[str, Path], session: Session, device: torch.device, peers: Peers
) -> Subject:
    """What ``spec`` describes, ready to train.

    Args:
        spec: All that the result depends on, besides data, code, and the models that it uses.
        dataset: The prepared data.
        uses: Models of other experiments, and weights, by what they are for.
        session: Says which folders remember what the training began with.
        device: That trains it.
        peers: The processes that train it together.
    """
    task = build_task(spec.task, spec.model, dataset.facts())
    task.train_with(peers)
    task.use({name: load_model(path) for name, path in uses.items() if name in spec.task.upstream})
    clipping = spec.trainer.gradient_clip_val, spec.trainer.gradient_clip_algorithm
    origin = start_from_trained(task, spec.model, spec.transfer, uses.get("pretrained"))
    layers = layers_of(task.network, spec.transfer) if spec.transfer else None
    learnable = learnable_weights(task.network, layers)
    task.optimization = Optimization(spec.optimizer, spec.lr_scheduler, *clipping, layers)
    freezing = [Freezing(spec.transfer, task.network)] if spec.transfer and spec.transfer.freezes else []
    if peers.is_first:
        task.samples_folder = session.samples
        session.samples.mkdir(exist_ok=True)
    sharing = session.place.local_size * session.sharing
    data = Data(spec.data_loader, spec.augment, spec.seed, task, dataset, device, session.state, sharing)
    check_batches(task.network, learnable, spec.data_loader.batch_size, len(data.splits["train"]))
    choice = peers.of_first(lambda: _choose_precision(spec, task, data, device, session.choices))
    if choice.memory_format == "channels_last":
        task.network.to(memory_format=torch.channels_last)
    first_batch = data.first_batch()
    network = network_facts(task, first_batch, learnable)
    if spec.trainer.gradient_checkpointing:
        recompute_activations(task.network, partial(predict_one, task, first_batch))
    if spec.trainer.compile:
        compile_network(task.network, device)
    parts = None
    if peers.in_step and spec.trainer.strategy != "deepspeed":  # which does it later
        learnable, part = _shard(spec, task, device, choice, partial(predict_one, task, first_batch))
        parts = peers.gather(part)
    return Subject(device, task, data, choice, learnable, freezing, network, origin, parts)


def _shard(
    spec: TrainSpec, task: TaskModule, device: torch.device, choice: precision.Choice, run: Callable[[], object]
) -> tuple[list[nn.Parameter], int]:
    """Leaves this process its part of the network; gives the new weights that learn, and how many it has of all."""
    from snaketorch.training.strategies.parts import own_part  # bring in much of torch
    from snaketorch.training.strategies.sharding import shard

    if choice.precision == "64-true":
        task.double()  # Lightning does so later, when the weights are there twice
    task._device_mesh = shard(task.network, spec.trainer, task.peers, device, run)
    layers = layers_of(task.network, spec.transfer) if spec.transfer else None
    task.optimization.layers = layers
    here = sum(own_part(weight).numel() for weight in task.network.parameters())
    return learnable_weights(task.network, layers), here


def device_of(options: TrainerOptions, place: Place) -> torch.device:
    """The device that this process trains on.

    Raises:
        UserError: this machine does not show what is asked for.
    """
    if options.strategy == "deepspeed" and find_spec("deepspeed") is None:
        raise UserError(
            "trainer.strategy: deepspeed needs the package deepspeed, which is not installed here: "
            "`pip install 'snaketorch[deepspeed]'`; allowed without it: fsdp, which is much like its stage 3, or ddp"
        )
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    check_gpus(options.accelerator, place.local_size, found, os.environ)
    device = torch.device("cuda" if found and options.accelerator != "cpu" else "cpu")
    if device.type == "cuda" and not place.is_alone:
        device = torch.device("cuda", place.local_rank)
    if device.type == "cpu" and not place.is_alone and options.sync_batchnorm:
        raise UserError("trainer.sync_batchnorm is for GPUs, and this job runs on the CPU; allowed here: false")
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
            "contiguous" if task.peers.in_step else spec.trainer.memory_format,
            device,
            task,
            lambda trial, batch: trial.measure(batch)["loss"],
            data.first_batch(),
            cache,
            {**key, "data": task.facts["fields"]},
            scales_loss=task.automatic_optimization and not task.peers.in_step,
        )
