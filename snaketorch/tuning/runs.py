"""A sweep in MLflow: a run for the sweep, and a child of it for each trial."""

from pathlib import Path

from snaketorch.journal import Journal, Run, Status, flatten
from snaketorch.tuning.trial import GOOD, Trial, winner

OF_STATUS: dict[str, Status] = {"finished": "FINISHED", "stopped": "FINISHED", "failed": "FAILED"}


class SweepRuns:
    """The journals of a sweep and of its trials, written by the process that holds the sweep."""

    def __init__(self, folder: Path, run: Run, metric: str, mode: str, known: list[Trial]):
        """``run`` is that of the sweep; ``known`` are the trials of its earlier attempts."""
        self.folder, self.metric, self.mode = folder, metric, mode
        self.sweep = Journal(folder, run)
        self.trials: dict[int, Journal] = {}
        self.told: dict[int, int] = {}
        best = winner([trial for trial in known if trial.is_over], mode)
        self.best = best and best.best(mode)[1]

    def start(self, trial: Trial) -> None:
        """An attempt at a trial begins."""
        journal = self._journal(trial)
        journal.tag(**{"snaketorch.node": trial.node, "snaketorch.device": trial.device})

    def tell(self, trial: Trial) -> None:
        """There may be new points in a trial's curve."""
        journal = self._journal(trial)
        for epoch, value in trial.curve[self.told.get(trial.number, 0) :]:
            if value is not None:
                journal.log_metrics({self.metric: value}, epoch)
        self.told[trial.number] = len(trial.curve)

    def change(self, trial: Trial) -> None:
        """A trial of a population goes on with other values; numbers among them have a curve of their own."""
        change = trial.changes[-1]
        numbers = {
            f"value/{path}": float(value)
            for path, value in trial.values.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        journal = self._journal(trial)
        journal.log_metrics(numbers, change.epoch)
        journal.tag(**{"snaketorch.took_over": f"trial {change.donor} after epoch {change.epoch}"})

    def end(self, trial: Trial) -> None:
        """A trial is done: in the sweep's own run, the best so far over the trials."""
        journal = self._journal(trial)
        if best := trial.best(self.mode):
            journal.log_metrics({f"best/{self.metric}": best[1]}, trial.epochs)
            if trial.status in GOOD:
                self._note_best(best[1], trial.number)
        more = {"snaketorch.error": trial.error} if trial.error else {}
        journal.tag(**{"snaketorch.trial_status": trial.status}, **more)
        journal.finish(OF_STATUS.get(trial.status, "FAILED"))

    def finish(self, status: Status) -> None:
        """The sweep ends, or this attempt at it."""
        self.sweep.finish(status)

    def _note_best(self, value: float, step: int) -> None:
        better = self.best is None or (value > self.best if self.mode == "max" else value < self.best)
        self.best = value if better else self.best
        self.sweep.log_metrics({f"best/{self.metric}": self.best}, step)

    def _journal(self, trial: Trial) -> Journal:
        if trial.number not in self.trials:
            own = self.sweep.run
            run = Run(
                key=f"{own.key}/trial-{trial.number}",
                name=f"{own.name}-trial-{trial.number}",
                parent=own.key,
                parent_name=own.name,
                params=flatten(trial.first_values),
                datasets=own.datasets,
                tags={
                    "snaketorch.experiment": own.tags["snaketorch.experiment"],
                    "snaketorch.kind": "trial",
                    "snaketorch.trial": str(trial.number),
                    "snaketorch.origin": trial.origin,
                },
            )
            self.trials[trial.number] = Journal(self.folder / "trials" / str(trial.number), run)
        return self.trials[trial.number]
