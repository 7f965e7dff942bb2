"""The step that makes a dataset ready: loads it, checks it, converts it, splits it, writes it."""

import logging
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snaketorch.config.contents import CONTENTS
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.chosen_classes import only_classes
from snaketorch.data.decoding.gpu import gpu_decoder
from snaketorch.data.manifest import FORMAT, SplitFiles, content_digest
from snaketorch.data.prepared import Prepared
from snaketorch.data.store import Store
from snaketorch.errors import DataError
from snaketorch.implementation import resolve
from snaketorch.provenance import git_state, host, versions
from snaketorch.publish import whole_file, whole_folder, write_json

log = logging.getLogger(__name__)

PACKAGES = (
    *("numpy", "pandas", "pyarrow", "pillow", "torch", "torchvision", "scikit-learn", "statsmodels", "tokenizers"),
    *("av", "datasets", "h5py"),
)


def prepare(spec: PrepareSpec, manifest: Path, preview: Path, arrays: Path, code: str, source: str) -> None:
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
        source: Digest of the names, sizes and times of the user's files, for the record.

    Raises:
        DataError: The data cannot be used; the message names the dataset.
        UserError: `prepare.decoder` asks for a GPU where there is none, or a package is not installed.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    log.info("preparing dataset %s", spec.dataset)
    if spec.prepare.decoder == "cuda":
        gpu_decoder(spec.prepare)  # better without now than after an hour
    try:
        raw = only_classes(resolve(spec.source.implementation)(spec), spec.split.classes)
        with whole_file(preview) as picture, whole_folder(arrays) as folder:
            store = Store(folder, os.path.relpath(arrays, manifest.parent))
            prepared: Prepared = resolve(CONTENTS[spec.source.provides].prepared_by)(raw, spec, store)
            prepared.draw(picture)
            manifest.unlink(missing_ok=True)
    except DataError as error:
        raise DataError(f"dataset '{spec.dataset}': {error}") from error
    splits = {name: SplitFiles(arrays=store.arrays[name], **facts) for name, facts in prepared.splits.items()}
    log.info("split into %s", ", ".join(f"{split.count} for {name}" for name, split in splits.items()))
    digest = content_digest(prepared.fields, prepared.classes, splits, store.others)
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
            **({"files": {name: asdict(file) for name, file in store.others.items()}} if store.others else {}),
            "report": prepared.report.as_json(),
            "spec": spec.model_dump(mode="json"),
            "record": {
                "versions": versions(PACKAGES),
                "git": git_state(Path(__file__).parent),
                "host": host(),
                "started": started.isoformat(timespec="seconds"),
                "wall_seconds": round(time.perf_counter() - clock, 3),
                "code_digest": code,
                "source_digest": source,
                **prepared.record,
            },
        },
    )
    size = sum(entry.bytes for split in splits.values() for entry in split.arrays.values())
    log.info("dataset %s is ready: %.1f MB in %s, digest %s", spec.dataset, size / 1e6, arrays, digest)


def _without_none(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item is not None}
