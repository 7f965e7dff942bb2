"""Which rules there are between the sections of an experiment: what is right by itself may not fit together."""

from collections.abc import Callable, Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict
from snaketorch.config.rules import (
    Datasets,
    adversarial,
    data,
    devices,
    metrics,
    monitoring,
    network,
    prediction,
    registering,
    strategies,
    training,
    tuning,
)

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
    devices.devices_are_asked_for: ("trainer", "resources"),
    devices.a_model_is_of_gpus: ("trainer", "resources"),
    devices.every_process_has_a_core: ("trainer", "resources"),
    devices.batches_can_be_synchronised: ("trainer",),
    devices.precision_is_of_the_device: ("trainer",),
    devices.gradients_can_be_compressed: ("task", "trainer"),
    strategies.devices_can_be_shared_out: ("trainer",),
    strategies.parts_make_a_network: ("task", "trainer"),
    strategies.layers_can_be_split: ("model", "trainer"),
    strategies.parts_train_as_a_whole: ("trainer",),
    strategies.parts_learn_at_once: ("transfer", "trainer"),
    strategies.parts_are_averaged: ("weight_averaging", "trainer"),
    adversarial.loss_uses_its_keys: ("task",),
    adversarial.penalty_is_of_single_images: ("task", "model"),
    adversarial.turns_can_be_taken: ("task", "trainer"),
    adversarial.images_stay_whole: ("task", "augment"),
    tuning.sweep_metric_is_logged: ("task", "tune"),
    tuning.sweep_has_an_end: ("tune",),
    tuning.trials_can_end_early: ("tune", "trainer"),
    tuning.search_and_scheduler_fit: ("tune",),
    tuning.search_knows_the_space: ("tune",),
    tuning.exchanges_are_of_validations: ("tune", "trainer"),
    tuning.trials_fit_the_job: ("tune", "trainer", "resources"),
    tuning.every_node_has_a_trial: ("tune",),
    tuning.one_way_to_vary: ("tune", "matrix"),
    registering.gate_metric_is_tested: ("task", "evaluate", "register"),
    registering.gate_can_be_passed: ("register",),
    registering.registered_seed_is_trained: ("seeds", "register"),
    prediction.predicted_data_exists: ("predict",),
    prediction.predicted_data_is_alike: ("data", "task", "predict"),
    prediction.something_is_predicted_from: ("task", "predict"),
    prediction.bad_rows_may_be: ("predict",),
    monitoring.monitored_data_exists: ("monitor",),
    monitoring.monitored_data_is_alike: ("data", "task", "monitor"),
    monitoring.something_is_monitored: ("task", "monitor"),
}
"""Each rule with the sections that it reads: it is asked when these are right, whatever the others are."""


def experiment_conflicts(experiment: ExperimentConfig, usable: set[str], datasets: Datasets) -> Iterator[Conflict]:
    """Everything in the ``usable`` sections of ``experiment`` that contradicts something else."""
    for rule, sections in RULES.items():
        if usable.issuperset(sections):
            yield from rule(experiment, datasets)
