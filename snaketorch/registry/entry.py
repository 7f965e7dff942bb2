"""What the registry itself is asked and told of a candidate."""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from snaketorch.config.specs import RegisterSpec
from snaketorch.registry.aliases import CANDIDATE, CHAMPION, ROLLED_BACK, Model
from snaketorch.registry.audit import Aliases, Audit
from snaketorch.registry.candidate import Candidate
from snaketorch.registry.champion import TESTS, opponent_of, tests_tag
from snaketorch.registry.gate import Verdict, decide
from snaketorch.registry.package import log_candidate
from snaketorch.registry.promotion import GATE, REASONS, ChampionChanged, make_candidate, promote
from snaketorch.registry.reach import registry
from snaketorch.tracking.address import tracking_uri
from snaketorch.tracking.cursor import Cursor
from snaketorch.tracking.databricks import check_model_name
from snaketorch.tracking.limits import TAG_LENGTH, cut, json_text
from snaketorch.tracking.runs import find_or_create
from snaketorch.tracking.store import initialise
from snaketorch.tracking.sync import sync_journal

log = logging.getLogger(__name__)

ATTEMPTS = 3


def enter(spec: RegisterSpec, candidate: Candidate, manifest: Path, audit: Audit) -> dict[str, Any]:
    """Registers a model, and gives it the aliases that its gate allows.

    All of it may be repeated: a version that is there is found again, and an alias that is there stays.

    Returns:
        Its part of ``registration.json``.

    Raises:
        TrackingError: MLflow is away or refuses.
        UserError: The bundle is damaged, or the registry cannot have a model of this name.
    """
    with registry() as (client, address):
        check_model_name(spec.name, address)
        model = Model(client, spec.name, address)
        for _ in range(ATTEMPTS - 1):
            try:
                return _entered(spec, candidate, manifest, model, audit)
            except ChampionChanged:
                log.info("%s has another champion now; comparing with that one", spec.name)
        found = _entered(spec.model_copy(update={"auto_promote": False}), candidate, manifest, model, audit)
        if spec.auto_promote and found["decision"] == "accepted":
            by_hand = f"`promote {spec.name} --version {found['version']}`"
            found["reasons"].append(f"others change the champion again and again, so only {by_hand} makes it that")
        return found


def _entered(spec: RegisterSpec, candidate: Candidate, manifest: Path, model: Model, audit: Audit) -> dict[str, Any]:
    aliases, tested, sha256 = model.aliases, candidate.tested, candidate.bundle_sha256
    opponent, champion = opponent_of(model, aliases[CHAMPION], tested, sha256, manifest) or (None, None)
    verdict = decide(spec.gate, tested.mode, tested.value, opponent)
    difference = opponent.difference.as_json() if opponent and opponent.difference else None
    tags = _tags(candidate, verdict, difference)
    run_id = _run_id(model.client, spec.study, candidate.record)
    logged = log_candidate(model.client, run_id, candidate.bundle, spec.name, tags)
    for name, value in tags.items():  # a version that was there already may have met another gate
        model.tag(logged.version, name, value)
    reasons = list(verdict.reasons)
    if verdict.decision == "accepted":
        make_candidate(model, audit, logged.version, "the gate is passed")
        if spec.auto_promote:
            reasons.append(_promoted(model, audit, logged.version, aliases))
    elif model.aliases[CANDIDATE] == logged.version:
        reasons.append("it stays the candidate that an earlier gate made it")
    return {
        "version": logged.version,
        "model_uri": logged.uri,
        "decision": verdict.decision,
        "reasons": reasons,
        "champion": champion,
        "difference": difference,
        "aliases": model.aliases,
        "registry": model.registry,
    }


def _promoted(model: Model, audit: Audit, version: str, compared: Aliases) -> str:
    """Makes a version the champion unless somebody has gone back from it; what there is to say of that."""
    if ROLLED_BACK in model.version(version).tags:
        return f"it was rolled back before, so only `promote {model.name} --version {version}` makes it the champion"
    done, _ = promote(model, audit, version, "auto_promote: the gate is passed", compared)
    return done


def _tags(candidate: Candidate, verdict: Verdict, difference: Mapping[str, Any] | None) -> dict[str, str]:
    tested = candidate.tested
    found = {
        GATE: verdict.decision,
        REASONS: cut("; ".join(verdict.reasons), TAG_LENGTH),
        TESTS: tests_tag(candidate.summary, tested),
        "snaketorch.metric": tested.metric,
        "snaketorch.value": "" if tested.value is None else repr(tested.value),
        "snaketorch.study": candidate.summary["study"],
    }
    if difference:
        found["snaketorch.difference"] = json_text(difference)
    return found


def _run_id(client: MlflowClient, study: str, record: Mapping[str, Any]) -> str:
    """The MLflow run of a training, which is sent there first where it is not yet."""
    uri = tracking_uri()
    folder = Path(record["journal"])
    if (folder / "run.json").exists():
        report = sync_journal(folder, uri, study)
        for problem in report.problems:
            log.warning("%s: %s", folder, problem)
        if run_id := Cursor.load(folder, uri).run_id:
            return run_id
    experiment = initialise(uri, study)
    name = f"{record['experiment']}-seed-{record['seed']}"
    run, _ = find_or_create(client, experiment, record["run_key"], name, _ms(record["started"]), {})
    return run.info.run_id


def _ms(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)
