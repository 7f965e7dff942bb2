"""``monitor``: new data compared with the training data by hand, or by a program that wants an exit code."""

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

from snaketorch import layout
from snaketorch.commands.monitor_dataset import uploading_of
from snaketorch.commands.parser import Commands
from snaketorch.errors import UserError


class Alerted(UserError):  # noqa: N818 - named as in ``snaketorch.errors``
    """The data has changed, and whoever asked wants to know by the exit code."""

    kind: ClassVar[str] = "data_error"
    exit_code: ClassVar[int] = 3


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("monitor", monitor, spec=False, computes=True)
    step.add_argument("experiment", metavar="EXPERIMENT")
    step.add_argument("dataset", metavar="DATASET", help="one of its monitor.data")
    step.add_argument("--exit-code", action="store_true", help="end with 3 where there is an alert (default: 0)")


def monitor(arguments: argparse.Namespace) -> None:
    """Compare a dataset with the training data once more, as the workflow does; its predictions must be there."""
    from snaketorch.config.load import load_study
    from snaketorch.config.specs import MonitorSpec
    from snaketorch.dag.workflow import Workflow
    from snaketorch.monitoring.monitor import monitor as run
    from snaketorch.registry.watched import tell_watched

    study = load_study(Path.cwd())
    name, dataset = arguments.experiment, arguments.dataset
    watched = {key: each.monitor.data for key, each in study.experiments.items() if each.monitor}
    if dataset not in watched.get(name, ()):
        pairs = ", ".join(f"{key} {each}" for key, names in sorted(watched.items()) for each in names)
        raise UserError(f"{name} does not monitor {dataset}; allowed: {pairs or 'none: no experiment has `monitor`'}")
    asked = Workflow(study)
    job = SimpleNamespace(experiment=name, dataset=dataset)
    files = {
        "manifest": layout.MANIFEST.format(dataset=study.experiments[name].data),
        "bundle": layout.BUNDLE.format(experiment=name),
        "predictions": layout.PREDICTED.format(experiment=name, dataset=dataset),
    }
    if missing := [file for file in files.values() if not Path(file).exists()]:
        raise UserError(f"{missing[0]} is not there; make it: `snakemake -c1 {missing[0]}`")
    made = {"statistics": layout.MONITOR, "page": layout.MONITOR_PAGE, "alert": layout.ALERT}
    with uploading_of(Path(files["bundle"])):
        is_alert = run(
            MonitorSpec.model_validate_json(asked.monitor_spec(job)),
            **{key: Path(file) for key, file in files.items()},
            **{key: Path(file.format(experiment=name, dataset=dataset)) for key, file in made.items()},
            code=asked.monitor_code(job),
            threads=arguments.threads,
        )
    tell_watched(name)
    if is_alert and arguments.exit_code:
        raise Alerted(f"{dataset} differs from the training data of {name}: see {made['page']}".format(**vars(job)))
