"""How each dataset stands."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snaketorch import layout
from snaketorch.dag.workflow import Workflow
from snaketorch.freshness import Sha256
from snaketorch.spec_differences import differences
from snaketorch.status.jobs import at_work, ended_badly, job_of
from snaketorch.status.outcome import Outcome, State

OUTPUTS = (layout.MANIFEST, layout.PREVIEW, layout.ARRAYS)


class Datasets:
    """Compares manifests with the configuration. Arrays are compared by size, and by content on request."""

    def __init__(self, workflow: Workflow, sha256: Sha256, verify: bool):
        self.workflow, self.sha256, self.verify = workflow, sha256, verify
        self.outcome = cache(self._outcome)
        self.manifest = cache(self._manifest)

    def digest(self, name: str) -> str | None:
        """Stands for the content of the prepared dataset; None while there is none."""
        return (self.manifest(name) or {}).get("digest")

    def _manifest(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads(Path(layout.MANIFEST.format(dataset=name)).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def _outcome(self, name: str) -> Outcome:
        asked = SimpleNamespace(dataset=name)
        spec, code = json.loads(self.workflow.prepare_spec(asked)), self.workflow.prepare_code(asked)
        source = self.workflow.source_digest(asked)
        job = job_of("prepare", spec, code, source=source)
        if someone := at_work(job):
            return someone
        manifest = self.manifest(name)
        if manifest is None:
            return ended_badly(job) or Outcome(State.WAITING)
        try:
            why = tuple(self._outdated(name, manifest, spec, code, source))
        except (KeyError, TypeError, AttributeError):
            why = ("its manifest is of another version",)
        return Outcome(State.STALE if why else State.DONE, why)

    def _outdated(
        self, name: str, manifest: dict[str, Any], spec: dict[str, Any], code: str, source: str
    ) -> Iterator[str]:
        yield from differences(manifest["spec"], spec)
        if manifest["record"]["code_digest"] != code:
            yield "the code of this step has changed"
        if manifest["record"]["source_digest"] != source:
            yield "the files that it is made from have changed"
        for pattern in OUTPUTS:
            if not Path(path := pattern.format(dataset=name)).exists():
                yield f"{path} is missing"
        folder = Path(layout.DATASET.format(dataset=name))
        for split in manifest["splits"].values():
            for entry in split["arrays"].values():
                yield from self._changed(folder / entry["file"], entry["bytes"], entry["sha256"])

    def _changed(self, path: Path, size: int, sha256: str) -> Iterator[str]:
        if not path.is_file():
            yield f"{path} is missing"
        elif path.stat().st_size != size or (self.verify and self.sha256(path) != sha256):
            yield f"{path} is not the file that its manifest tells of"
