"""What every configuration section has in common."""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
NAME_IN_WORDS = "letters, digits, '_' and '-', at most 64, beginning with a letter or digit"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name that becomes part of paths, wildcards and run names."""

CLASS_PATH_PATTERN = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"
CLASS_PATH_IN_WORDS = "module and class, such as my_lab.data.Leaves"

ClassPath = Annotated[str, StringConstraints(pattern=CLASS_PATH_PATTERN)]
"""A class of the user's."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
"""One line for people to read."""

Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Probability = Annotated[float, Field(ge=0, lt=1)]


def _only_finite(arguments: dict[str, Any]) -> dict[str, Any]:
    for key, value in _leaves(arguments, ""):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{key}: {value} is not possible; allowed: finite numbers")
    return arguments


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, f"{key}.{name}" if key else f"{name}")
    else:
        yield key, value


Arguments = Annotated[dict[str, Any], AfterValidator(_only_finite)]
"""Of the user's own class. Without infinity and NaN: a spec is JSON, where they would be null."""


class Section(BaseModel):
    """A part of the configuration.

    Unknown keys are errors, types are not coerced (``"3"`` is no number), NaN and infinity are
    refused, and a section never changes once it is made. Sections hold data and checks only: what
    a step does is decided by its spec, so code that would interpret a value belongs to the step.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )
