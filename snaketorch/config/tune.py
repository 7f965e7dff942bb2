"""A sweep: many trainings of an experiment with other values, of which the best is then trained over the seeds."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator

from snaketorch.config.base import NotNegative, Positive, Section, Seed
from snaketorch.config.domains import Domain
from snaketorch.config.resources import MOST_HOURS, Resources

NUMBERS = ("uniform", "loguniform")
IN_MID_TRAINING = ("optimizer.lr", "optimizer.weight_decay", "optimizer.momentum", "augment")
"""Keys, and sections, that another value may replace while a training goes on."""


class RandomSearch(Section):
    """Every trial is drawn by itself."""

    kind: Literal["random"]
    seed: Seed = 0
    """Of the draws: a trial's values depend on it and the trial's number alone."""


class GridSearch(Section):
    """Every combination, once."""

    kind: Literal["grid"]


class OptunaSearch(Section):
    """Optuna's tree-structured Parzen estimator: trials are drawn where earlier ones were good."""

    kind: Literal["optuna"]
    seed: Seed = 0
    """Of the draws."""
    n_startup_trials: Positive = 10
    """Trials drawn at random before."""


class HyperOptSearch(Section):
    """HyperOpt's tree-structured Parzen estimator; needs the package hyperopt."""

    kind: Literal["hyperopt"]
    seed: Seed = 0
    """Of the draws."""
    n_initial_points: Positive = 20
    """Trials drawn at random before."""


class BohbSearch(Section):
    """Bayesian optimisation that learns from shorter trainings too, with scheduler hyperband; needs hpbandster."""

    kind: Literal["bohb"]
    seed: Seed = 0
    """Of the draws."""


SearchAlg = Annotated[
    RandomSearch | GridSearch | OptunaSearch | HyperOptSearch | BohbSearch, Field(discriminator="kind")
]


class Fifo(Section):
    """Every trial trains to its end."""

    kind: Literal["fifo"]


Reduction = Annotated[int, Field(ge=2)]


class Asha(Section):
    """At certain epochs a trial goes on only if it is among the best so far (Li et al., arXiv 1810.05934)."""

    kind: Literal["asha"]
    grace_period: Positive | None = None
    """Epochs of every trial before it may end; a ninth of `trainer.max_epochs`, at least 1, when absent."""
    reduction_factor: Reduction = 3
    """One of so many goes on; the next decision is after so many times the epochs."""
    brackets: Positive = 1
    """Groups of trials, each with a longer grace period than the one before."""


class HyperBand(Section):
    """Halving in rounds that wait for each other (Li et al., arXiv 1603.06560)."""

    kind: Literal["hyperband"]
    reduction_factor: Reduction = 3
    """One of so many goes on."""


class Median(Section):
    """A trial ends when its best is below the median of what the others had come to by then."""

    kind: Literal["median"]
    grace_period: Positive | None = None
    """Epochs of every trial before it may end; a ninth of `trainer.max_epochs`, at least 1, when absent."""
    min_samples_required: Positive = 3
    """Other trials that there must be to compare with."""


class Pbt(Section):
    """Population based training: bad trials go on from good ones' weights with other values (arXiv 1711.09846)."""

    kind: Literal["pbt"]
    perturbation_interval: Positive = 4
    """Epochs from one exchange to the next."""
    quantile_fraction: Annotated[float, Field(gt=0, le=0.5)] = 0.25
    """Share of trials that take over, and that are taken over from."""
    resample_probability: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Chance of a value to be drawn anew; else it is changed a little."""


class Pb2(Section):
    """Population based bandits: as pbt, with values that a model of their effect proposes (arXiv 2002.02518)."""

    kind: Literal["pb2"]
    perturbation_interval: Positive = 4
    """Epochs from one exchange to the next."""
    quantile_fraction: Annotated[float, Field(gt=0, le=0.5)] = 0.25
    """Share of trials that take over, and that are taken over from."""


Scheduler = Annotated[Fifo | Asha | HyperBand | Median | Pbt | Pb2, Field(discriminator="kind")]


class TrialResources(Section):
    """What one trial takes of the job."""

    cpu: Annotated[float, Field(gt=0)] = 1.0
    """CPU cores."""
    gpu: Annotated[float, Field(ge=0)] | None = None
    """GPUs, or the share of one; one when absent and the job has GPUs, else none."""

    @field_validator("gpu")
    @classmethod
    def _is_a_share_or_whole(cls, gpu: float | None) -> float | None:
        if gpu is not None and gpu > 1 and gpu != int(gpu):
            raise ValueError(f"{gpu:g} is neither a share of one GPU nor whole ones; allowed: 0 to 1, or 2, 3, ...")
        return gpu


def _text_or_answer(value: Any) -> str:
    return "text" if isinstance(value, str) else "answer"


Vectorise = Annotated[
    Annotated[Literal["auto"], Tag("text")] | Annotated[bool, Tag("answer")], Discriminator(_text_or_answer)
]


class Sweep(Section):
    """What the result of a sweep depends on."""

    metric: str | None = None
    """Metric of the validation that makes a trial the best; `val/` and the task's own when absent."""
    mode: Literal["min", "max"] | None = None
    """Which way is better; as the metric has it when absent."""
    num_samples: Positive | None = None
    """Trials. More of them continue a sweep. Needed, but for a grid, which is tried as a whole when absent."""
    time_budget_s: Annotated[float, Field(gt=0)] | None = None
    """Seconds for the whole sweep, of earlier attempts too; no limit when absent."""
    search_alg: SearchAlg = OptunaSearch(kind="optuna")
    """How values are chosen."""
    scheduler: Scheduler = Asha(kind="asha")
    """Which trials end early."""
    max_failures: NotNegative = 2
    """Further attempts at a trial that fails."""
    max_failed_trials: Annotated[float, Field(ge=0)] = 0.5
    """Trials that may fail before the sweep does: a share below 1, or how many."""
    vectorise: Vectorise = "auto"
    """Train many small networks at once in one process: `auto` where it can be done, `true` or else fail, `false`."""
    space: dict[str, Domain]
    """What is tuned: keys of this experiment, such as `optimizer.lr`, and what each may be."""

    @property
    def mutable(self) -> list[str]:
        """The keys that a population may change while it trains; none without one.

        A key that a `when` names stays as it is: with another value there were other keys.
        """
        if not isinstance(self.scheduler, Pbt | Pb2):
            return []
        paths = [path for path in self.space if f"{path}.".startswith(tuple(f"{key}." for key in IN_MID_TRAINING))]
        named = [f"{name}." for domain in self.space.values() for name in domain.when or {}]
        paths = [path for path in paths if not any(name.startswith(f"{path}.") for name in named)]
        if isinstance(self.scheduler, Pb2):  # its model is one of numbers
            paths = [path for path in paths if self.space[path].word in NUMBERS]
        return paths

    @field_validator("space")
    @classmethod
    def _tunes_something(cls, space: dict[str, Domain]) -> dict[str, Domain]:
        if not space:
            raise ValueError("is empty; allowed: at least one key, such as optimizer.lr: {loguniform: [1.0e-4, 0.1]}")
        return space

    @field_validator("max_failed_trials")
    @classmethod
    def _is_a_share_or_a_count(cls, most: float) -> float:
        if most > 1 and most != int(most):
            raise ValueError(f"{most:g} is neither a share nor a number of trials; allowed: 0 to 1, or 2, 3, ...")
        return most


class Tune(Sweep):
    """A sweep before the training: the best configuration found is then trained over `seeds`."""

    max_concurrent_trials: Positive | None = None
    """Trials at once, at most; as many as the job has room for when absent."""
    resources_per_trial: TrialResources = TrialResources()
    """What one trial takes of the job."""
    seed: Seed | None = None
    """Of the trials' trainings; the first of `seeds` when absent."""
    baseline: bool = True
    """Also train the experiment as it is without the sweep, to compare."""
    num_nodes: Annotated[int, Field(gt=0, le=10_000)] = 1
    """Nodes of the job, over which the trials are spread: no more than there are trials at once."""
    resources: Resources | None = None
    """What the whole job needs in each node. When absent what a training needs, with `cpu` x `max_concurrent_trials`
    cores, and time for all trials or `time_budget_s`."""

    def resolved(
        self, goal: str, logged: Mapping[str, str], seeds: Sequence[int], epochs: int, training: Resources
    ) -> Self:
        """The same with every default written out that depends on the experiment.

        Args:
            goal: The metric of the task.
            logged: Its metrics, and which way is better.
            seeds: Of the experiment.
            epochs: Of a training.
            training: What one training needs, resolved.
        """
        metric = self.metric or f"val/{goal}"
        scheduler = self.scheduler
        if isinstance(scheduler, Asha | Median) and scheduler.grace_period is None:
            scheduler = scheduler.model_copy(update={"grace_period": max(1, epochs // 9)})
        resources = self.resources or self._room(training)
        if resources.gpus is None:
            resources = resources.model_copy(update={"gpus": training.gpus})
        trial = self.resources_per_trial
        if trial.gpu is None:
            trial = trial.model_copy(update={"gpu": 1.0 if resources.gpus else 0.0})
        update = {
            "metric": metric,
            "mode": self.mode or logged.get(metric.removeprefix("val/"), "min"),
            "scheduler": scheduler,
            "resources_per_trial": trial,
            "resources": resources,
            "seed": seeds[0] if self.seed is None else self.seed,
        }
        return self.model_copy(update=update)

    def _room(self, training: Resources) -> Resources:
        """What the job needs for its trials, each of which needs what a training does."""
        update: dict[str, Any] = {}
        at_once = self.max_concurrent_trials
        if at_once is not None:
            here = math.ceil(at_once / self.num_nodes)
            update["cpus"] = max(1, math.ceil(here * self.resources_per_trial.cpu))
        hours = training.hours * math.ceil(self._most_trials() / (at_once or 1))
        if self.time_budget_s is not None:  # and to begin and to end
            hours = self.time_budget_s / 3600 + 0.25
        update["hours"] = min(MOST_HOURS, max(training.hours, hours))
        return training.model_copy(update=update)

    def _most_trials(self) -> int:
        """Of a grid all combinations, but for what depends on other keys."""
        wanted = self.num_samples
        if not isinstance(self.search_alg, GridSearch):
            return wanted or 1
        there = math.prod(domain.count or 1 for domain in self.space.values())
        return there if wanted is None else min(wanted, there)
