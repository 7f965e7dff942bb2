"""``preview-augmentation``: the step that draws augmented samples."""

import argparse

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    commands.add("preview-augmentation", preview_augmentation, "manifest", "figure")


def preview_augmentation(arguments: argparse.Namespace) -> None:
    """Draw what an experiment's `augment` does to its samples."""
    from snaketorch.config.specs import AugmentationSpec
    from snaketorch.data.augmentation_picture import draw_augmentation

    draw_augmentation(
        spec_of(AugmentationSpec, arguments),
        manifest=arguments.manifest,
        figure=arguments.figure,
        code=arguments.code,
    )
