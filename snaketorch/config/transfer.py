"""How a network that starts from trained weights goes on learning."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snaketorch.config.base import Positive, Section

Share = Annotated[float, Field(gt=0, le=1)]


class _Strategy(Section):
    freezes: ClassVar[bool] = True
    """Whether some of the trained weights stay as they are, for some time at least."""

    new_head: bool = False
    """Start the head afresh though its classes are the same; where they are others, it is fresh anyhow."""


class FeatureExtraction(_Strategy):
    """Only the head learns. All else stays as it was, the statistics of its batch normalisation too."""

    kind: Literal["feature_extraction"]


class GradualUnfreezing(_Strategy):
    """The head learns first, then the block before it too, and so on down to the input (arXiv 1801.06146)."""

    kind: Literal["gradual_unfreezing"]
    epochs_per_block: Positive = 1
    """Epochs from one block to the next."""
    layer_decay: Share = 1.0
    """Learning rate of each block as a share of that of the block after it; the head's is `optimizer.lr`."""


class FineTuning(_Strategy):
    """All weights learn, those near the input more slowly."""

    freezes: ClassVar[bool] = False

    kind: Literal["fine_tuning"]
    layer_decay: Share = 0.5
    """Learning rate of each block as a share of that of the block after it; the head's is `optimizer.lr`."""


Transfer = Annotated[FeatureExtraction | GradualUnfreezing | FineTuning, Field(discriminator="kind")]
