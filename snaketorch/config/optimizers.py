"""Optimizers, with PyTorch's own names and defaults where they are good ones."""

from typing import Annotated, Literal

from pydantic import Field

from snaketorch.config.base import NotNegative, Section

Rate = Annotated[float, Field(gt=0, le=10)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Beta = Annotated[float, Field(ge=0, lt=1)]


class _Adam(Section):
    lr: Rate = 1e-3
    """Learning rate; the highest one under a schedule."""
    betas: list[Beta] = Field([0.9, 0.999], min_length=2, max_length=2)
    """Decay of the averages of the gradient and of its square."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Added to the denominator."""


class AdamW(_Adam):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"]
    weight_decay: Decay = 0.01
    """Decay of the weights, not of biases and normalisation."""


class Adam(_Adam):
    """Adam; its weight decay is a penalty on the loss."""

    kind: Literal["adam"]
    weight_decay: Decay = 0.0
    """L2 penalty on the weights, not on biases and normalisation."""


class Sgd(Section):
    """Stochastic gradient descent."""

    kind: Literal["sgd"]
    lr: Rate = 0.1
    """Learning rate; the highest one under a schedule."""
    momentum: Beta = 0.9
    """Share of the last step that is kept."""
    nesterov: bool = False
    """Look ahead along the momentum."""
    weight_decay: Decay = 0.0
    """L2 penalty on the weights, not on biases and normalisation."""


class RmsProp(Section):
    """RMSprop."""

    kind: Literal["rmsprop"]
    lr: Rate = 1e-3
    """Learning rate; the highest one under a schedule."""
    alpha: Beta = 0.99
    """Decay of the average of the squared gradient."""
    momentum: Beta = 0.0
    """Share of the last step that is kept."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Added to the denominator."""
    weight_decay: Decay = 0.0
    """L2 penalty on the weights, not on biases and normalisation."""


Optimizer = Annotated[AdamW | Adam | Sgd | RmsProp, Field(discriminator="kind")]


class NoSchedule(Section):
    """The learning rate stays as it is."""

    kind: Literal["none"]


class Cosine(Section):
    """A linear warm-up, then half a cosine down to `min_lr`; stepped every batch."""

    kind: Literal["cosine"]
    warmup_epochs: NotNegative = 0
    """Epochs of warm-up."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """Learning rate at the end."""


class OneCycle(Section):
    """Up, then down to nearly nothing, once over the whole training; stepped every batch."""

    kind: Literal["one_cycle"]
    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Share of the steps on the way up."""
    div_factor: Annotated[float, Field(gt=1)] = 25.0
    """The first learning rate is the highest divided by this."""
    cycle_momentum: bool = True
    """Move the optimizer's `momentum`, or the first of its `betas`, against the learning rate: from 0.95 to 0.85 and
    back, in place of what the optimizer's section says."""


class Step(Section):
    """Multiplied by `gamma` every `step_size` epochs."""

    kind: Literal["step"]
    step_size: Annotated[int, Field(gt=0)] = 10
    """Epochs between two reductions."""
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Factor of each reduction."""


class Plateau(Section):
    """Multiplied by `factor` when the monitored metric has not improved for `patience` epochs."""

    kind: Literal["plateau"]
    monitor: str = "val/loss"
    """Metric that must improve."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Factor of each reduction."""
    patience: NotNegative = 5
    """Validations without improvement before a reduction."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """Never lower than this."""


LrScheduler = Annotated[NoSchedule | Cosine | OneCycle | Step | Plateau, Field(discriminator="kind")]
