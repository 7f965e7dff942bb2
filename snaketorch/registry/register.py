"""The step that brings a trained model to the registry, behind its gate."""

import logging
import os
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snaketorch import layout, provenance
from snaketorch.config.specs import RegisterSpec
from snaketorch.data.manifest import Manifest
from snaketorch.publish import write_json
from snaketorch.registry.candidate import Candidate, read_candidate
from snaketorch.registry.watched import tell_watched
from snaketorch.tracking.store import TrackingError

log = logging.getLogger(__name__)

FORMAT = 1
LATER = "`python -m snaketorch sync` registers it once that is possible"


def register(
    spec: RegisterSpec,
    *,
    summary: Path,
    manifest: Path,
    bundle: Path,
    registration: Path,
    code: str,
    audit: Path = Path(layout.AUDIT),
    by_hand: bool = False,
) -> dict[str, Any]:
    """Asks the gate, registers the model, and publishes ``registration``, which says what came of it.

    A gate that refuses is a result. So is a registry that is away, or tracking that is off: the decision is
    "unregistered" then, and ``python -m snaketorch sync`` makes up for it.

    Args:
        spec: The gate, and the name in the registry.
        summary: The experiment over its seeds.
        manifest: The prepared dataset.
        bundle: What travels with the model.
        registration: Published.
        code: Digest of the modules that this step imports.
        audit: Is added to.
        by_hand: Whether somebody asks for it, though tracking may be switched off.

    Returns:
        What was published.

    Raises:
        UserError: The files do not belong together, or the bundle is damaged.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    candidate = read_candidate(spec, summary, bundle, Manifest.load(manifest).digest)
    found = _entered(spec, candidate, manifest, audit, by_hand)
    document = spec.model_dump(mode="json")
    content = {
        "format": FORMAT,
        "experiment": spec.experiment,
        "name": spec.name,
        **found,
        "gate": spec.gate.model_dump(mode="json"),
        "candidate": candidate.as_json(),
        "bundle_sha256": candidate.bundle_sha256,
        "record": {
            "spec": document,
            "spec_digest": provenance.digest(document),
            "code_digest": code,
            "inputs": {
                "summary": {"sha256": candidate.summary_sha256},
                "manifest": {"digest": candidate.tested.data_digest},
                "bundle": {"sha256": candidate.bundle_sha256},
            },
            "paths": {"summary": str(summary), "manifest": str(manifest), "bundle": str(bundle)},
            "versions": provenance.versions(["snaketorch", "mlflow", "torch"]),
            "git": provenance.git_state(Path(__file__).parent),
            "host": provenance.host(),
            "started": started.isoformat(timespec="seconds"),
            "wall_seconds": round(time.monotonic() - clock, 3),
        },
    }
    write_json(registration, content)
    version = f" (version {content['version']} of {spec.name})" if content["version"] else ""
    log.info("%s: %s%s: %s", spec.experiment, content["decision"], version, "; ".join(content["reasons"]))
    tell_watched(spec.experiment, by_hand)
    return content


def _entered(spec: RegisterSpec, candidate: Candidate, manifest: Path, audit: Path, by_hand: bool) -> dict[str, Any]:
    """What came of asking the registry, or why it was not asked."""
    if os.environ.get("SNAKETORCH_TRACKING") == "off" and not by_hand:
        return _unregistered("tracking is switched off")
    if find_spec("mlflow") is None:
        return _unregistered("mlflow is not installed here")
    # mlflow, which the other cases do without
    from snaketorch.registry.audit import Audit
    from snaketorch.registry.entry import enter

    try:
        return enter(spec, candidate, manifest, Audit(audit))
    except TrackingError as error:
        log.warning("The registry cannot be used now: %s", error)
        return _unregistered(f"the registry cannot be used: {error}")


def _unregistered(why: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("version", "model_uri", "champion", "difference", "registry"))
    return {**nothing, "decision": "unregistered", "reasons": [f"{why}; {LATER}"], "aliases": {}}
