"""Lightning's part of a training: from a spec to weights."""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.plugins import DoublePrecision, MixedPrecision, Precision

from snaketorch import provenance
from snaketorch.config.specs import TrainSpec
from snaketorch.data.manifest import Manifest
from snaketorch.errors import Interrupted
from snaketorch.hardware import precision
from snaketorch.launch.place import Place
from snaketorch.state.checkpoints import Identity
from snaketorch.state.probe import probe_room
from snaketorch.tasks.peers import Peers
from snaketorch.training.checkpointing.io import DurableCheckpointIO
from snaketorch.training.checkpointing.size import checkpoint_bytes
from snaketorch.training.checkpointing.store import CheckpointStore
from snaketorch.training.facts import facts_of
from snaketorch.training.micro_batches import MicroBatches
from snaketorch.training.overhead import no_search_for_gpus
from snaketorch.training.ranks import together
from snaketorch.training.run_callbacks import RunCallbacks
from snaketorch.training.session import Session
from snaketorch.training.strategies.registry import strategy_of
from snaketorch.training.strategies.started import Started
from snaketorch.training.subject import Subject, device_of, subject_of
from snaketorch.training.usage.record import usage_of
from snaketorch.training.usage.steps import FetchProfiler

log = logging.getLogger(__name__)

NOT_LIGHTNINGS = {
    "precision",
    "accelerator",
    "gradient_clip_algorithm",
    "compile",
    "gradient_checkpointing",
    "memory_format",
    "on_non_finite_loss",
    "strategy",
    "sync_batchnorm",
    "gradient_compression",
    "tensor_parallel_size",
    "deepspeed",
}
"""Keys of `trainer` that are ours, or go to Lightning in another form."""


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
    spec: TrainSpec,
    dataset: Manifest,
    uses: Mapping[str, Path],
    session: Session,
) -> Fitted | None:
    """Trains to the end, from the last checkpoint of the session's state when there is one.

    Of several processes the first gives what came of it, the others None.

    Args:
        spec: All that the result depends on, besides data, code, and the models that it uses.
        dataset: The prepared data.
        uses: Models of other experiments, and weights, by what they are for.
        session: What it is told besides, and where its state is.

    Raises:
        Interrupted: it was told to end; what it has done is saved.
        OutOfTime: the same, because of the deadline.
    """
    _quieten_libraries()
    device = device_of(spec.trainer, session.place)
    copies, in_step = spec.trainer.processes_of_a_layer, spec.trainer.keeps_parts
    with together(session.place, device, copies, in_step) as peers:
        micro_batches = MicroBatches(session.state, peers)
        return micro_batches.fit(partial(_fit, spec, dataset, uses, session, micro_batches, device, peers))


def _fit(
    spec: TrainSpec,
    dataset: Manifest,
    uses: Mapping[str, Path],
    session: Session,
    micro_batches: MicroBatches,
    device: torch.device,
    peers: Peers,
) -> Fitted | None:
    identity = Identity(provenance.digest(spec.model_dump(mode="json")), session.code, dataset.digest)
    start_over = f"python -m snaketorch start-over {spec.experiment} --seed {spec.seed}"
    store = CheckpointStore(session.state, identity, start_over)
    last = peers.of_first(store.newest)
    lightning.seed_everything(spec.seed, verbose=False)
    subject = subject_of(spec, dataset, uses, session, device, peers)
    if subject.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(subject.device)
    callbacks = RunCallbacks(spec, subject, session, store, micro_batches)
    trainer = _trainer(spec, subject, callbacks, session.place)
    # Lightning does so after it has restored the weights, and would round those of a checkpoint in 64-true
    trainer.precision_plugin.convert_module(subject.task)
    if peers.is_first:
        probe_room(session.state, checkpoint_bytes(spec, subject.task, subject.learnable))

    log.info(
        "%s, seed %d: %s with %s parameters on %s, %d training and %d validation samples",
        spec.experiment,
        spec.seed,
        spec.model.kind,
        f"{subject.network['parameters']:,}",
        precision.device_name(subject.device),
        *(len(subject.data.splits[split]) for split in ("train", "val")),
    )
    if not peers.is_alone:
        log.info(
            "%d processes train together (%s), a step is of %d samples",
            peers.world_size,
            spec.trainer.strategy_in_use,
            spec.step_size,
        )
    if last:
        log.info("Going on from %s", last)
    with no_search_for_gpus(subject.device):
        trainer.fit(subject.task, datamodule=subject.data, ckpt_path=last, weights_only=True)
    if not trainer.state.finished:
        raise Interrupted("the training was interrupted; start it again and it goes on from its last checkpoint")
    of_last_step = callbacks.weights() if spec.checkpoint.save == "last" or callbacks.best.best is None else {}
    usage = peers.gather(callbacks.usage.measured())
    if not peers.is_first:
        return None
    if callbacks.averaging and not callbacks.averaging.has_begun:
        log.warning("The training ended before its weights were averaged: they are those of its last step")
    if len(callbacks.history.rows) < spec.trainer.max_epochs:
        log.info("Stopped early: %s did not improve", spec.early_stopping.monitor)
    weights = callbacks.best.kept or {name: value.cpu() for name, value in of_last_step.items()}
    facts = facts_of(spec, subject, callbacks, trainer)
    facts |= {"micro_batches": micro_batches.record(), "usage": usage_of(usage)}
    return Fitted(weights, callbacks.history.csv(), facts)


def _trainer(spec: TrainSpec, subject: Subject, callbacks: RunCallbacks, place: Place) -> lightning.Trainer:
    keys = spec.trainer.model_dump(exclude=NOT_LIGHTNINGS)
    if not subject.task.automatic_optimization:
        keys["gradient_clip_val"] = None  # a task that steps by itself clips by itself
    plugins: list[Any] = [DurableCheckpointIO(), Started(place)]
    precision_of: dict[str, Any] = {"precision": subject.choice.precision}
    if subject.task.peers.in_step:
        keys["gradient_clip_val"] = None  # ``RunCallbacks`` has a callback that knows of parts
        if subject.choice.precision == "64-true":  # by its name Lightning refuses it to its strategy
            plugins.append(DoublePrecision())
            precision_of = {}
        elif spec.trainer.strategy == "deepspeed":  # so that weights stay in float32
            halved = subject.choice.precision == "bf16-mixed"
            plugins.append(MixedPrecision("bf16-mixed", subject.device.type) if halved else Precision())
            precision_of = {}
    if not place.is_alone:
        keys["strategy"] = strategy_of(spec, subject.task, subject.learnable)
        keys["sync_batchnorm"] = spec.trainer.sync_batchnorm
    shows_bar = any(isinstance(callback, TQDMProgressBar) for callback in callbacks.all)
    return lightning.Trainer(
        **keys,
        gradient_clip_algorithm=spec.trainer.gradient_clip_algorithm if keys["gradient_clip_val"] else None,
        accelerator="gpu" if subject.device.type == "cuda" else "cpu",
        **precision_of,
        callbacks=callbacks.all,
        # Snakemake alone owns retries; under Slurm Lightning would requeue the job too
        plugins=plugins,
        logger=False,
        profiler=FetchProfiler(callbacks.usage.steps.marks),
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
    warnings.filterwarnings("ignore", message="The `srun` command is available")  # one process needs none
    warnings.filterwarnings("ignore", message="It is recommended to use `self.log")  # it is of all already
    warnings.filterwarnings("ignore", message="find_unused_parameters=True was specified")  # see ``strategy``
    warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")  # torch 2.11 has nothing else
