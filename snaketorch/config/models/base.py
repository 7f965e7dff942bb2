"""What every network's section has in common."""

from typing import Annotated, Any, ClassVar

from pydantic import Discriminator, Field, Tag

from snaketorch.config.base import Name, Section

IMAGE = "an image"
SEQUENCE = "a sequence"
TOKENS = "tokens"
ROW = "a row of a table"
NOISE = "noise"


class FromExperiment(Section):
    """The trained model of another experiment: trained first, and this one again when it changes."""

    from_experiment: Name
    """The other experiment. To start from (`pretrained`), its model with the same seed, where it has that seed, else
    its first; for what a task needs (`features`), its first for every seed, so that all are measured alike."""


def _text_or_section(value: Any) -> str:
    return "section" if isinstance(value, dict | FromExperiment) else "text"


Pretrained = Annotated[
    Annotated[str, Field(min_length=1), Tag("text")] | Annotated[FromExperiment, Tag("section")],
    Discriminator(_text_or_section),
]


class Network(Section):
    """A network; what is inherited says how it fits a task."""

    reads: ClassVar[tuple[str, ...]]
    """What it can be given."""
    implementation: ClassVar[str]
    each_step: ClassVar[bool] = False
    """Whether it can give an output at every step of what it reads."""
    hub_weights: ClassVar[bool] = False
    """Whether torchvision has trained weights of it, which `pretrained` can name."""

    pretrained: Pretrained | None = None
    """Weights to start from: another experiment's (`{from_experiment: NAME}`), a file's, or torchvision's by their
    name, for networks that it has trained; fresh ones when absent."""

    @property
    def smallest_image(self) -> int:
        """Pixels that the shorter side of an image needs, as far as the options alone can tell."""
        return 1

    @property
    def upstream(self) -> str | None:
        """The experiment that ``pretrained`` gives."""
        return self.pretrained.from_experiment if isinstance(self.pretrained, FromExperiment) else None

    @property
    def hub_name(self) -> str | None:
        """The name of torchvision's weights that ``pretrained`` gives."""
        names_hub = self.hub_weights and isinstance(self.pretrained, str) and self.pretrained.isidentifier()
        return self.pretrained if names_hub else None

    @property
    def weights_file(self) -> str | None:
        """The file that ``pretrained`` gives."""
        return self.pretrained if isinstance(self.pretrained, str) and not self.hub_name else None
