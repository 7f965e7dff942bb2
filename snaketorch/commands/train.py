"""``train``: the step that trains a model, in as many processes as it has devices."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.options import add_best, add_checkpoints, add_uses
from snaketorch.commands.parser import Commands
from snaketorch.launch.local_ranks import LocalRanks
from snaketorch.launch.srun import starts_ranks, train_by_srun
from snaketorch.threads import use_threads

if TYPE_CHECKING:
    from snaketorch.config.specs import TrainSpec


def add(commands: Commands) -> None:
    """Adds the command."""
    files = ("manifest", "state", "model", "history", "record", "samples")
    step = commands.add("train", train, *files, computes=True)
    add_uses(step)
    add_checkpoints(step)
    add_best(step)


def train(arguments: argparse.Namespace) -> None:
    """Train a model, or go on from its last checkpoint."""
    from snaketorch.config.specs import TrainSpec

    spec = _tuned(spec_of(TrainSpec, arguments), arguments.best)
    devices, num_nodes = spec.trainer.devices, spec.trainer.num_nodes
    if starts_ranks(num_nodes):
        train_by_srun(devices, num_nodes, arguments.threads)
        return
    threads = max(1, arguments.threads // devices)  # each device of this machine has a process
    use_threads(threads)
    # the others import while this one does
    with LocalRanks(devices, num_nodes, arguments.fail):
        _train(spec, arguments, threads)


def _train(spec: "TrainSpec", arguments: argparse.Namespace, threads: int) -> None:
    from snaketorch.tracking.sidecar import uploading
    from snaketorch.training.checkpointing.resume_points import Every
    from snaketorch.training.train import train as run

    run(
        spec,
        manifest=arguments.manifest,
        uses=dict(arguments.uses),
        state_root=arguments.state,
        model=arguments.model,
        history=arguments.history,
        record=arguments.record,
        samples=arguments.samples,
        code=arguments.code,
        threads=threads,
        checkpoint_every=Every(arguments.checkpoint_epochs, arguments.checkpoint_seconds),
        runtime=arguments.runtime,
        uploading=uploading,
        best=arguments.best,
    )


def _tuned(spec: "TrainSpec", best: Path | None) -> "TrainSpec":
    """``spec`` with the values that a sweep found, if there was one."""
    if best is None:
        return spec
    from snaketorch.config.best import Best

    return Best.read(best).put_into(spec)
