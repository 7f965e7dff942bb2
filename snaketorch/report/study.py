"""The study page: one HTML file that shows every result, and opens anywhere without a network."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snaketorch.config.specs import ReportSpec
from snaketorch.freshness import page_is_made_from
from snaketorch.provenance import file_sha256, git_state, host, versions
from snaketorch.publish import write_text
from snaketorch.report.datasets import CLASSES_SHOWN, augmentation, datasets
from snaketorch.report.details import Table, detail_tables
from snaketorch.report.gallery import MAX_EXPERIMENTS, gallery
from snaketorch.report.leaderboard import best_first, leaderboards
from snaketorch.report.matrices import matrices
from snaketorch.report.page import render
from snaketorch.report.plans import Plan, plans
from snaketorch.report.provenance_table import Fact, machine, provenance, software
from snaketorch.report.registry import Registration, registrations
from snaketorch.report.remarks import Remark, remarks
from snaketorch.report.results import Experiment, read_experiment
from snaketorch.report.samples import Samples, samples
from snaketorch.report.sweeps import FAILED_SHOWN, Sweep, sweeps
from snaketorch.report.usage import Usage, usage

log = logging.getLogger(__name__)

OPEN_UP_TO = 6
"""Experiments up to which the page shows all of them opened."""


@dataclass(frozen=True)
class Chapter:
    """An experiment with the tables that are computed for the page."""

    experiment: Experiment
    tables: list[Table]
    provenance: list[Fact]
    augmentation: str | None
    """A data URI."""
    remarks: list[Remark]
    samples: list[Samples]
    sweep: Sweep | None
    registration: Registration | None
    plan: Plan | None
    usage: Usage | None


def report(spec: ReportSpec, *, results: Path, out: Path, code: str) -> None:
    """Writes the page of ``spec.experiments`` to ``out``.

    UserError when a file below ``results`` is missing, or changed since the summary that tells of it.
    """
    experiments = [read_experiment(results, spec.study, name) for name in spec.experiments]
    boards = leaderboards(experiments, spec.matrices)
    tuned = sweeps(experiments, spec.siblings)
    registered = registrations(experiments, spec.registered)
    planned = plans(experiments, spec.planned)
    text = render(
        title=spec.title,
        study=spec.study,
        code=code,
        made_from=_made_from(spec, code, experiments),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        git=git_state(Path(__file__).parent),
        machine=machine(host()),
        versions=versions(["snaketorch", "jinja2", "matplotlib"]),
        software=sorted({software(seed.record["versions"]) for seed in _seeds(experiments)}),
        boards=boards,
        chapters=[
            Chapter(
                experiment,
                detail_tables([seed.metrics["details"] for seed in experiment.seeds]),
                provenance(experiment),
                augmentation(experiment),
                remarks({seed.seed: seed.metrics["details"] for seed in experiment.seeds}),
                samples(experiment),
                tuned.get(experiment.name),
                registered.get(experiment.name),
                planned.get(experiment.name),
                usage(experiment),
            )
            for experiment in experiments
        ],
        datasets=datasets(results, experiments),
        gallery=gallery(best_first(boards)),
        matrices=matrices(spec.matrices, experiments),
        tuned=tuned,
        failed_shown=FAILED_SHOWN,
        classes_shown=CLASSES_SHOWN,
        max_experiments=MAX_EXPERIMENTS,
        open_up_to=OPEN_UP_TO,
        cost=_cost(experiments),
        link=lambda path: os.path.relpath(path, out.parent),
    )
    write_text(out, text)
    log.info("%s is written: %.1f MB, experiments: %d", out, len(text.encode()) / 1e6, len(experiments))


def _made_from(spec: ReportSpec, code: str, experiments: Sequence[Experiment]) -> str:
    summaries = {experiment.name: experiment.folder / "summary.json" for experiment in experiments}
    return page_is_made_from(spec.model_dump(mode="json"), code, summaries, file_sha256)


def _seeds(experiments: Sequence[Experiment]) -> list:
    return [seed for experiment in experiments for seed in experiment.seeds]


def _cost(experiments: Sequence[Experiment]) -> dict[str, Any]:
    """What all trainings took together."""
    costs = [experiment.summary["cost"] for experiment in experiments]
    memory = [cost["peak_memory_mb"] for cost in costs if cost["peak_memory_mb"] is not None]
    return {
        "trainings": len(_seeds(experiments)),
        "seconds": sum(cost["train_seconds"]["total"] for cost in costs),
        "peak_memory_mb": max(memory, default=None),
    }
