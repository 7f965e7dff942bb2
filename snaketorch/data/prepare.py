"""The step that makes a dataset ready: loads it, checks it, converts it, splits it, writes it."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snaketorch.config.datasets import LABELLED_IMAGES, SERIES
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.arrays import write_array
from snaketorch.data.images import prepare_images
from snaketorch.data.manifest import FORMAT, SplitFiles, content_digest
from snaketorch.data.prepared import Prepared
from snaketorch.data.series import prepare_series
from snaketorch.errors import DataError
from snaketorch.implementation import resolve
from snaketorch.provenance import git_state, host, versions
from snaketorch.publish import whole_file, whole_folder, write_json

log = logging.getLogger(__name__)

PACKAGES = ("numpy", "pandas", "scikit-learn", "statsmodels", "torch", "torchvision")

_PREPARE: dict[str, Callable[[Any, PrepareSpec], Prepared]] = {
    LABELLED_IMAGES: prepare_images,
    SERIES: prepare_series,
}


def prepare(spec: PrepareSpec, manifest: Path, preview: Path, arrays: Path, code: str) -> None:
    """Publishes the dataset that ``spec`` describes.

    Nothing of an earlier dataset is touched before the new one is complete. From then on there is no
    manifest until the new one stands, so that a manifest never describes other arrays than those
    beside it. The same spec gives the same digest.

    Args:
        spec: What to prepare.
        manifest: File to write, last of all.
        preview: PNG file to write.
        arrays: Folder to write; what is in it is replaced.
        code: Digest of the code that does this, for the record.

    Raises:
        DataError: The data cannot be used; the message names the dataset.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    log.info("preparing dataset %s", spec.dataset)
    try:
        prepared = _PREPARE[spec.source.provides](resolve(spec.source.implementation)(spec.source), spec)
    except DataError as error:
        raise DataError(f"dataset '{spec.dataset}': {error}") from error
    with whole_file(preview) as picture:
        prepared.draw(picture)
        with whole_folder(arrays) as folder:
            splits = _write(prepared, folder, os.path.relpath(arrays, manifest.parent))
            manifest.unlink(missing_ok=True)
    digest = content_digest(prepared.fields, prepared.classes, splits)
    write_json(
        manifest,
        {
            "format": FORMAT,
            "dataset": spec.dataset,
            "provides": spec.source.provides,
            "digest": digest,
            "fields": prepared.fields,
            **({"classes": list(prepared.classes)} if prepared.classes else {}),
            "splits": {name: _without_none(asdict(split)) for name, split in splits.items()},
            "spec": spec.model_dump(mode="json"),
            "record": {
                "versions": versions(PACKAGES),
                "git": git_state(Path(__file__).parent),
                "host": host(),
                "started": started.isoformat(timespec="seconds"),
                "wall_seconds": round(time.perf_counter() - clock, 3),
                "code_digest": code,
            },
        },
    )
    size = sum(entry.bytes for split in splits.values() for entry in split.arrays.values())
    log.info("dataset %s is ready: %.1f MB in %s, digest %s", spec.dataset, size / 1e6, arrays, digest)


def _write(prepared: Prepared, folder: Path, shown_as: str) -> dict[str, SplitFiles]:
    splits = {}
    for name, split in prepared.splits.items():
        entries = {
            field: write_array(folder / f"{name}_{field}.npy", array, f"{shown_as}/{name}_{field}.npy")
            for field, array in split.arrays.items()
        }
        splits[name] = SplitFiles(split.count, entries, **split.facts)
    log.info("split into %s", ", ".join(f"{split.count} for {name}" for name, split in splits.items()))
    return splits


def _without_none(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item is not None}
