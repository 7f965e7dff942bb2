"""``register``: the step that brings a trained model to the model registry, behind its gate."""

import argparse

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    commands.add("register", register, "summary", "manifest", "bundle", "registration", computes=True)


def register(arguments: argparse.Namespace) -> None:
    """Ask an experiment's gate, and register its model."""
    from snaketorch.config.specs import RegisterSpec
    from snaketorch.registry.register import register as run

    run(
        spec_of(RegisterSpec, arguments),
        summary=arguments.summary,
        manifest=arguments.manifest,
        bundle=arguments.bundle,
        registration=arguments.registration,
        code=arguments.code,
    )
