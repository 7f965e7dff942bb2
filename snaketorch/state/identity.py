"""Who a training is: the name of the folder that holds its live state."""

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
