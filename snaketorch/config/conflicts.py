"""Rules between keys: sections that are right by themselves and do not fit together."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from snaketorch.config import adversarial, companions, training_rules
from snaketorch.config.augment import Augment
from snaketorch.config.contents import CONTENTS, IMAGES
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.models import NOISE, TOKENS, Model, Network
from snaketorch.config.optimizers import Cosine, Plateau, Sgd
from snaketorch.config.problems import KeyPath, did_you_mean, listed
from snaketorch.config.transfer import GradualUnfreezing

Conflict = tuple[KeyPath, str]
"""The key that should change, and why."""

Datasets = Mapping[str, str | None]
"""What each dataset gives, by name; None where its file does not say so rightly."""


def experiment_conflicts(experiment: ExperimentConfig, usable: set[str], datasets: Datasets) -> Iterator[Conflict]:
    """Everything in the ``usable`` sections of ``experiment`` that contradicts something else."""
    for rule, sections in RULES.items():
        if usable.issuperset(sections):
            yield from rule(experiment, datasets)


def dataset_conflicts(dataset: DatasetConfig, usable: set[str]) -> Iterator[Conflict]:
    """Every key in the ``usable`` sections of ``dataset`` that has no meaning for its source."""
    if "source" not in usable:
        return
    source, content = dataset.source, CONTENTS[dataset.source.provides]
    gives = f"source '{source.kind}', which gives {source.provides}"
    for section in {"split", "prepare"} & usable:
        meant = getattr(content, section)
        for key in sorted(getattr(dataset, section).model_fields_set - meant):
            yield (
                (section, key),
                f"has no meaning for {gives}; allowed: {listed(sorted(meant), most=30) or 'nothing'}",
            )
    if "prepare" not in usable:
        return
    prepare = dataset.prepare
    if "missing" in prepare.model_fields_set & content.prepare and prepare.missing not in content.missing:
        yield (
            ("prepare", "missing"),
            f"'{prepare.missing}' cannot be done to {gives}; allowed: {listed(sorted(content.missing))}",
        )
    if "decoder" in prepare.model_fields_set & content.prepare and not source.has_image_files:
        yield ("prepare", "decoder"), f"has no meaning for source '{source.kind}'; allowed: to leave it out"
    if "max_bad_share" in prepare.model_fields_set & content.prepare and prepare.on_bad_sample == "error":
        yield ("prepare", "max_bad_share"), "has no effect without on_bad_sample: skip; allowed: with it, or not at all"
    if "augment" in content.prepare and prepare.augment is not None:
        yield from _without_meaning(prepare.augment, source.provides, ("prepare", "augment"))


def _augmentation_fits_data(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    content = datasets.get(experiment.data)
    if content is not None and experiment.augment is not None:
        yield from _without_meaning(experiment.augment, content, ("augment",))


def _without_meaning(augment: Augment, content: str, section: KeyPath) -> Iterator[Conflict]:
    meant = CONTENTS[content].augment
    for key in sorted(augment.model_fields_set - meant):
        yield (*section, key), f"has no meaning for {content}; allowed: {listed(sorted(meant), most=30) or 'nothing'}"
    for key, why in companions.without_companions(augment, companions.AUGMENT):
        if meant.issuperset(key):
            yield (*section, *key), why


def _dataset_exists(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    name = experiment.data
    if datasets and name not in datasets:
        yield ("data",), f"there is no dataset '{name}'; allowed: {listed(datasets)}{did_you_mean(name, datasets)}"


def _dataset_fits_task(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    name, task = experiment.data, experiment.task
    gives = datasets.get(name)
    if gives is not None and gives not in task.data:
        fitting = listed(other for other, what in datasets.items() if what in task.data) or "none yet"
        needs = " or ".join(task.data)
        yield ("data",), f"'{name}' gives {gives}, but task '{task.kind}' needs {needs}; allowed: {fitting}"


def _images_are_read(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    content = datasets.get(experiment.data)
    if content not in (None, IMAGES) and "read" in experiment.task.model_fields_set:
        yield ("task", "read"), f"has no meaning for {content}; allowed: to leave it out"


def _network_fits_task(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    task, model = experiment.task, experiment.model
    content = datasets.get(experiment.data)
    given = {task.data[content]} if content in task.data else set(task.data.values())
    needs = listed(sorted(given)) + (", and an output at each step" if task.each_step else "")
    fitting = [kind for kind, network in _kinds(Model).items() if _fits(network, task, given)]
    if not _fits(model, task, given):
        yield (
            ("model", "kind"),
            f"'{model.kind}' reads {' or '.join(model.reads)}, but task '{task.kind}' gives it {needs}; "
            f"allowed: {', '.join(fitting)}",
        )


def _task_agrees_with_itself(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    for key, why in experiment.task.contradictions():
        yield ("task", key), why


def _steps_look_back_only(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    task, model = experiment.task, experiment.model
    if not task.each_step:
        return
    if getattr(model, "bidirectional", False):
        yield (
            ("model", "bidirectional"),
            f"true lets each step see what comes after it, which task '{task.kind}' asks for; allowed: false",
        )
    if _chosen(model, "pooling"):
        yield (
            ("model", "pooling"),
            f"has no meaning for task '{task.kind}', which has an output at each step; allowed: to leave it out",
        )


def _tokens_are_embedded(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    task, content = experiment.task, datasets.get(experiment.data)
    if task.data.get(content) not in (None, TOKENS) and _chosen(experiment.model, "embedding"):
        yield ("model", "embedding"), f"has no meaning for {task.data[content]}; allowed: to leave it out"


def _chosen(model: Network, key: str) -> bool:
    """Whether ``model`` has the key with another value than its default."""
    field = type(model).model_fields.get(key)
    return field is not None and getattr(model, key) != field.default


def _fits(network: type[Network] | Network, task: Any, given: set[str]) -> bool:
    return not given.isdisjoint(network.reads) and (network.each_step or not task.each_step)


def _checkpoint_metric_is_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    yield from _not_logged(experiment, "checkpoint", experiment.checkpoint.monitor)


def _stopping_metric_is_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    if stopping := experiment.early_stopping:
        yield from _not_logged(experiment, "early_stopping", stopping.monitor)


def _schedule_metric_is_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    if isinstance(schedule := experiment.lr_scheduler, Plateau):
        yield from _not_logged(experiment, "lr_scheduler", schedule.monitor)


def _tested_metrics_exist(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    known = list(experiment.task.metrics)
    for index, metric in enumerate(experiment.evaluate.metrics or []):
        if metric not in known:
            yield ("evaluate", "metrics", index), _unknown_metric(experiment, metric, "measures", known)


def _stopping_can_happen(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    trainer, stopping = experiment.trainer, experiment.early_stopping
    validations = trainer.max_epochs // trainer.check_val_every_n_epoch
    if stopping and validations and stopping.patience >= validations:
        yield (
            ("early_stopping", "patience"),
            f"{stopping.patience} never ends a training of {_count(validations, 'validation')}; "
            f"allowed: below {validations} (trainer.max_epochs over check_val_every_n_epoch)",
        )


def _warm_up_ends(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    epochs, schedule = experiment.trainer.max_epochs, experiment.lr_scheduler
    if isinstance(schedule, Cosine) and schedule.warmup_epochs >= epochs:
        yield (
            ("lr_scheduler", "warmup_epochs"),
            f"{schedule.warmup_epochs} leaves nothing of {_count(epochs, 'epoch')}; allowed: below trainer.max_epochs",
        )


def _validation_happens(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    epochs, every = experiment.trainer.max_epochs, experiment.trainer.check_val_every_n_epoch
    if every > epochs:
        yield (
            ("trainer", "check_val_every_n_epoch"),
            f"{every} means no validation in {_count(epochs, 'epoch')}; allowed: at most trainer.max_epochs",
        )


def _rates_fit(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    lowest = getattr(experiment.lr_scheduler, "min_lr", 0.0)
    if lowest >= experiment.optimizer.lr:
        yield (
            ("lr_scheduler", "min_lr"),
            f"{lowest:g} is not below optimizer.lr ({experiment.optimizer.lr:g}); allowed: a smaller rate",
        )


def _nesterov_has_momentum(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    optimizer = experiment.optimizer
    if isinstance(optimizer, Sgd) and optimizer.nesterov and not optimizer.momentum:
        yield ("optimizer", "nesterov"), "true looks ahead along a momentum of 0; allowed: with a momentum, or false"


def _clipping_is_on(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    trainer = experiment.trainer
    if "gradient_clip_algorithm" in trainer.model_fields_set and trainer.gradient_clip_val is None:
        yield (
            ("trainer", "gradient_clip_algorithm"),
            "has no effect without gradient_clip_val; allowed: with a bound, or not at all",
        )


def _transfer_has_trained_weights(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    transfer, model = experiment.transfer, experiment.model
    if transfer is not None and model.pretrained is None:
        yield ("transfer",), "needs trained weights to start from; allowed: with model.pretrained, or not at all"
    if transfer is not None and NOISE in model.reads:
        yield ("transfer",), f"has no meaning for '{model.kind}', which has no head; allowed: to leave it out"


def _unfreezing_begins(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    transfer, epochs = experiment.transfer, experiment.trainer.max_epochs
    if isinstance(transfer, GradualUnfreezing) and transfer.epochs_per_block >= epochs:
        yield (
            ("transfer", "epochs_per_block"),
            f"{transfer.epochs_per_block} means that only the head learns in {_count(epochs, 'epoch')}; "
            "allowed: below trainer.max_epochs, or kind: feature_extraction",
        )


def _accelerator_is_asked_for(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    accelerator, gpus = experiment.trainer.accelerator, experiment.resources.gpus
    if accelerator == "cpu" and gpus:
        yield ("resources", "gpus"), f"{gpus} is reserved for a training on the CPU; allowed: 0 with accelerator: cpu"
    if accelerator == "gpu" and not gpus:
        yield (
            ("trainer", "accelerator"),
            "gpu, but resources.gpus is 0; allowed: gpu with a GPU asked for, or cpu, auto",
        )


def _not_logged(experiment: ExperimentConfig, section: str, metric: str | None) -> Iterator[Conflict]:
    logged = [f"val/{name}" for name in experiment.task.logged]
    if metric is not None and metric not in logged:
        yield (section, "monitor"), _unknown_metric(experiment, metric, "logs", logged)


def _unknown_metric(experiment: ExperimentConfig, metric: str, verb: str, known: list[str]) -> str:
    return f"task '{experiment.task.kind}' {verb} no '{metric}'; allowed: {listed(known)}{did_you_mean(metric, known)}"


def _kinds(union: Any) -> dict[str, Any]:
    """The sections of a union by their ``kind``."""
    sections = get_args(get_args(union)[0])
    return {get_args(section.model_fields["kind"].annotation)[0]: section for section in sections}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


RULES: dict[Callable[[ExperimentConfig, Datasets], Iterator[Conflict]], tuple[str, ...]] = {
    _dataset_exists: ("data",),
    _dataset_fits_task: ("data", "task"),
    _augmentation_fits_data: ("data", "augment"),
    _images_are_read: ("data", "task"),
    _network_fits_task: ("data", "task", "model"),
    _task_agrees_with_itself: ("task",),
    _steps_look_back_only: ("task", "model"),
    _tokens_are_embedded: ("data", "task", "model"),
    _checkpoint_metric_is_logged: ("task", "checkpoint"),
    _stopping_metric_is_logged: ("task", "early_stopping"),
    _schedule_metric_is_logged: ("task", "lr_scheduler"),
    _tested_metrics_exist: ("task", "evaluate"),
    _stopping_can_happen: ("trainer", "early_stopping"),
    _warm_up_ends: ("trainer", "lr_scheduler"),
    _validation_happens: ("trainer",),
    _rates_fit: ("optimizer", "lr_scheduler"),
    _nesterov_has_momentum: ("optimizer",),
    _clipping_is_on: ("trainer",),
    training_rules.momentum_is_used: ("optimizer", "lr_scheduler"),
    training_rules.activations_are_kept_or_not: ("trainer",),
    training_rules.average_is_taken: ("weight_averaging", "early_stopping"),
    _transfer_has_trained_weights: ("model", "transfer"),
    _unfreezing_begins: ("transfer", "trainer"),
    _accelerator_is_asked_for: ("trainer", "resources"),
    adversarial.loss_uses_its_keys: ("task",),
    adversarial.penalty_is_of_single_images: ("task", "model"),
    adversarial.turns_can_be_taken: ("task", "trainer"),
    adversarial.images_stay_whole: ("task", "augment"),
}
"""Each rule with the sections that it reads: it is asked when these are right, whatever the others are."""
