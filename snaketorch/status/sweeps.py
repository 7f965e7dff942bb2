"""How the sweep of an experiment stands."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snaketorch import layout
from snaketorch.dag.workflow import Workflow
from snaketorch.freshness import Now, Sha256, outdated_sweep, read_json
from snaketorch.state.identity import sweep_digests
from snaketorch.state.lock import holder
from snaketorch.state.sweep_progress import SweepProgress, read_sweep_progress
from snaketorch.status.comparison import compared
from snaketorch.status.datasets import Datasets
from snaketorch.status.jobs import at_work, ended_badly, job_of
from snaketorch.status.outcome import Outcome, State


class Sweeps:
    """Asks the results and the live state of sweeps, and compares them with the configuration."""

    def __init__(self, workflow: Workflow, datasets: Datasets, sha256: Sha256, behind: Callable[..., Iterator[str]]):
        """``behind``: what must be made before an experiment's training, and is not there or not up to date."""
        self.workflow, self.datasets, self.sha256, self.behind = workflow, datasets, sha256, behind
        self.outcome = cache(self._outcome)

    def _outcome(self, name: str) -> Outcome | None:
        """None for an experiment without a sweep."""
        if self.workflow.trained[name].tune is None:
            return None
        asked = SimpleNamespace(experiment=name)
        uses = self.workflow.tune_models(asked)
        spec, code = json.loads(self.workflow.tune_spec(asked)), self.workflow.tune_code(asked)
        job = job_of("tune", spec, code, uses)
        root = Path(layout.TUNE_STATE.format(experiment=name))
        for folder in sorted(path.parent for path in root.glob("*/lock")):
            if who := holder(folder):
                return Outcome(State.RUNNING, holder=str(who), trials=read_sweep_progress(folder))
        if someone := at_work(job):
            return someone
        behind = tuple(self.behind(name, uses))
        data = self.datasets.digest(spec["data"])
        record = Path(layout.SWEEP.format(experiment=name))
        if record.exists():
            now = Now(spec, code, data)
            gone = tuple(f"{path.name} is missing" for path in _outputs(name) if not path.exists())
            outcome = compared(record, lambda content: outdated_sweep(record, content, now), behind, gone)
            return Outcome(outcome.state, outcome.why, trials=_published(record))
        models = {need: self.sha256(Path(path)) for need, path in uses.items() if Path(path).is_file()}
        own = None if behind or data is None else root / sweep_digests(spec, code, data, models)[1]
        trials = read_sweep_progress(own) if own else None
        if end := ended_badly(job):
            return Outcome(end.state, failure=end.failure, trials=trials)
        return Outcome(State.INTERRUPTED, trials=trials) if trials else Outcome(State.WAITING, behind)


def _outputs(name: str) -> list[Path]:
    return [Path(pattern.format(experiment=name)) for pattern in layout.OF_A_SWEEP]


def _published(record: Path) -> SweepProgress | None:
    """What a record says of the trials; None when it is of another version, or damaged."""
    try:
        content: dict[str, Any] = read_json(record)[0]
        ended = {status: count for status, count in content["trials"].items() if status != "unfinished"}
        best = content["best"]
        asked = content["spec"]["tune"]["num_samples"]
        return SweepProgress(ended, asked, content["metric"], best["value"], best["trial"], None, "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
