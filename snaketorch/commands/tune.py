"""``tune``: the step that sweeps over an experiment's space."""

import argparse

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.options import add_checkpoints, add_uses
from snaketorch.commands.parser import Commands

SWEEP_FILES = ("best", "trials", "curves", "sweep", "figures")


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("tune", tune, "manifest", "state", *SWEEP_FILES, computes=True)
    add_uses(step)
    add_checkpoints(step)
    step.add_argument(
        "--max-concurrent", type=int, default=0, metavar="N", help="trials at once (default: as many fit)"
    )
    step.add_argument("--cpu-per-trial", type=float, default=1.0, metavar="X", help="CPU cores of a trial")
    step.add_argument("--gpu-per-trial", type=float, default=0.0, metavar="X", help="GPUs of a trial, or share of one")
    step.add_argument("--num-nodes", type=int, default=1, metavar="N", help="nodes of the job")


def tune(arguments: argparse.Namespace) -> None:
    """Sweep over an experiment's space, or go on with the sweep."""
    from snaketorch.config.specs import TuneSpec
    from snaketorch.tracking.sidecar import uploading
    from snaketorch.training.checkpointing.resume_points import Every
    from snaketorch.tuning.room import Room
    from snaketorch.tuning.tune import SweepFiles
    from snaketorch.tuning.tune import tune as run

    run(
        spec_of(TuneSpec, arguments),
        manifest=arguments.manifest,
        state_root=arguments.state,
        files=SweepFiles(*(getattr(arguments, name) for name in SWEEP_FILES)),
        code=arguments.code,
        room=Room(
            cpus=arguments.threads,
            gpus=arguments.gpus,
            cpu=arguments.cpu_per_trial,
            gpu=arguments.gpu_per_trial,
            max_concurrent=arguments.max_concurrent or None,
            num_nodes=arguments.num_nodes,
        ),
        uses=dict(arguments.uses),
        checkpoint_every=Every(arguments.checkpoint_epochs, arguments.checkpoint_seconds),
        runtime=arguments.runtime,
        uploading=uploading,
    )
