"""``explain``: why something would run again."""

import argparse
from pathlib import Path

from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("explain", explain, spec=False)
    step.add_argument("experiment", metavar="EXPERIMENT")
    step.add_argument("--seed", type=int, metavar="N", help="only one training (default: all)")
    step.add_argument("--snakefile", "-s", type=Path, metavar="FILE", help="default: as snakemake finds it")


def explain(arguments: argparse.Namespace) -> None:
    """Say what of an experiment would run again, and because of which key."""
    from snaketorch.status.explain import explain as run

    print(run(arguments.experiment, arguments.seed, arguments.snakefile))  # noqa: T201
