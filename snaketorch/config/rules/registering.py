"""The gate of an experiment into the model registry."""

from collections.abc import Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict, did_you_mean, listed
from snaketorch.config.rules import Datasets


def gate_metric_is_tested(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The metric of the gate is one that the test measures, and so it is known which way is better."""
    if experiment.register is None or (metric := experiment.register.gate.metric) is None:
        return
    measured = [f"test/{name}" for name in experiment.evaluate.metrics or experiment.task.metrics]
    if metric not in measured:
        of_the_test = (
            experiment.evaluate.metrics is not None and metric.removeprefix("test/") in experiment.task.metrics
        )
        who = "evaluate.metrics has" if of_the_test else f"task '{experiment.task.kind}' measures"
        message = f"{who} no '{metric}'; allowed: {listed(measured)}{did_you_mean(metric, measured)}"
        yield ("register", "gate", "metric"), message


def gate_can_be_passed(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """There is a value between its bounds, and a margin is from something."""
    if experiment.register is None:
        return
    gate = experiment.register.gate
    if gate.min is not None and gate.max is not None and gate.min > gate.max:
        yield ("register", "gate", "min"), f"{gate.min:g} is above max; allowed: at most {gate.max:g}, or a larger max"
    if gate.margin and gate.not_worse_than is None:
        yield (
            ("register", "gate", "margin"),
            "is from the champion, with which not_worse_than: null does not compare; allowed: with champion, or 0",
        )


def registered_seed_is_trained(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The seed that is registered is one of the experiment's."""
    register = experiment.register
    if register is not None and register.seed is not None and register.seed not in experiment.seeds:
        yield ("register", "seed"), f"{register.seed} is not trained; allowed: {listed(map(str, experiment.seeds))}"
