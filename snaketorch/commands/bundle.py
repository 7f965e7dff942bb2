"""``bundle``: the step that puts the best model of an experiment together with all that it needs."""

import argparse
from pathlib import Path

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("bundle", bundle, "manifest", "bundle")
    step.add_argument("--models", type=Path, nargs="+", required=True, help="the model of each seed")
    step.add_argument("--records", type=Path, nargs="+", required=True, help="where each comes from, in that order")


def bundle(arguments: argparse.Namespace) -> None:
    """Put an experiment's best model together with all that it needs to be used elsewhere."""
    from snaketorch.config.specs import BundleSpec
    from snaketorch.inference.choice import bundle_chosen

    bundle_chosen(
        spec_of(BundleSpec, arguments),
        manifest=arguments.manifest,
        models=arguments.models,
        records=arguments.records,
        bundle=arguments.bundle,
    )
