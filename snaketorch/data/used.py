"""A prepared dataset as a run's journal names it."""

from collections.abc import Mapping
from typing import Any

from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.journal import UsedDataset


def as_used(manifest: Manifest, context: str) -> UsedDataset:
    """What a run that uses the dataset tells of it.

    Args:
        manifest: The dataset.
        context: What for, as MLflow shows it: `train`.
    """
    profile = {f"{split}_samples": manifest.splits[split].count for split in SPLITS}
    if manifest.classes:
        profile["classes"] = len(manifest.classes)
    return {
        "name": manifest.dataset,
        "digest": manifest.digest,
        "context": context,
        "path": str(manifest.path.parent),
        "columns": {name: _in_words(entry) for name, entry in manifest.fields.items()},
        "profile": {"provides": manifest.provides, **profile},
    }


def _in_words(field: Mapping[str, Any]) -> str:
    """Type and shape of one sample, such as `uint8 1 x 28 x 28`."""
    shape = ["any" if length is None else str(length) for length in field["shape"]]
    return f"{field['dtype']} {' x '.join(shape)}".rstrip()
