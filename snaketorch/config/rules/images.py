"""The size of images, where the file of their dataset says it."""

from collections.abc import Iterator

from snaketorch.config.datasets import Prepare
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict


def images_are_large_enough(experiment: ExperimentConfig, prepare: Prepare) -> Iterator[Conflict]:
    """The network leaves something of an image, as far as the files can tell; all else is told before a training."""
    model, size = experiment.model, prepare.size
    smallest = model.smallest_image
    if size is None or min(size) >= smallest:
        return
    has_blocks = hasattr(model, "channels")
    with_blocks = f" with {len(model.channels)} blocks" if has_blocks else ""
    yield (
        ("model", "channels" if has_blocks else "kind"),
        f"'{model.kind}'{with_blocks} needs images of at least {smallest}x{smallest} pixels, but those of dataset "
        f"'{experiment.data}' have {size[0]}x{size[1]} (prepare.size); allowed: larger images"
        + (", or fewer blocks" if has_blocks else ""),
    )
