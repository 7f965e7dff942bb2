"""A sweep: its metric, its trials, and the job that they share."""

from collections.abc import Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict, did_you_mean, listed
from snaketorch.config.rules import Datasets
from snaketorch.config.tune import (
    IN_MID_TRAINING,
    NUMBERS,
    Asha,
    BohbSearch,
    GridSearch,
    HyperBand,
    HyperOptSearch,
    Median,
    Pb2,
    Pbt,
)


def sweep_metric_is_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The metric that makes a trial the best is one of the task, and its direction the task's."""
    tune, task = experiment.tune, experiment.task
    if tune is None:
        return
    logged = {f"val/{name}": mode for name, mode in task.logged.items()}
    metric = tune.metric or f"val/{task.goal}"
    if metric not in logged:
        yield (
            ("tune", "metric"),
            f"task '{task.kind}' logs no '{metric}'; allowed: {listed(logged)}{did_you_mean(metric, logged)}",
        )
    elif tune.mode not in (None, logged[metric]):
        yield ("tune", "mode"), f"'{tune.mode}', but {metric} is better the other way; allowed: {logged[metric]}"


def sweep_has_an_end(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """It is clear how many trials there are, and a grid has a list of values for each key."""
    tune = experiment.tune
    if tune is None:
        return
    is_grid = isinstance(tune.search_alg, GridSearch)
    if not is_grid and tune.num_samples is None:
        yield ("tune", "num_samples"), "is required, but for a grid; allowed: a whole number above 0"
    for path, domain in tune.space.items():
        if is_grid and not domain.is_finite:
            yield (
                ("tune", "space", path, domain.word),
                "has no list of values for a grid; allowed: grid, choice, randint, qrandint, quniform, "
                "or another search_alg",
            )
        if not is_grid and domain.grid is not None:
            yield (
                ("tune", "space", path, "grid"),
                f"is for search_alg grid, and it is '{tune.search_alg.kind}'; allowed: choice, or "
                "search_alg: {kind: grid}",
            )


def trials_can_end_early(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The scheduler has something to decide before a training ends."""
    tune, epochs = experiment.tune, experiment.trainer.max_epochs
    if tune is None:
        return
    scheduler = tune.scheduler
    if isinstance(scheduler, Asha | Median) and (scheduler.grace_period or 1) > epochs:
        yield (
            ("tune", "scheduler", "grace_period"),
            f"{scheduler.grace_period} is longer than a training; allowed: at most trainer.max_epochs ({epochs})",
        )
    if isinstance(scheduler, Pbt | Pb2) and scheduler.perturbation_interval >= epochs:
        yield (
            ("tune", "scheduler", "perturbation_interval"),
            f"{scheduler.perturbation_interval} exchanges nothing in a training; allowed: below trainer.max_epochs "
            f"({epochs})",
        )


def exchanges_are_of_validations(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """A population is compared where its trials were validated."""
    tune, every = experiment.tune, experiment.trainer.check_val_every_n_epoch
    if tune is None or not isinstance(tune.scheduler, Pbt | Pb2):
        return
    if tune.scheduler.perturbation_interval % every:
        yield (
            ("tune", "scheduler", "perturbation_interval"),
            f"{tune.scheduler.perturbation_interval} ends where there is no validation; allowed: multiples of "
            f"trainer.check_val_every_n_epoch ({every})",
        )


def search_knows_the_space(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """HyperOpt and BOHB are told a space whose ranges stand by themselves."""
    tune = experiment.tune
    if tune is None or not isinstance(tune.search_alg, HyperOptSearch | BohbSearch):
        return
    for path, domain in tune.space.items():
        for name in domain.names:
            key = "when" if name in (domain.when or {}) else domain.word
            yield (
                ("tune", "space", path, key),
                f"depends on {name}, which search_alg {tune.search_alg.kind} cannot express; allowed: ranges that "
                "stand by themselves, or search_alg: {kind: optuna}",
            )


def search_and_scheduler_fit(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Those that only work together are together, and a population has something to change."""
    tune = experiment.tune
    if tune is None:
        return
    if isinstance(tune.search_alg, BohbSearch) and not isinstance(tune.scheduler, HyperBand):
        yield (
            ("tune", "scheduler"),
            f"'{tune.scheduler.kind}' does not fit search_alg bohb; allowed: {{kind: hyperband}}",
        )
    if not isinstance(tune.scheduler, Pbt | Pb2):
        return
    if not tune.mutable:
        what = f" as {' or '.join(NUMBERS)}" if isinstance(tune.scheduler, Pb2) else ""
        yield (
            ("tune", "space"),
            f"has nothing that {tune.scheduler.kind} may change while a training goes on; allowed: with at least one "
            f"of {', '.join(IN_MID_TRAINING[:-1])} and the keys of augment{what}, which no `when` names",
        )


def trials_fit_the_job(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """A trial asks for no more than the whole job has, and trains on one device."""
    if experiment.tune is None:
        return
    trainer, resources = experiment.trainer, experiment.resources
    for key in ("devices", "num_nodes"):
        if getattr(trainer, key) > 1:
            yield (
                ("tune",),
                f"trials train on one device each, and trainer.{key} is {getattr(trainer, key)}; allowed: with 1, or "
                "without a sweep",
            )
            return
    if experiment.tune.resources is None and resources.auto:
        yield (
            ("tune",),
            f"is one job with all trials, and resources.{resources.auto[0]} is auto, which plans one training; "
            "allowed: with tune.resources",
        )
        return
    gpus = trainer.devices if trainer.accelerator == "gpu" else 0
    resources = resources.model_copy(update={"gpus": gpus if resources.gpus is None else resources.gpus})
    tune = experiment.tune.resolved("", {}, [0], trainer.max_epochs, resources)
    asked, job = tune.resources_per_trial, tune.resources
    if asked.cpu > job.cpus:
        yield (
            ("tune", "resources_per_trial", "cpu"),
            f"{asked.cpu:g} is more than the whole job has; allowed: at most {job.cpus} (cpus of "
            f"{'tune.resources' if experiment.tune.resources else 'resources'}), or more there",
        )
    if asked.gpu > job.gpus:
        yield (
            ("tune", "resources_per_trial", "gpu"),
            f"{asked.gpu:g} is more than the whole job has; allowed: at most {job.gpus} (gpus of "
            f"{'tune.resources' if experiment.tune.resources else 'resources'}), or more there",
        )
    if trainer.accelerator == "cpu" and asked.gpu:
        yield (
            ("tune", "resources_per_trial", "gpu"),
            f"{asked.gpu:g} is reserved for trainings on the CPU; allowed: 0 with accelerator: cpu",
        )


def every_node_has_a_trial(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """No node of the job would be without work from the first moment to the last."""
    tune = experiment.tune
    if tune is None:
        return
    for key in ("num_samples", "max_concurrent_trials"):
        trials = getattr(tune, key)
        if trials is not None and tune.num_nodes > trials:
            yield (
                ("tune", "num_nodes"),
                f"{tune.num_nodes} nodes are more than the trials that run at once; allowed: at most {trials} "
                f"(tune.{key})",
            )
            return


def one_way_to_vary(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """A matrix is many experiments; a sweep in each of them is more than anybody means."""
    if experiment.tune is not None and experiment.matrix is not None:
        yield ("matrix",), "cannot be with tune in one experiment; allowed: one of both"
