"""The step that plans a training for its workflow."""

import json
import logging
from pathlib import Path
from typing import Any

from snaketorch.config.best import Best
from snaketorch.config.gpus import catalogue
from snaketorch.config.specs import PlanSpec
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.planning.facts import Counts
from snaketorch.planning.planned import planned
from snaketorch.planning.table import table
from snaketorch.planning.unfit import why_unfit
from snaketorch.provenance import digest, git_state, host, versions
from snaketorch.publish import write_json

log = logging.getLogger(__name__)


def plan_experiment(spec: PlanSpec, *, manifest: Path, plan: Path, best: Path | None, code: str) -> None:
    """Writes ``plan.json``.

    Args:
        spec: The training, and where it may run.
        manifest: Of its dataset.
        plan: File to write.
        best: The result of a sweep, whose values are trained.
        code: Digest of the code that does this.

    Raises:
        UserError: `resources.strict` is on, and the training may not fit.
    """
    data = Manifest.load(manifest)
    tuned = Best.read(best).put_into(spec) if best else spec
    content = planned(tuned, Counts(data, "manifest", f"as {manifest} says"), catalogue(Path.cwd()), Path.cwd())
    log.info("The plan:\n%s", table(content))
    if spec.site.strict and (problem := why_unfit(content)):
        raise UserError(problem)
    write_json(plan, content | {"record": _record(tuned, code, manifest, data)})


def _record(spec: PlanSpec, code: str, manifest: Path, data: Manifest) -> dict[str, Any]:
    document = json.loads(spec.model_dump_json())
    return {
        "spec": document,
        "spec_digest": digest(document),
        "code_digest": code,
        "inputs": {"manifest": {"path": str(manifest), "digest": data.digest}},
        "versions": versions(["torch", "torchvision", "pytorch-lightning"]),
        "git": git_state(Path(__file__).parent),
        "host": host(),
    }
