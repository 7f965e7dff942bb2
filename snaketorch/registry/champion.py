"""The champion's numbers on the same test data as the candidate's."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from snaketorch.errors import UserError
from snaketorch.registry.aliases import Model
from snaketorch.registry.candidate import Measured
from snaketorch.registry.comparison import Difference, over_samples, over_seeds
from snaketorch.registry.fetch import fetch_bundle
from snaketorch.registry.gate import Opponent
from snaketorch.registry.retest import Retest, retest
from snaketorch.registry.scores import scores
from snaketorch.report.metric_range import range_of
from snaketorch.tracking.limits import TAG_LENGTH, json_text
from snaketorch.tracking.store import TrackingError

log = logging.getLogger(__name__)

TESTS = "snaketorch.tests"
"""Tag of a version: the tests of its experiment, see ``tests_tag``."""


def tests_tag(summary: Mapping[str, Any], tested: Measured) -> str:
    """What a version remembers of its experiment's tests: metrics by seed; the gate's alone if that is too long."""
    kept = {"data_digest": tested.data_digest, "task": tested.task}
    for names in (list(summary["metrics"]), [tested.metric]):
        metrics = {name: {key: summary["metrics"][name][key] for key in ("values", "ci95")} for name in names}
        text = json_text({**kept, "metrics": metrics})
        if len(text) <= TAG_LENGTH:
            return text
    return json_text({"too_long": True})


def opponent_of(
    model: Model, number: str | None, candidate: Measured, sha256: str, manifest: Path
) -> tuple[Opponent, dict[str, Any]] | None:
    """The champion compared with a candidate, and its part of ``registration.json``; None where there is none.

    Its stored numbers count where they are of the same test data and the same test; else its bundle is tested on the
    candidate's test split.

    Args:
        model: The registered model.
        number: The version that is the champion; None where none is.
        candidate: The tests that ask.
        sha256: Of the candidate's bundle.
        manifest: The prepared dataset.
    """
    if number is None:
        return None
    version = model.version(number)
    if version.tags.get("snaketorch.bundle_sha256") == sha256:
        value = candidate.value
        return Opponent(number, value, None, is_candidate=True), _told(number, value, candidate.ci95, True)
    stored = _stored(version.tags, candidate)
    is_same_data = version.tags.get("snaketorch.data_digest") == candidate.data_digest
    own = stored["values"].get(version.tags.get("snaketorch.seed")) if stored else None
    difference = over_seeds(candidate.values, stored["values"], range_of(candidate.metric)) if stored else None
    why_not = ""
    if difference is None and candidate.value is not None:
        try:
            found = _retested(version, manifest, candidate)
            own = found.value if own is None else own
            difference = _between_models(candidate, own, found)
        except UserError as error:
            why_not = str(error)
            log.warning("The champion, version %s, could not be tested here: %s", number, error)
            if own is not None:
                difference = Difference(candidate.value - own, None, None)
    interval = stored["ci95"] if stored else None
    return Opponent(number, own, difference, why_not), _told(number, own, interval, is_same_data)


def _told(number: str, value: float | None, interval: list[float] | None, is_same_data: bool) -> dict[str, Any]:
    return {"version": number, "value": value, "same_data": is_same_data, "ci95": interval}


def _stored(tags: Mapping[str, str], candidate: Measured) -> dict[str, Any] | None:
    """A version's own values by seed, and their interval; None where they are of another test, or not there."""
    try:
        told = json.loads(tags[TESTS])
        if told["data_digest"] != candidate.data_digest or told["task"] != candidate.task:
            return None
        return told["metrics"][candidate.metric]
    except (KeyError, ValueError, TypeError):
        return None


def _retested(version: ModelVersion, manifest: Path, candidate: Measured) -> Retest:
    log.info("Testing the champion, version %s, on this test data", version.version)
    try:
        bundle = fetch_bundle(f"models:/{version.name}/{version.version}")
    except (TrackingError, MlflowException, OSError) as error:
        raise UserError(f"its files cannot be read ({' '.join(str(error).split())})") from error
    return retest(bundle, manifest, candidate.metric, candidate.task)


def _between_models(candidate: Measured, own: float | None, champion: Retest) -> Difference | None:
    """The difference of two models, over the samples of the test where the metric is a mean over them."""
    if own is None or candidate.value is None:
        return None
    table: pa.Table = parquet.read_table(candidate.predictions)
    ours = scores(candidate.metric, candidate.task, table, candidate.value)
    theirs = scores(candidate.metric, champion.task, champion.predictions, champion.value)
    found = over_samples(ours, theirs) if ours and theirs else None
    return Difference(candidate.value - own, found.interval if found else None, found.by if found else None)
