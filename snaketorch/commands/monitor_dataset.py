"""``monitor-dataset``: the step that compares new data with the training data."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snaketorch.commands.inputs import spec_of
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    files = ("manifest", "bundle", "predictions", "statistics", "page", "alert")
    commands.add("monitor-dataset", monitor_dataset, *files, computes=True)


def monitor_dataset(arguments: argparse.Namespace) -> None:
    """Compare a dataset of the study, and what is predicted of it, with the training data."""
    from snaketorch.config.specs import MonitorSpec
    from snaketorch.monitoring.monitor import monitor as run
    from snaketorch.registry.watched import tell_watched

    spec = spec_of(MonitorSpec, arguments)
    with uploading_of(arguments.bundle):
        run(
            spec,
            manifest=arguments.manifest,
            bundle=arguments.bundle,
            predictions=arguments.predictions,
            statistics=arguments.statistics,
            page=arguments.page,
            alert=arguments.alert,
            code=arguments.code,
            threads=arguments.threads,
        )
    tell_watched(spec.experiment)


@contextmanager
def uploading_of(bundle: Path) -> Iterator[None]:
    """Uploads the journal of the training that a bundle comes from, where that is here."""
    from snaketorch.monitoring.training_run import journal_of
    from snaketorch.tracking.sidecar import uploading

    try:
        journal = journal_of(json.loads((bundle / "bundle.json").read_text("utf-8"))["lineage"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # who reads the bundle says what is wrong
        journal = None
    if journal is None:
        yield
        return
    with uploading(journal):
        yield
