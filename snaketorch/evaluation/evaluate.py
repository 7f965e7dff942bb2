"""The test of one trained model, from its files to published numbers."""

import json
import logging
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import torch
from matplotlib.figure import Figure

from snaketorch import provenance
from snaketorch.config.specs import EvaluateSpec
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.evaluation.outcome import Case, Evaluator, Values
from snaketorch.evaluation.predict import predict
from snaketorch.figures.curves import learning_curves
from snaketorch.figures.history import read_history
from snaketorch.figures.style import save
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.hardware.precision import device_name
from snaketorch.implementation import resolve
from snaketorch.journal import Journal
from snaketorch.publish import whole_file, whole_folder, write_json
from snaketorch.tasks import samples_of
from snaketorch.tasks.base import TaskModule
from snaketorch.training.model_file import check_origin, load_model

log = logging.getLogger(__name__)

FORMAT = 1
PACKAGES = ("snaketorch", "torch", "torchmetrics", "numpy", "pyarrow", "matplotlib")


def evaluate(
    spec: EvaluateSpec,
    *,
    manifest: Path,
    model: Path,
    record: Path,
    history: Path,
    metrics: Path,
    predictions: Path,
    figures: Path,
    code: str,
    threads: int,
    uses: Mapping[str, Path] | None = None,
) -> None:
    """Tests a trained model on the test split of its dataset, and publishes what comes out.

    Everything is computed in float32, whatever the training's precision was, so that numbers of
    different experiments can be compared.

    Args:
        spec: What to measure and show.
        manifest: The prepared dataset.
        model: The trained model.
        record: Where the model comes from.
        history: How its training went.
        metrics: Published last: metrics, baselines, details, cost, and where they come from.
        predictions: Published: what the model says of every sample, as parquet.
        figures: Folder, published: SVG files; what is in it is replaced.
        code: Digest of the modules that this step imports.
        threads: CPU threads.
        uses: Models of other experiments that the task needs, by what they are for.

    Raises:
        UserError: The files do not belong together, or the model gives no numbers.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    keep_freed_memory()
    torch.set_num_threads(threads)
    dataset, training, task = Manifest.load(manifest), json.loads(record.read_text("utf-8")), load_model(model)
    tested_with = {key: getattr(spec.task, key) for key in task.options.test_keys}
    task.options = task.options.model_copy(update=tested_with)
    task.use({name: load_model(path) for name, path in (uses or {}).items()})
    model_sha256 = provenance.file_sha256(model)
    check_origin(training, model, model_sha256, dataset)
    dataset.verify()
    names = _metrics_to_measure(spec, task)

    # a training on the CPU may have left the GPUs to others
    device = torch.device("cuda" if torch.cuda.is_available() and training["device"]["type"] == "cuda" else "cpu")
    samples = samples_of(task, dataset, "test")
    log.info("Testing %s, seed %d: %d samples on %s", spec.experiment, spec.seed, len(samples), device_name(device))
    values, cost = predict(task, samples, spec.evaluate.batch_size, device)
    _check_numbers(values)
    evaluator: Evaluator = resolve(task.options.evaluator)
    outcome = evaluator(Case(task.options, dataset, values, names, spec.evaluate.examples, task, spec.seed))

    with whole_file(predictions) as temporary:
        parquet.write_table(outcome.predictions, temporary, compression="zstd")
    _save_figures({"curves": _curves(spec, task, training, history), **outcome.figures}, figures, spec)
    goal = task.options.goal if task.options.goal in names else names[0]
    document = spec.model_dump(mode="json")
    content = {
        "format": FORMAT,
        "experiment": spec.experiment,
        "seed": spec.seed,
        "data": spec.data,
        "task": task.options.model_dump(mode="json"),
        "split": "test",
        "samples": len(samples),
        "metrics": _of_test(outcome.metrics),
        "modes": {f"test/{name}": task.options.metrics[name] for name in names},
        "goal": f"test/{goal}",
        "baselines": {name: _of_test(baseline) for name, baseline in outcome.baselines.items()},
        "details": outcome.details,
        "cost": cost.as_json(),
        "record": {
            "spec": document,
            "spec_digest": provenance.digest(document),
            "code_digest": code,
            "inputs": {
                "model": {"sha256": model_sha256},
                "manifest": {"digest": dataset.digest},
                **{name: {"sha256": provenance.file_sha256(path)} for name, path in (uses or {}).items()},
            },
            "outputs": {"predictions": provenance.file_sha256(predictions)},
            "versions": provenance.versions(PACKAGES),
            "git": provenance.git_state(Path(__file__).parent),
            "host": provenance.host(),
            "device": {"type": device.type, "name": device_name(device), "threads": torch.get_num_threads()},
            "started": started.isoformat(timespec="seconds"),
            "wall_seconds": round(time.perf_counter() - clock, 3),
        },
    }
    write_json(metrics, content)
    _tell_journal(training, content["metrics"], [metrics, predictions], figures)
    log.info("%s", ", ".join(f"{name} {_shown(value)}" for name, value in content["metrics"].items()))


def _metrics_to_measure(spec: EvaluateSpec, task: TaskModule) -> list[str]:
    known = task.options.metrics
    names = spec.evaluate.metrics or list(known)
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"task '{task.options.kind}' has no metric {', '.join(unknown)}; allowed: {', '.join(known)}")
    return names


def _check_numbers(values: Mapping[str, np.ndarray]) -> None:
    for name, array in values.items():
        wrong = (~np.isfinite(array)).reshape(len(array), -1).any(1).sum()
        if wrong:
            raise UserError(
                f"the model's {name} is NaN or infinite for {wrong:,} of {len(array):,} test samples: "
                "its training went wrong; try a smaller optimizer.lr, or trainer.gradient_clip_val"
            )


def _curves(spec: EvaluateSpec, task: TaskModule, training: Mapping[str, Any], history: Path) -> Figure:
    best = training["best"]
    kept = {spec.seed: best["epoch"]} if best and best.get("kept", True) else None
    losses = [name for name in task.options.logged if name.endswith("loss")]
    return learning_curves({spec.seed: read_history(history)}, [*losses, task.options.goal], kept)


def _save_figures(figures: Mapping[str, Figure], folder: Path, spec: EvaluateSpec) -> None:
    with whole_folder(folder) as temporary:
        for name, figure in figures.items():
            save(figure, temporary / f"{name}.svg", f"{spec.experiment}/{spec.seed}/{name}")


def _of_test(values: Values) -> Values:
    return {f"test/{name}": value for name, value in values.items()}


def _tell_journal(training: Mapping[str, Any], values: Values, files: list[Path], figures: Path) -> None:
    folder = Path(training["journal"])
    try:
        journal = Journal.reopen(folder)
    except FileNotFoundError:
        log.info("The journal of the training, %s, is gone: the tracking server will not hear of this test", folder)
        return
    journal.log_metrics({name: value for name, value in values.items() if value is not None}, step=training["steps"])
    for file in files:
        journal.add_artifact(file)
    journal.add_artifact(figures)


def _shown(value: float | None) -> str:
    return "undefined" if value is None or not math.isfinite(value) else f"{value:.4g}"
