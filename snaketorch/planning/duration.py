"""How long a training takes, from the time of one step."""

from snaketorch.config.specs import TrainSpec
from snaketorch.planning.estimate import Estimate

START = 40.0
"""Seconds until the first step: imports, the data, the first kernels."""
SHARE_OF_A_VALIDATION = 0.4
"""Of the time that training takes for as many samples: there are no gradients, and metrics instead."""


def seconds_of(spec: TrainSpec, estimate: Estimate, seconds_per_step: float, validated: float) -> float:
    """Of one whole training, when it does not stop early.

    Args:
        spec: The training.
        estimate: Its steps, on one device.
        seconds_per_step: An optimizer step.
        validated: Samples of a validation for each sample of an epoch.
    """
    epoch = estimate.steps_per_epoch * seconds_per_step
    validations = estimate.epochs // spec.trainer.check_val_every_n_epoch
    return START + estimate.epochs * epoch + validations * epoch * validated * SHARE_OF_A_VALIDATION
