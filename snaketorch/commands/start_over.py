"""``start-over``: away with what unfinished trainings, or a sweep, have done."""

import argparse
from pathlib import Path

from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("start-over", start_over, spec=False)
    step.add_argument("experiment", metavar="EXPERIMENT")
    which = step.add_mutually_exclusive_group()
    which.add_argument("--seed", type=int, metavar="N", help="of one training (default: all)")
    which.add_argument("--sweep", action="store_true", help="of the sweep: all its trials, those that are done too")


def start_over(arguments: argparse.Namespace) -> None:
    """Begin an experiment's unfinished trainings anew, or its sweep; what they have done is put aside."""
    from snaketorch.config.load import load_study
    from snaketorch.failures.notes import forget_job
    from snaketorch.state.start_over import start_over as run
    from snaketorch.state.start_over import sweep_over

    study = load_study(Path.cwd())
    known = {**study.experiments, **study.needed}
    if arguments.sweep:
        tuned = [name for name, experiment in known.items() if experiment.tune]
        jobs = [("tune", arguments.experiment, place) for place in sweep_over(arguments.experiment, tuned)]
    else:
        seeds = {name: experiment.seeds for name, experiment in known.items()}
        jobs = [("train", name, place) for name, place in run(arguments.experiment, arguments.seed, seeds)]
    for step, name, place in jobs:
        forget_job(step, name)
        print(f"put aside in {place}; `snakemake` begins anew, and the folder may be deleted")  # noqa: T201
