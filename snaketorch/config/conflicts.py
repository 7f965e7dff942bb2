"""Which rules there are between the sections of an experiment: what is right by itself may not fit together."""

from collections.abc import Callable, Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict
from snaketorch.config.rules import Datasets, adversarial, data, metrics, network, training

RULES: dict[Callable[[ExperimentConfig, Datasets], Iterator[Conflict]], tuple[str, ...]] = {
    data.dataset_exists: ("data",),
    data.dataset_fits_task: ("data", "task"),
    data.augmentation_fits_data: ("data", "augment"),
    data.images_are_read: ("data", "task"),
    network.network_fits_task: ("data", "task", "model"),
    network.task_agrees_with_itself: ("task",),
    network.steps_look_back_only: ("task", "model"),
    network.tokens_are_embedded: ("data", "task", "model"),
    metrics.checkpoint_metric_is_logged: ("task", "checkpoint"),
    metrics.stopping_metric_is_logged: ("task", "early_stopping"),
    metrics.schedule_metric_is_logged: ("task", "lr_scheduler"),
    metrics.tested_metrics_exist: ("task", "evaluate"),
    training.stopping_can_happen: ("trainer", "early_stopping"),
    training.warm_up_ends: ("trainer", "lr_scheduler"),
    training.validation_happens: ("trainer",),
    training.rates_fit: ("optimizer", "lr_scheduler"),
    training.nesterov_has_momentum: ("optimizer",),
    training.clipping_is_on: ("trainer",),
    training.momentum_is_used: ("optimizer", "lr_scheduler"),
    training.activations_are_kept_or_not: ("trainer",),
    training.average_is_taken: ("weight_averaging", "early_stopping"),
    network.transfer_has_trained_weights: ("model", "transfer"),
    training.unfreezing_begins: ("transfer", "trainer"),
    training.accelerator_is_asked_for: ("trainer", "resources"),
    adversarial.loss_uses_its_keys: ("task",),
    adversarial.penalty_is_of_single_images: ("task", "model"),
    adversarial.turns_can_be_taken: ("task", "trainer"),
    adversarial.images_stay_whole: ("task", "augment"),
}
"""Each rule with the sections that it reads: it is asked when these are right, whatever the others are."""


def experiment_conflicts(experiment: ExperimentConfig, usable: set[str], datasets: Datasets) -> Iterator[Conflict]:
    """Everything in the ``usable`` sections of ``experiment`` that contradicts something else."""
    for rule, sections in RULES.items():
        if usable.issuperset(sections):
            yield from rule(experiment, datasets)
