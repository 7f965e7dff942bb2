"""``python -m snaketorch STEP``: the command line of every step. Arguments in, one call out."""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from snaketorch import layout, parent, signals
from snaketorch.errors import UserError
from snaketorch.failures.attempt import JobAttempt
from snaketorch.failures.classify import classify
from snaketorch.failures.jobs import Job
from snaketorch.failures.shown import show

S = TypeVar("S", bound=BaseModel)


def prepare(arguments: argparse.Namespace) -> None:
    """Prepare a dataset: load, convert, split, write arrays and manifest."""
    from snaketorch.config.specs import PrepareSpec
    from snaketorch.data.prepare import prepare as run

    spec = _spec(PrepareSpec, arguments)
    run(
        spec,
        manifest=arguments.manifest,
        preview=arguments.preview,
        arrays=arguments.arrays,
        code=arguments.code,
        source=arguments.source,
        threads=arguments.threads,
    )


def preview_augmentation(arguments: argparse.Namespace) -> None:
    """Draw what an experiment's `augment` does to its samples."""
    from snaketorch.config.specs import AugmentationSpec
    from snaketorch.data.augmentation_picture import draw_augmentation

    draw_augmentation(
        _spec(AugmentationSpec, arguments),
        manifest=arguments.manifest,
        figure=arguments.figure,
        code=arguments.code,
    )


def train(arguments: argparse.Namespace) -> None:
    """Train a model, or go on from its last checkpoint."""
    from snaketorch.config.specs import TrainSpec
    from snaketorch.tracking.sidecar import uploading
    from snaketorch.training.checkpointing.resume_points import Every
    from snaketorch.training.train import train as run

    run(
        _spec(TrainSpec, arguments),
        manifest=arguments.manifest,
        uses=dict(arguments.uses),
        state_root=arguments.state,
        model=arguments.model,
        history=arguments.history,
        record=arguments.record,
        samples=arguments.samples,
        code=arguments.code,
        threads=arguments.threads,
        checkpoint_every=Every(arguments.checkpoint_epochs, arguments.checkpoint_seconds),
        runtime=arguments.runtime,
        uploading=uploading,
    )


def evaluate(arguments: argparse.Namespace) -> None:
    """Test a trained model: metrics, predictions, figures."""
    from snaketorch.config.specs import EvaluateSpec
    from snaketorch.evaluation.evaluate import evaluate as run
    from snaketorch.state.published import clear_published
    from snaketorch.tracking.sidecar import uploading

    spec = _spec(EvaluateSpec, arguments)
    # a test begins when the workflow has noted that its training is done
    clear_published(Path(layout.TRAIN_STATE.format(experiment=spec.experiment, seed=spec.seed)))
    with uploading(Path(_record(arguments.record)["journal"])):
        run(
            spec,
            manifest=arguments.manifest,
            model=arguments.model,
            record=arguments.record,
            history=arguments.history,
            uses=dict(arguments.uses),
            metrics=arguments.metrics,
            predictions=arguments.predictions,
            figures=arguments.figures,
            code=arguments.code,
            threads=arguments.threads,
        )


def summarise(arguments: argparse.Namespace) -> None:
    """Summarise an experiment over its seeds."""
    from snaketorch.config.specs import SummariseSpec
    from snaketorch.journal import ROOT
    from snaketorch.report.summarise import summarise as run
    from snaketorch.tracking.sidecar import uploading

    with uploading(ROOT / _record(arguments.records[0])["group_key"]):
        run(
            _spec(SummariseSpec, arguments),
            metrics=arguments.metrics,
            records=arguments.records,
            summary=arguments.summary,
            config=arguments.config,
            code=arguments.code,
        )


def report(arguments: argparse.Namespace) -> None:
    """Write the study page."""
    from snaketorch.config.specs import ReportSpec
    from snaketorch.report.study import report as run

    run(
        _spec(ReportSpec, arguments),
        results=arguments.results,
        out=arguments.out,
        code=arguments.code,
    )


def init_tracking(arguments: argparse.Namespace) -> None:
    """Create the tracking store once, before jobs use it side by side."""
    from snaketorch.tracking.initialise import init_tracking as run

    run(arguments.out, _study())


def sync(arguments: argparse.Namespace) -> None:
    """Send to the tracking server what it does not have yet."""
    from snaketorch.tracking.address import tracking_uri

    study, uri = _study(), tracking_uri()
    if arguments.follow:  # mlflow is imported only when there is something to send
        from snaketorch.tracking.follow import follow

        (folder,) = arguments.journals
        failed = follow(folder, arguments.follow, uri, study).failed
        logging.shutdown()
        os._exit(failed)  # all is sent; mlflow's own teardown takes a second that the job would wait for

    from snaketorch.journal import ROOT
    from snaketorch.tracking.sync import sync_all, sync_journals

    journals = arguments.journals
    summary = sync_journals(journals, uri, study) if journals else sync_all(ROOT, uri, study)
    print(summary)  # noqa: T201
    if summary.failed:
        raise UserError("not everything could be sent; nothing is lost, run it again")


def start_over(arguments: argparse.Namespace) -> None:
    """Begin an experiment's unfinished trainings anew; what they have done is put aside."""
    from snaketorch.config.load import load_study
    from snaketorch.failures.notes import forget_job
    from snaketorch.state.start_over import start_over as run

    study = load_study(Path.cwd())
    seeds = {name: experiment.seeds for name, experiment in {**study.experiments, **study.needed}.items()}
    for name, place in run(arguments.experiment, arguments.seed, seeds):
        forget_job("train", name)
        print(f"put aside in {place}; `snakemake` begins anew, and the folder may be deleted")  # noqa: T201


def status(arguments: argparse.Namespace) -> None:
    """Say how the study in this folder stands: what is done, runs, waits, failed, or is out of date."""
    from snaketorch.status.command import status as run

    print(run(arguments.experiments, arguments.json, arguments.verify))  # noqa: T201


def explain(arguments: argparse.Namespace) -> None:
    """Say what of an experiment would run again, and because of which key."""
    from snaketorch.status.explain import explain as run

    print(run(arguments.experiment, arguments.seed, arguments.snakefile))  # noqa: T201


def _spec(model: type[S], arguments: argparse.Namespace) -> S:
    """What the step was told. UserError when it is no spec of this step."""
    try:
        return model.model_validate_json(arguments.spec)
    except ValidationError as error:
        raise UserError(f"--spec is not a spec of step {arguments.step}: {error}") from error


def _record(path: Path) -> dict[str, Any]:
    """A training's record. UserError when there is none."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not the record of a training: {error}") from error


def _use(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)


def _study() -> str:
    """The study's name: of the workflow that runs this job, or of the configuration here."""
    if "SNAKETORCH_STUDY" not in os.environ:
        from snaketorch.config.load import load_study
        from snaketorch.dag.environment import variables

        os.environ.update(variables(load_study(Path.cwd()).config))
    return os.environ["SNAKETORCH_STUDY"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one step.

    Returns:
        0 when it is done, 75 when it was told to end or its time was over, else 1. What went wrong is in the
        log and, of a workflow's job, in a note.
    """
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    for library in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "matplotlib", "alembic", "torch"):
        logging.getLogger(library).setLevel(logging.WARNING)
    attempt = JobAttempt(Job.of(arguments), arguments.attempt) if getattr(arguments, "attempt", None) else None
    if attempt and attempt.hopeless:
        attempt.give_up()
        return 1
    try:
        _run(arguments)
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and not attempt:  # as of `status | head`, which has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 128 + signal.SIGPIPE
        failure = classify(error)
        show(error, failure)
        if attempt:
            attempt.fail(failure)
        return signals.TRY_AGAIN if failure.kind in ("timeout", "interrupted") else 1
    if attempt:
        attempt.succeed()
    return 0


def _run(arguments: argparse.Namespace) -> None:
    if arguments.step == "sync":  # which has the end of a killed job to tell
        arguments.run(arguments)
        return
    parent.end_with_parent(signals.are_noted, signals.is_told_to_end)
    with signals.ending_at_once():
        arguments.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m snaketorch", description="The steps of a Snaketorch study.")
    commands = parser.add_subparsers(dest="step", required=True, metavar="STEP")

    def command(
        name: str, run, *paths: str, spec: bool = True, threads: bool = False, job: bool | None = None
    ) -> argparse.ArgumentParser:
        step = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        step.set_defaults(run=run)
        if spec:
            step.add_argument("--spec", required=True, help="what the step depends on, as JSON")
            step.add_argument("--code", default="", help="digest of the step's code, for the record")
        for path in paths:
            step.add_argument(f"--{path}", type=Path, required=True)
        if spec if job is None else job:
            step.add_argument("--attempt", type=int, help="which attempt of a workflow this is, from 1")
            step.add_argument("--log", type=Path, help="the file that a workflow's job writes its log to")
        if threads:
            step.add_argument("--threads", type=int, default=1, help="CPU threads (default: %(default)s)")
        return step

    models = {
        "type": _use,
        "action": "append",
        "default": [],
        "metavar": "NAME=PATH",
        "help": "a trained model, or weights, and what they are for; may be repeated",
    }
    step = command("prepare", prepare, "manifest", "preview", "arrays", threads=True)
    step.add_argument("--source", default="none", help="digest of the user's files, for the record")
    command("preview-augmentation", preview_augmentation, "manifest", "figure")
    step = command("train", train, "manifest", "state", "model", "history", "record", "samples", threads=True)
    step.add_argument("--uses", **models)
    step.add_argument("--runtime", type=float, metavar="MINUTES", help="end in time where a batch system would end it")
    step.add_argument("--checkpoint-epochs", type=int, default=1, metavar="N", help="epochs between checkpoints")
    step.add_argument("--checkpoint-seconds", type=float, default=60.0, metavar="S", help="seconds between them")
    run_files = ("manifest", "model", "record", "history", "metrics", "predictions", "figures")
    step = command("evaluate", evaluate, *run_files, threads=True)
    step.add_argument("--uses", **models)
    step = command("summarise", summarise, "summary", "config")
    step.add_argument("--metrics", type=Path, nargs="+", required=True)
    step.add_argument("--records", type=Path, nargs="+", required=True)
    command("report", report, "results", "out")
    command("init-tracking", init_tracking, "out", spec=False, job=True)
    step = command("status", status, spec=False)
    step.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="only these (default: all)")
    step.add_argument("--json", action="store_true", help="all that is known, for programs")
    step.add_argument("--verify", action="store_true", help="read every file again, the arrays of datasets too")
    step = command("explain", explain, spec=False)
    step.add_argument("experiment", metavar="EXPERIMENT")
    step.add_argument("--seed", type=int, metavar="N", help="only one training (default: all)")
    step.add_argument("--snakefile", "-s", type=Path, metavar="FILE", help="default: as snakemake finds it")
    step = command("start-over", start_over, spec=False)
    step.add_argument("experiment", metavar="EXPERIMENT")
    step.add_argument("--seed", type=int, metavar="N", help="of one training (default: all)")
    step = command("sync", sync, spec=False)
    step.add_argument("journals", type=Path, nargs="*", help="journal folders (default: all)")
    step.add_argument("--follow", type=int, metavar="PID", help="go on until this process ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
