"""Who a training is, or a sweep: the name of the folder that holds its live state."""

from collections.abc import Mapping
from typing import Any

from snaketorch.provenance import digest


def training_digest(spec: Mapping[str, Any], code: str, data: str, uses: Mapping[str, str]) -> str:
    """16 hexadecimal digits that stand for all that a training depends on.

    Args:
        spec: The TrainSpec as JSON.
        code: Digest of the step's modules.
        data: Digest of the prepared dataset.
        uses: SHA-256 of the models and weights that it starts from or needs, by what they are for.
    """
    return digest({"spec": spec, "code": code, "data": data, **({"uses": dict(uses)} if uses else {})})


MAY_GROW = ("num_samples", "time_budget_s", "max_failures", "max_failed_trials")
"""Keys of `tune` that continue a sweep when they change."""
LOOKS_AT = ("space", "search_alg", "scheduler", "vectorise")
"""Keys that make another sweep, of trainings that are the same for equal values."""


def sweep_digests(spec: Mapping[str, Any], code: str, data: str, uses: Mapping[str, str]) -> tuple[str, str]:
    """What stands for all that the trainings of a sweep depend on, but for their values; and for the whole sweep.

    Each is 16 hexadecimal digits; the arguments are as of ``training_digest``, with the TuneSpec.
    """
    tune = {key: value for key, value in spec["tune"].items() if key not in MAY_GROW}
    own = {key: tune.pop(key) for key in LOOKS_AT}
    common = {"spec": {**spec, "tune": tune}, "code": code, "data": data, "uses": dict(uses)}
    return digest(common), digest({**common, **own})
