"""Which trials can be trained side by side: those that differ in nothing but numbers that each row may have its own."""

from collections.abc import Mapping
from typing import Any

from snaketorch.config.space import with_values
from snaketorch.config.specs import TrainSpec, TuneSpec
from snaketorch.provenance import digest

OWN_OF_ROW = frozenset({"lr", "weight_decay", "momentum", "betas", "eps", "alpha"})
"""Keys of `optimizer` of which each row may have its own value."""
DROPOUT = "dropout"
"""The key of `model` of which it may too."""


def train_spec(spec: TuneSpec, values: Mapping[str, Any]) -> TrainSpec:
    """The training that a trial is. ValueError for values that no training can have."""
    document = {name: value for name, value in spec.model_dump(mode="json").items() if name in TrainSpec.model_fields}
    return TrainSpec.model_validate(with_values(document, values))


def is_own_of_row(path: str) -> bool:
    """Whether rows of one group may differ in a tuned key."""
    section, _, key = path.partition(".")
    if section == "optimizer":
        return key in OWN_OF_ROW
    return section == "lr_scheduler" or path in ("trainer.gradient_clip_val", f"model.{DROPOUT}")


def signature(spec: TrainSpec) -> str:
    """16 hexadecimal digits, equal for trainings that can be rows of one group."""
    document = spec.model_dump(mode="json")
    document["optimizer"] = {key: value for key, value in document["optimizer"].items() if key not in OWN_OF_ROW}
    document["lr_scheduler"] = None
    document["trainer"]["gradient_clip_val"] = spec.trainer.gradient_clip_val is not None
    if document["model"].get(DROPOUT) is not None:
        document["model"][DROPOUT] = None
    return digest(document)
