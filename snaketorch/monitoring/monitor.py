"""New data watched: from files to the page, the numbers and the alert."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from snaketorch import provenance
from snaketorch.config.specs import MonitorSpec
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.inference.bundle import bundle_sha256, load_bundle
from snaketorch.inference.reading.dataset import read_dataset
from snaketorch.journal import Journal
from snaketorch.monitoring import alert as alerts
from snaketorch.monitoring import histogram
from snaketorch.monitoring.compare import FEWEST_SAMPLES, Side, Statistic, compare, of_bad_rows
from snaketorch.monitoring.describe import Known
from snaketorch.monitoring.new_data import NewData, read_new
from snaketorch.monitoring.page import render
from snaketorch.monitoring.reference import model_of, reference_of
from snaketorch.monitoring.training_run import journal_of
from snaketorch.monitoring.webhook import send
from snaketorch.publish import write_json, write_text

log = logging.getLogger(__name__)

PACKAGES = ("snaketorch", "torch", "numpy", "scipy", "pandas", "pyarrow")
MOST_PICTURES = 60


def monitor(
    spec: MonitorSpec,
    *,
    manifest: Path,
    bundle: Path,
    predictions: Path,
    statistics: Path,
    page: Path,
    alert: Path,
    code: str,
    threads: int,
) -> bool:
    """Compares a dataset and its predictions with the training data and the test of the model.

    Args:
        spec: Which dataset, and when there is an alarm.
        manifest: Of the dataset that the model was trained on.
        bundle: The model.
        predictions: What it says of the new data.
        statistics: Published: all that was measured, `monitor.json`.
        page: Published: the same for people.
        alert: Published last: what somebody should hear of, `alert.json`.
        code: Digest of the modules that this step imports.
        threads: CPU threads.

    Returns:
        Whether there is an alert.

    Raises:
        DataError: There are no new samples.
        UserError: The files do not belong together.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    torch.set_num_threads(threads)
    dataset, predictor = Manifest.load(manifest), load_bundle(bundle)
    if predictor.facts["digest"] != dataset.digest:
        raise UserError(
            f"{bundle} was trained on a dataset with the digest {predictor.facts['digest']}, but that of {manifest} is "
            f"{dataset.digest}; run the workflow, which trains again"
        )
    log.info("Comparing %s with %s, the training data of %s", spec.dataset, dataset.dataset, spec.experiment)
    reading = read_dataset(spec.dataset, spec.source, predictor, [])
    new = read_new(reading, predictor, Known.of(dataset), pd.read_parquet(predictions))
    reference = reference_of(dataset, predictor)
    found = compare(reference, new.side, dataset.classes, spec.thresholds, spec.false_alarm_rate)
    found.append(of_bad_rows(new.bad, new.rows, spec.max_bad_share))
    about = {
        "experiment": spec.experiment,
        "dataset": spec.dataset,
        "model": model_of(predictor.lineage),
        "samples": new.rows,
        "bad_rows": new.bad,
        "compared_with": {"dataset": dataset.dataset, "digest": dataset.digest},
        "made": started.isoformat(timespec="seconds"),
    }
    notes = _notes(new, found)
    write_text(page, _page(spec, about, reference, new, found, notes))
    content = alerts.alert_of(found, about)
    document = spec.model_dump(mode="json")
    write_json(
        statistics,
        {
            "format": alerts.FORMAT,
            **about,
            "alert": content["alert"],
            "false_alarm_rate": spec.false_alarm_rate,
            "thresholds": {**spec.thresholds.model_dump(), "bad_rows": spec.max_bad_share},
            "statistics": [alerts.as_json(each) for each in found],
            "notes": notes,
            "record": {
                "spec": document,
                "spec_digest": provenance.digest(document),
                "code_digest": code,
                "inputs": {
                    "manifest": {"digest": dataset.digest},
                    "bundle": {"sha256": bundle_sha256(bundle)},
                    "predictions": {"sha256": provenance.file_sha256(predictions)},
                },
                "versions": provenance.versions(PACKAGES),
                "git": provenance.git_state(Path(__file__).parent),
                "host": provenance.host(),
                "started": started.isoformat(timespec="seconds"),
                "wall_seconds": round(time.perf_counter() - clock, 3),
            },
        },
    )
    told = "nobody was to be told" if not (spec.webhook_env and content["alert"]) else send(spec.webhook_env, content)
    write_json(alert, {**content, "webhook": told})
    _tell_journal(journal_of(predictor.lineage), spec.dataset, found, [statistics, page, alert])
    _tell(content)
    return content["alert"]


def _notes(new: NewData, found: Sequence[Statistic]) -> list[str]:
    notes = []
    if new.bad == new.rows:
        notes.append("The model can read none of the rows, so there is nothing else to compare.")
    elif new.bad:
        notes.append(f"{new.bad:,} of {new.rows:,} rows cannot be read by the model; they are compared in number only.")
    if new.bad < new.rows and "metric" not in {each.group for each in found}:
        notes.append("What is true of the new samples is not known, so nothing is said of how right the model is.")
    return notes


def _page(
    spec: MonitorSpec,
    about: dict[str, Any],
    reference: Side,
    new: NewData,
    found: Sequence[Statistic],
    notes: Sequence[str],
) -> str:
    pictures = histogram.all_of(reference.profile, new.side.profile)
    if reference.outputs and new.side.outputs:
        pictures |= histogram.all_of(reference.outputs.profile, new.side.outputs.profile)
    ordered = alerts.alarms_first(found)
    alarms = [each for each in ordered if each.alarm]
    of_alarms = list(dict.fromkeys(each.subject for each in alarms if each.subject in pictures))
    others = [name for name in pictures if name not in of_alarms]
    return render(
        experiment=spec.experiment,
        dataset=spec.dataset,
        reference=about["compared_with"]["dataset"],
        model=about["model"],
        made=about["made"],
        samples=new.rows,
        fewest=FEWEST_SAMPLES,
        alarms=alarms,
        statistics=ordered,
        notes=notes,
        false_alarm_rate=spec.false_alarm_rate,
        pictures_of_alarms=[pictures[name] for name in of_alarms[:MOST_PICTURES]],
        pictures=[pictures[name] for name in others[:MOST_PICTURES]],
    )


def _tell_journal(folder: Path | None, dataset: str, found: Sequence[Statistic], files: Sequence[Path]) -> None:
    """Gives the numbers to the run of the training, from which they come to the tracking server."""
    if folder is None:
        log.info("The journal of the training is not here: the tracking server will not hear of this")
        return
    journal = Journal.reopen(folder)
    journal.log_metrics(alerts.metrics_of(found, dataset), step=0)
    for file in files:
        journal.add_artifact(file, f"monitor/{dataset}")
    journal.tag(**{f"snaketorch.monitor.{dataset}": "alert" if any(each.alarm for each in found) else "ok"})


def _tell(content: dict[str, Any]) -> None:
    if content["alert"]:
        log.warning(
            "Alert: %d of %d statistics are beyond their thresholds", len(content["alarms"]), content["statistics"]
        )
        for reason in content["reasons"]:
            log.warning("  %s", reason)
    else:
        log.info("Quiet: none of %d statistics is beyond its threshold", content["statistics"])
