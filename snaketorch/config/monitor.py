"""Monitoring: new data beside the data of the training, and when a difference is an alarm."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from snaketorch.config.base import Name, Section
from snaketorch.config.predict import Predict

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]


def _is_name_of_a_variable(name: str) -> str:
    # what stands there instead may be the secret itself, so it is not repeated
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
        raise ValueError(
            "is no name of an environment variable; allowed: letters, digits and '_', not beginning with a digit; the "
            "address stands in that variable"
        )
    return name


VariableName = Annotated[str, AfterValidator(_is_name_of_a_variable)]


class Thresholds(Section):
    """The least differences that matter; one that chance explains is no alarm, whatever stands here."""

    psi: Amount = 0.2
    """Population stability index of a descriptor of the samples, less what chance adds to it; 0.2 is usual."""
    ks: Share = 0.1
    """Kolmogorov-Smirnov distance of a descriptor or a predicted probability, from 0 to 1."""
    class_shift: Amount = 0.2
    """Population stability index of the true classes, where labels come."""
    prediction_shift: Amount = 0.2
    """Population stability index of the predicted classes."""
    missing: Share = 0.05
    """Rise of the share of samples with a missing or unknown value, or that cannot be read."""
    metric_drop: Amount = 0.05
    """How much worse the model is than in its test, where labels come: of right answers the share that is lost, of an
    error or loss the part that is added, 0.05 being five per cent."""


class Monitor(Section):
    """Which data is compared with the training data, and what is an alarm."""

    data: Annotated[list[Name], Field(min_length=1)]
    """Datasets with new data, by name: all their samples are predicted and compared."""
    thresholds: Thresholds = Thresholds()
    """The least differences that matter."""
    false_alarm_rate: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    """Share of datasets from the same source that may raise an alarm, all statistics together."""
    webhook_env: VariableName | None = None
    """Environment variable that holds the address to which `alert.json` is sent after an alarm; the address itself is
    a secret and stands in no file. Nothing is sent when absent."""

    @field_validator("data")
    @classmethod
    def _every_dataset_once(cls, data: list[str]) -> list[str]:
        twice = sorted({name for name in data if data.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} more than once; allowed: each dataset once")
        return data

    def predicted(self, predict: Predict | None) -> Predict:
        """The same predictions, with those of the datasets that are watched."""
        if predict is None:
            return Predict(data=self.data)
        more = [name for name in self.data if name not in predict.data]
        return predict.model_copy(update={"data": [*predict.data, *more]})
