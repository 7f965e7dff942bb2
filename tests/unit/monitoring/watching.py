"""The step of monitoring on data made for a test, with all that comes before it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from snaketorch.config.sources import Source
from snaketorch.config.specs import MonitorSpec
from snaketorch.inference.reading.dataset import read_dataset
from snaketorch.monitoring.monitor import monitor
from tests.unit.inference.bundles import Made


def watched(folder: Path, case: Made, source: dict | None, truth: bool = True, **options: Any) -> dict[str, Any]:
    """Runs the step on ``source``, by default the case's own; gives the two documents and the page, in ``folder``."""
    values = {
        "experiment": "some",
        "dataset": "new",
        "source": source or case.spec.source.model_dump(mode="json"),
        "max_bad_share": 0.05,
        "thresholds": {},
        "false_alarm_rate": 0.05,
        "webhook_env": None,
        **options,
    }
    _predict(case, folder / "predictions.parquet", truth, source)
    is_alert = monitor(
        MonitorSpec.model_validate_json(json.dumps(values)),
        manifest=case.manifest_file,
        bundle=case.bundle,
        predictions=folder / "predictions.parquet",
        statistics=folder / "monitor.json",
        page=folder / "page.html",
        alert=folder / "alert.json",
        code="c0de",
        threads=1,
    )
    found = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("monitor", "alert")}
    assert found["alert"]["alert"] is is_alert
    return {**found, "page": (folder / "page.html").read_text("utf-8")}


def _predict(case: Made, path: Path, truth: bool, source: dict | None) -> None:
    """What the step before leaves: a row for each sample that can be read."""
    section = case.spec.source if source is None else TypeAdapter(Source).validate_python(source)
    tables = []
    for read in read_dataset("new", section, case.predictor, []).parts():
        part = read()
        quick = case.predictor.quick_parameters
        answers, _ = case.predictor.predict_good(part.samples, parameters=quick)
        beside = part.beside.iloc[answers["row"]].reset_index(drop=True)
        tables.append(pd.concat([answers, beside if truth else beside[["source"]]], axis=1))
    pd.concat(tables, ignore_index=True).to_parquet(path)


def dark_images(folder: Path) -> dict:
    """A source of images like those of the case, but dark, in a file of their own."""
    draw = np.random.default_rng(1)
    images = draw.integers(0, 60, (60, 7, 9, 3), dtype=np.uint8)
    np.savez(folder / "dark.npz", x=images, y=np.arange(60) % 2)
    return {
        "kind": "arrays",
        "path": str(folder / "dark.npz"),
        "content": "images",
        "samples": "x",
        "labels": "y",
        "classes": ["0", "1"],
    }


def changed_rows(folder: Path, case: Made, change: Callable[[int, dict[str, str]], Any]) -> dict:
    """A source of the case's rows after ``change`` of each, which is given its number too."""
    with (case.folder / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        change(number, row)
    with (folder / "new.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return {**case.spec.source.model_dump(mode="json"), "path": str(folder / "new.csv")}
