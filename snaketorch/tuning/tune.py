"""One sweep, from its spec to its best configuration."""

import logging
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch import journal as journals
from snaketorch import provenance
from snaketorch.config.space import MOST_COUNTED, Space
from snaketorch.config.specs import TuneSpec
from snaketorch.data.manifest import Manifest
from snaketorch.data.used import as_used
from snaketorch.errors import Interrupted, OutOfTime, UserError
from snaketorch.failures.jobs import by_hand
from snaketorch.publish import whole_folder, write_json
from snaketorch.signals import Ended, Noted
from snaketorch.state.lock import sole_writer
from snaketorch.state.probe import probe_writable
from snaketorch.training.checkpointing.resume_points import BY_DEFAULT, Every
from snaketorch.training.deadline import deadline_of_job
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.engine import train_trials
from snaketorch.tuning.figures import draw_figures
from snaketorch.tuning.identity import SweepIdentity
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.population import schedule_of
from snaketorch.tuning.progress import Progress, values_in_words
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.results import counts, write_best, write_curves, write_trials
from snaketorch.tuning.room import Room
from snaketorch.tuning.runs import SweepRuns
from snaketorch.tuning.search import build_search
from snaketorch.tuning.taken_over import take_over
from snaketorch.tuning.trial import SEARCHED, Trial, winner

log = logging.getLogger(__name__)

FORMAT = 1
PACKAGES = ("torch", "pytorch-lightning", "ray", "optuna", "numpy")

Uploading = Callable[[Path], AbstractContextManager[None]]


@dataclass(frozen=True)
class SweepFiles:
    """Where a sweep's outputs go."""

    best: Path
    """The values of the best trial; published last."""
    trials: Path
    """One row a trial."""
    curves: Path
    """One row a validation of a trial."""
    sweep: Path
    """The record."""
    figures: Path
    """A folder."""


def tune(
    spec: TuneSpec,
    *,
    manifest: Path,
    state_root: Path,
    files: SweepFiles,
    code: str,
    room: Room,
    uses: Mapping[str, Path] | None = None,
    checkpoint_every: Every = BY_DEFAULT,
    runtime: float | None = None,
    uploading: Uploading = nullcontext,
) -> None:
    """Runs, or goes on with, the sweep that ``spec`` describes, and publishes its outputs.

    Args:
        spec: All that the result depends on, besides data and code.
        manifest: The prepared dataset.
        state_root: Folder for the live state; a sweep owns the part of it that is its digest.
        files: The outputs.
        code: Digest of the modules that this step imports.
        room: What the trials may take of the machine.
        uses: Trained models and weights that the trainings start from or need, by what they are for.
        checkpoint_every: How often the state of a trial is saved.
        runtime: Minutes that this process may take, where somebody ends it then.
        uploading: Sends the journals in and under a folder elsewhere while the sweep runs.

    Raises:
        UserError: what a user can mend: no trial came to a result, or too many failed.
        Interrupted: it was told to end; what its trials have done is saved.
        OutOfTime: the same, because its time is over.
    """
    dataset = Manifest.load(manifest)
    dataset.verify()
    uses = {name: path.absolute() for name, path in (uses or {}).items()}
    identity = SweepIdentity.of(spec, code, dataset.digest, uses)
    root, folder = Path.cwd(), state_root.absolute() / identity.digest
    deadline = deadline_of_job(runtime)
    context = SweepContext(spec, manifest.absolute(), uses, root, folder, code, room, checkpoint_every, deadline)
    probe_writable(folder)
    with sole_writer(state_root), sole_writer(folder), Noted() as signals, closing(Ledger(folder)) as ledger:
        signals.install()
        identity.save(folder)
        sweep = _Sweep(context, identity, ledger, as_used(dataset, "train"))
        sweep.begin(state_root)
        with uploading(sweep.runs.folder):
            try:
                how = sweep.run(signals)
                best = _best_of(ledger, spec)
                record = sweep.record(dataset, manifest, how, best)
                sweep.publish(files, record, best)
            except BaseException as error:
                sweep.runs.finish("KILLED" if isinstance(error, Ended | Interrupted | OutOfTime) else "FAILED")
                raise
            sweep.runs.finish("FINISHED")


class _Sweep:
    """The parts of a sweep, and what is done with them."""

    def __init__(self, context: SweepContext, identity: SweepIdentity, ledger: Ledger, dataset: journals.UsedDataset):
        self.context, self.identity, self.ledger = context, identity, ledger
        self.spec, self.options = context.spec, context.spec.tune
        self.space = Space(self.options.space, self.spec.model_dump(mode="json", exclude={"tune"}))
        self.runs = SweepRuns(*self._own_run(dataset), self.options.metric, self.options.mode, ledger.all)

    def begin(self, state_root: Path) -> None:
        """Puts in order what earlier attempts left, and finds trials of earlier sweeps."""
        self.context.stop_file.unlink(missing_ok=True)
        for trial in self.ledger.over:  # a kill may have come before its state was removed
            shutil.rmtree(self.context.trial_folder(trial.key), ignore_errors=True)
        if not self.ledger.trials and not self.options.mutable:  # a population begins as one
            take_over(self.identity, state_root.absolute(), self.space, self.ledger)
        elif self.ledger.spent:
            done, begun = len(self.ledger.order), len(self.ledger.unfinished)
            log.info("Going on with a sweep: %d trials are done, %d were begun", done, begun)

    def run(self, signals: Noted) -> dict[str, Any]:
        """Trains the trials; gives what the record says of how."""
        options, ledger = self.options, self.ledger
        wanted, seconds = options.num_samples, options.time_budget_s
        # which a grid knows without being told
        total = self.space.size(wanted or MOST_COUNTED) if options.search_alg.kind == "grid" else wanted
        ends = Ends(ledger, signals, self.context.deadline, seconds, options.max_failed_trials, total)
        proposals = Proposals(ledger, build_search(options, self.space), wanted)
        progress = Progress(ledger, options.metric, options.mode, total, seconds)
        how = train_trials(self.context, Diary(self.context, ledger, proposals, progress, self.runs), ends)
        signals.install()  # again: Ray has put its own in their place
        progress.say(at_once=True)
        ends.check()
        return how

    def record(self, dataset: Manifest, manifest: Path, how: dict[str, Any], best: Trial) -> dict[str, Any]:
        """Where the result comes from."""
        document, ledger = self.spec.model_dump(mode="json"), self.ledger
        # those of an earlier sweep took no time of this one
        trained = sum(trial.seconds for trial in ledger.all if trial.origin == SEARCHED)
        return {
            "format": FORMAT,
            "experiment": self.spec.experiment,
            "study": os.environ.get("SNAKETORCH_STUDY"),
            "spec": document,
            "spec_digest": provenance.digest(document),
            "code_digest": self.context.code,
            "inputs": {
                "manifest": {"path": str(manifest), "digest": dataset.digest},
                **{name: provenance.file_sha256(path) for name, path in self.context.uses.items()},
            },
            "metric": self.options.metric,
            "mode": self.options.mode,
            "best": {"trial": best.number, "value": best.best(self.options.mode)[1], "values": best.values},
            "at_edge": self.space.at_edge(best.values),
            **self._schedule(best),
            "trials": counts(ledger.all),
            "epochs": sum(trial.epochs for trial in ledger.all),
            "epochs_without_scheduler": sum(
                self.spec.trainer.max_epochs if trial.status == "stopped" else trial.epochs for trial in ledger.all
            ),
            "wall_seconds": round(ledger.seconds, 3),
            "trial_seconds": round(trained, 3),
            "parallelism": round(trained / ledger.seconds, 2),
            "how": how,
            "versions": provenance.versions(PACKAGES),
            "git": provenance.git_state(Path(__file__).parent),
            "host": provenance.host(),
            "run_key": self.runs.sweep.run.key,
            "journal": str(self.runs.folder),
            "command": shlex.join(["python", "-m", "snaketorch", *by_hand(sys.argv[1:])]),
        }

    def _schedule(self, best: Trial) -> dict[str, Any]:
        """Of a population: all the values that led to the best weights, for those of `best` are only the last."""
        return {"schedule": schedule_of(best, self.ledger.trials)} if self.options.mutable else {}

    def publish(self, files: SweepFiles, record: dict[str, Any], best: Trial) -> None:
        """Writes the outputs, and keeps them with the sweep's run."""
        trials, options = self.ledger.all, self.options
        write_trials(files.trials, trials, options.mode)
        write_curves(files.curves, trials)
        with whole_folder(files.figures) as temporary:
            draw_figures(temporary, trials, self.space, options.metric, options.mode)
        write_json(files.sweep, record)
        write_best(files.best, self.spec.experiment, options.metric, options.mode, best, self.space)
        for path in (files.trials, files.curves, files.sweep, files.best, files.figures):
            self.runs.sweep.add_artifact(path)
        value = best.best(options.mode)[1]
        log.info("Best: %s %.4g of trial %d, %s", options.metric, value, best.number, values_in_words(best))
        if best.changes:
            log.warning(
                "The values of trial %d changed while it trained, and a training with its last ones alone is another: "
                "`schedule` in %s has all of them",
                *(best.number, files.sweep),
            )
        for path in record["at_edge"]:
            log.warning("%s is at the edge of its range: a better value may lie beyond", path)

    def _own_run(self, dataset: journals.UsedDataset) -> tuple[Path, journals.Run]:
        spec, digest = self.spec, self.identity.digest
        run = journals.Run(
            key=f"{spec.experiment}/sweep/{digest}",
            name=f"{spec.experiment}-sweep",
            params=journals.flatten(spec.model_dump(mode="json")),
            tags={
                "snaketorch.experiment": spec.experiment,
                "snaketorch.kind": "sweep",
                "snaketorch.sweep_digest": digest,
                "snaketorch.code_digest": self.context.code,
            },
            datasets=[dataset],
        )
        return journals.ROOT / spec.experiment / f"sweep-{digest}", run


def _best_of(ledger: Ledger, spec: TuneSpec) -> Trial:
    best = winner(ledger.all, spec.tune.mode)
    if best is None:
        failed, budget = [trial for trial in ledger.over if trial.error], spec.tune.time_budget_s
        why = f"; the last one, trial {failed[-1].number}, failed: {failed[-1].error}" if failed else ""
        if budget is not None and ledger.seconds >= budget and not failed:
            why = f" before tune.time_budget_s: {budget:g} was over; allowed: a longer time, with which it goes on"
        raise UserError(f"no trial of the sweep came to a finite {spec.tune.metric}{why}")
    return best
