"""A gate into the model registry: what a trained model must reach to be registered as a candidate."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from snaketorch.config.base import Section, Seed

MODEL_NAME_PATTERN = r"^[A-Za-z0-9_]+([ .-][A-Za-z0-9_]+){0,63}$"
MODEL_NAME_IN_WORDS = (
    "letters, digits and '_', with a single '.', '-' or space between, such as digits or main.lab.digits"
)

ModelName = Annotated[str, StringConstraints(pattern=MODEL_NAME_PATTERN, max_length=200)]
"""A name in MLflow's registry; with two dots in it, one of Unity Catalog."""


class Gate(Section):
    """What must hold of the test. All of it must; what is null is not asked."""

    metric: str | None = None
    """Metric of the test, such as `test/accuracy`; the task's own when absent."""
    min: float | None = None
    """The least that it may be, of the model that would be registered."""
    max: float | None = None
    """The most that it may be."""
    not_worse_than: Literal["champion"] | None = "champion"
    """Compare with the model that has this alias, on the same test data; where there is none, nothing is asked."""
    margin: Annotated[float, Field(ge=0)] = 0.0
    """How much worse it may be, in the metric's own unit."""


class Register(Section):
    """Into the model registry, behind a gate."""

    name: ModelName | None = None
    """Of the registered model; the experiment's when absent."""
    gate: Gate = Gate()
    """What the model must reach. One that does not is registered as refused, and gets no alias."""
    seed: Seed | None = None
    """Which training; the one that is best on the validation data when absent."""
    auto_promote: bool = False
    """Make it the champion when it passes."""

    def resolved(self, goal: str) -> Self:
        """The same with the gate's metric written out, which is ``goal`` of the test when absent."""
        return self.model_copy(
            update={"gate": self.gate.model_copy(update={"metric": self.gate.metric or f"test/{goal}"})}
        )
