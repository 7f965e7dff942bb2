"""Datasets that a trained model predicts, as jobs after its training."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from snaketorch.config.base import Name, Positive, Section

MAX_BAD_SHARE = 0.05
"""Share of rows that may be bad, when nothing else is said."""
BATCH_SIZE = 256

Share = Annotated[float, Field(ge=0, le=1)]


class Predictions(Section):
    """What the predictions of a dataset depend on."""

    keep: list[Annotated[str, Field(min_length=1)]] = Field([])
    """Columns of the files to carry along, such as a number that each row is known by. Labels always are, as `truth`.
    """
    on_bad_row: Literal["report", "fail"] = "report"
    """What to do with a row that cannot be predicted: list it beside the predictions, or end."""
    max_bad_share: Share = MAX_BAD_SHARE
    """Share of rows that may be bad; more is an error. Of a dataset that is watched (`monitor.data`) neither this nor
    `on_bad_row` ends anything: more bad rows than may be are an alert, which says how many."""
    batch_size: Positive = BATCH_SIZE
    """Samples in each step."""


class Predict(Predictions):
    """Predictions of whole datasets by the best of the trained models."""

    data: Annotated[list[Name], Field(min_length=1)]
    """Datasets, by the names of their files, that hold what the experiment's own dataset holds. Labels may be missing
    where the source reads files of rows, texts or images."""

    @field_validator("data")
    @classmethod
    def _every_dataset_once(cls, names: list[str]) -> list[str]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} more than once; allowed: each dataset once")
        return names

    @property
    def most_bad(self) -> float:
        """Share of rows that may be bad, whatever becomes of it when more are."""
        return self.max_bad_share if self.on_bad_row == "report" else 0.0

    @property
    def predictions(self) -> Predictions:
        """What each of them depends on."""
        return Predictions(**{name: getattr(self, name) for name in Predictions.model_fields})
