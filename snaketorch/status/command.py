"""`python -m snaketorch status`."""

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snaketorch.config.load import load_study
from snaketorch.dag.code import known_modules, recall
from snaketorch.dag.workflow import Workflow
from snaketorch.status.fingerprints import Fingerprints
from snaketorch.status.outcome import Outcome
from snaketorch.status.study import StudyStatus, survey
from snaketorch.status.table import Table, what_next


def status(names: Sequence[str], as_json: bool, verify: bool) -> str:
    """How the study in this folder stands, as text or as JSON. UserError for unknown experiments.

    Args:
        names: Experiments; all when there are none.
        as_json: For programs: everything that is known.
        verify: Read every file again rather than believe its size and times; the arrays of datasets too.
    """
    sha256 = Fingerprints(verify=verify)
    recall(sha256.modules)
    study = survey(Workflow(load_study(Path.cwd())), names, sha256, verify)
    sha256.remember(known_modules())
    if as_json:
        return json.dumps(_document(study), indent=2, ensure_ascii=False)
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if terminal else 100
    return Table(width, colours=terminal and "NO_COLOR" not in os.environ).text(study)


def _document(study: StudyStatus) -> dict[str, Any]:
    return {
        "study": study.name,
        "datasets": {name: _outcome(outcome) for name, outcome in study.datasets.items()},
        "experiments": {
            experiment.name: {
                "seeds": {
                    str(seed.seed): {
                        "state": seed.state,
                        "training": _outcome(seed.training),
                        "test": _outcome(seed.test),
                        "result": dict([seed.result]) if seed.result else None,
                    }
                    for seed in experiment.seeds
                },
                "sweep": _outcome(experiment.sweep),
                "summary": _outcome(experiment.summary),
            }
            for experiment in study.experiments
        },
        "report": _outcome(study.page),
        "total": dict(study.counts),
        "next": what_next(study),
    }


def _outcome(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    found = {name: value for name, value in dataclasses.asdict(outcome).items() if value}
    return found | ({"share": round(outcome.progress.share, 4)} if outcome.progress else {})
