"""The network of an experiment, and what the task asks of it."""

from collections.abc import Iterator
from typing import Any, get_args

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.models import NOISE, TOKENS, Model, Network
from snaketorch.config.problems import Conflict, listed
from snaketorch.config.rules import Datasets


def network_fits_task(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The network can read what the task gives it, and give what the task asks for."""
    task, model = experiment.task, experiment.model
    content = datasets.get(experiment.data)
    given = {task.data[content]} if content in task.data else set(task.data.values())
    needs = listed(sorted(given)) + (" and asks for an output at each step" if task.each_step else "")
    fitting = [kind for kind, network in _kinds(Model).items() if _fits(network, task, given)]
    if not _fits(model, task, given):
        yield (
            ("model", "kind"),
            f"'{model.kind}' reads {' or '.join(model.reads)}, but task '{task.kind}' gives it {needs}; "
            f"allowed: {', '.join(fitting)}",
        )


def task_agrees_with_itself(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The task's own keys fit together."""
    for key, why in experiment.task.contradictions():
        yield ("task", key), why


def steps_look_back_only(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """No step of a sequence sees what comes after it."""
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


def tokens_are_embedded(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """An embedding is of tokens alone."""
    task, content = experiment.task, datasets.get(experiment.data)
    if task.data.get(content) not in (None, TOKENS) and _chosen(experiment.model, "embedding"):
        yield ("model", "embedding"), f"has no meaning for {task.data[content]}; allowed: to leave it out"


def transfer_has_trained_weights(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """A transfer starts from something, and has a head to give a task."""
    transfer, model = experiment.transfer, experiment.model
    if transfer is not None and model.pretrained is None:
        yield ("transfer",), "needs trained weights to start from; allowed: with model.pretrained, or not at all"
    if transfer is not None and NOISE in model.reads:
        yield ("transfer",), f"has no meaning for '{model.kind}', which has no head; allowed: to leave it out"


def _chosen(model: Network, key: str) -> bool:
    """Whether ``model`` has the key with another value than its default."""
    field = type(model).model_fields.get(key)
    return field is not None and getattr(model, key) != field.default


def _fits(network: type[Network] | Network, task: Any, given: set[str]) -> bool:
    return not given.isdisjoint(network.reads) and (network.each_step or not task.each_step)


def _kinds(union: Any) -> dict[str, Any]:
    """The sections of a union by their ``kind``."""
    sections = get_args(get_args(union)[0])
    return {get_args(section.model_fields["kind"].annotation)[0]: section for section in sections}
