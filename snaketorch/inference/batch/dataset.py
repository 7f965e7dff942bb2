"""The step that predicts a whole dataset of the study."""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from snaketorch import provenance
from snaketorch.config.specs import PredictSpec
from snaketorch.errors import DataError
from snaketorch.hardware.precision import device_name
from snaketorch.inference.batch.run import Options, predict_in_parts
from snaketorch.inference.bundle import bundle_sha256, load_bundle
from snaketorch.inference.reading.dataset import read_dataset
from snaketorch.publish import write_json

log = logging.getLogger(__name__)

FORMAT = 1
PACKAGES = ("snaketorch", "torch", "numpy", "pandas", "pyarrow", "pillow")
MOST_BAD = 100
"""Bad rows that the record tells; the file beside it has all."""


def predict_dataset(
    spec: PredictSpec,
    *,
    bundle: Path,
    state: Path,
    predictions: Path,
    bad: Path,
    record: Path,
    code: str,
    source: str,
    threads: int,
    gpus: int,
) -> None:
    """Publishes what the model in ``bundle`` says of every sample of a dataset.

    Args:
        spec: Which dataset, and how.
        bundle: The model, with all that it needs.
        state: Folder for what is done so far.
        predictions: Parquet file: `source`, kept columns, `truth` where it is known, the answers.
        bad: JSON lines: the rows that have no prediction, and why.
        record: What was done, and with what; last of all.
        code: Digest of the code that does this.
        source: Digest of the names, sizes and times of the user's files.
        threads: CPU threads.
        gpus: That the job has; without one it computes on the CPU, wherever it is.

    Raises:
        DataError: The dataset cannot be read, or too many of its rows are bad.
        UserError: The bundle is damaged.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    torch.set_num_threads(threads)
    device = None if gpus else torch.device("cpu")
    predictor = load_bundle(bundle, device, batch_size=spec.predict.batch_size)
    parameters, document = predictor.quick_parameters, spec.model_dump(mode="json")
    model = bundle_sha256(bundle)
    try:
        reading = read_dataset(spec.dataset, spec.source, predictor, spec.predict.keep)
        done = predict_in_parts(
            predictor,
            reading,
            out=predictions,
            bad=bad,
            state=state,
            depends_on={"model": model, "dataset": spec.source.model_dump(mode="json"), "code": code, "source": source}
            | {"columns": spec.predict.keep, "batch_size": spec.predict.batch_size, "parameters": parameters},
            options=_options(spec, parameters),
        )
    except DataError as error:
        raise DataError(f"dataset '{spec.dataset}': {error}") from error
    write_json(
        record,
        {
            "format": FORMAT,
            "experiment": spec.experiment,
            "dataset": spec.dataset,
            "rows": done.rows,
            "bad": {"count": len(done.bad), "first": [row._asdict() for row in done.bad[:MOST_BAD]]},
            "lineage": predictor.lineage,
            "parameters": parameters,
            "record": {
                "spec": document,
                "spec_digest": provenance.digest(document),
                "code_digest": code,
                "source_digest": source,
                "inputs": {"bundle": {"sha256": model}},
                "outputs": {
                    "predictions": provenance.file_sha256(predictions),
                    "bad": provenance.file_sha256(bad),
                },
                "versions": provenance.versions(PACKAGES),
                "git": provenance.git_state(Path(__file__).parent),
                "host": provenance.host(),
                "device": {
                    "type": predictor.device.type,
                    "name": device_name(predictor.device),
                    "threads": torch.get_num_threads(),
                },
                "rows_per_second": round(done.rows_now / max(done.seconds, 1e-9), 1),
                "started": started.isoformat(timespec="seconds"),
                "wall_seconds": round(time.perf_counter() - clock, 3),
            },
        },
    )


def _options(spec: PredictSpec, parameters: Mapping[str, Any]) -> Options:
    """However many rows of a watched dataset are bad, that is an alert, which comes after the predictions."""
    if spec.is_watched:
        return Options(max_bad_share=1.0, needs_a_good_row=False, parameters=parameters)
    return Options(spec.predict.on_bad_row, spec.predict.max_bad_share, parameters=parameters)
