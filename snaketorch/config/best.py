"""What a sweep found: the values that its experiment is then trained with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import ValidationError

from snaketorch.config.space import with_values
from snaketorch.config.specs import TrainSpec
from snaketorch.errors import UserError

S = TypeVar("S", bound=TrainSpec)
FORMAT = 1


@dataclass(frozen=True)
class Best:
    """The best trial of a sweep."""

    experiment: str
    trial: int
    values: dict[str, Any]
    """By path."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises UserError for a file that is not a sweep's."""
        try:
            content = yaml.safe_load(path.read_text("utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"is of format {content['format']}, and this version reads {FORMAT}")
            found = cls(content["experiment"], content["trial"], dict(content["values"]))
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise UserError(f"{path} is not the result of a sweep: {why}") from error
        return found

    def put_into(self, spec: S) -> S:
        """The training with the values of the sweep. UserError when they do not fit, or are another experiment's."""
        if self.experiment != spec.experiment:
            raise UserError(f"the best values are of {self.experiment}, and {spec.experiment} is to be trained")
        try:
            return type(spec).model_validate(with_values(spec.model_dump(mode="json"), self.values))
        except ValidationError as error:
            raise UserError(
                f"the best values of the sweep of {self.experiment} do not fit its configuration: {error}; "
                "run snakemake, which makes the sweep anew"
            ) from error
