"""The rules of the workflow whose results say what they were made from."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snaketorch import layout
from snaketorch.config.best import Best
from snaketorch.config.contents import CONTENTS
from snaketorch.config.specs import TrainSpec
from snaketorch.dag.workflow import Workflow
from snaketorch.errors import UserError

Question = Callable[[Workflow, SimpleNamespace], str]


@dataclass(frozen=True)
class Step:
    """A rule: what it is told, and where its result repeats that."""

    spec: Question
    code: Question
    module: str
    """Where its code begins."""
    result: str | None = None
    """The file that holds its record, or is it."""

    def record(self, asked: SimpleNamespace) -> dict[str, Any] | None:
        """``spec``, ``code_digest`` and ``git`` of the result that is there; None when none can be read."""
        if self.result is None:
            return None
        try:
            content = json.loads(Path(self.result.format(**vars(asked))).read_text("utf-8"))
            found = {**content, **content["record"]} if "record" in content else content
            return found if isinstance(found["spec"], dict) and "code_digest" in found else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def source(self, workflow: Workflow, asked: SimpleNamespace) -> str | None:
        """Stands for the files that a dataset is made from."""
        return workflow.source_digest(asked) if hasattr(asked, "dataset") else None

    def modules(self, workflow: Workflow, asked: SimpleNamespace) -> list[str]:
        """The modules that it begins with, those that its sections name included."""
        named = [
            getattr(part, key, None) for part in _sections(workflow, asked) for key in ("implementation", "evaluator")
        ]
        if hasattr(asked, "dataset"):
            named.append(CONTENTS[workflow.study.datasets[asked.dataset].source.provides].prepared_by)
        return [self.module, *filter(None, named)]

    def own_modules(self, workflow: Workflow, asked: SimpleNamespace) -> list[str]:
        """The user's own modules that it may run."""
        paths = [getattr(part, "class_path", None) for part in _sections(workflow, asked)]
        return [path.rpartition(".")[0] for path in paths if path]


def tuned_spec(workflow: Workflow, asked: SimpleNamespace) -> str:
    """The spec of a training as its record tells it: with the values of its sweep, where these are there and fit."""
    spec = workflow.train_spec(asked)
    for best in map(Path, workflow.best_of(asked)):
        with suppress(UserError):
            tuned = Best.read(best).put_into(TrainSpec.model_validate_json(spec))
            spec = json.dumps(tuned.model_dump(mode="json"))
    return spec


STEPS = {
    "prepare_dataset": Step(Workflow.prepare_spec, Workflow.prepare_code, "snaketorch.data.prepare", layout.MANIFEST),
    "preview_augmentation": Step(
        Workflow.augmentation_spec, Workflow.augmentation_code, "snaketorch.data.augmentation_picture"
    ),
    "train_model": Step(tuned_spec, Workflow.train_code, "snaketorch.training.train", layout.RECORD),
    "tune_experiment": Step(Workflow.tune_spec, Workflow.tune_code, "snaketorch.tuning.tune", layout.SWEEP),
    "evaluate_model": Step(
        Workflow.evaluate_spec, Workflow.evaluate_code, "snaketorch.evaluation.evaluate", layout.METRICS
    ),
    "summarise_experiment": Step(
        Workflow.summarise_spec, Workflow.summarise_code, "snaketorch.report.summarise", layout.SUMMARY
    ),
    "report_study": Step(Workflow.report_spec, Workflow.report_code, "snaketorch.report.study"),
}
"""By the name of the rule."""


def _sections(workflow: Workflow, asked: SimpleNamespace) -> list[Any]:
    """The sections of the configuration whose code it may run."""
    if hasattr(asked, "dataset"):
        return [workflow.study.datasets[asked.dataset].source]
    if hasattr(asked, "experiment"):
        experiment = workflow.trained[asked.experiment]
        return [experiment.task, experiment.model, experiment.augment]
    return []
