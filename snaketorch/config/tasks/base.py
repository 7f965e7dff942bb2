"""What every task's section says of itself."""

from collections.abc import Iterator
from typing import ClassVar, Self

from snaketorch.config.base import Section


class TaskSection(Section):
    """What is learnt."""

    data: ClassVar[dict[str, str]]
    """What it can learn from, one of ``contents``, and what the network is given of it, one of ``models.base``."""
    implementation: ClassVar[str]
    evaluator: ClassVar[str]
    goal: ClassVar[str]
    """The metric that ranks experiments and picks the weights."""
    logged: ClassVar[dict[str, str]]
    """Metrics of every epoch, on `train/` and `val/`, and which way is better."""
    metrics: ClassVar[dict[str, str]]
    """Metrics of the test, and which way is better."""
    each_step: ClassVar[bool] = False
    """Whether the network must give an output at every step."""
    test_keys: ClassVar[tuple[str, ...]] = ()
    """Keys of this section that only the test reads: no training is repeated for them."""
    upstream_tasks: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Keys of this section that name another experiment, whose trained model the task needs, and of which tasks that
    may be. The key holds a ``models.base.FromExperiment``, or None; the task is given the model's path by ``use``."""

    @property
    def upstream(self) -> dict[str, str]:
        """The other experiments whose models the task needs, by the key that names them."""
        named = {key: getattr(self, key) for key in self.upstream_tasks}
        return {key: value.from_experiment for key, value in named.items() if value is not None}

    @property
    def for_training(self) -> Self:
        """The section as the training is told it, with defaults for what only the test reads."""
        return self.model_copy(update={key: type(self).model_fields[key].default for key in self.test_keys})

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Keys of this section that do not go with others of it, and why."""
        yield from ()
