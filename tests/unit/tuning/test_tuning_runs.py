"""A sweep in MLflow: the best so far is that of all attempts."""

from contextlib import closing

from sweep_parts import train

from snaketorch.journal import Run, read_metrics
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.runs import SweepRuns


def test_the_best_so_far_is_that_of_all_attempts_and_of_no_trial_that_failed(tmp_path):
    run = Run(key="sweep", name="sweep", tags={"snaketorch.experiment": "cnn"})
    attempts = [[(0.5, "finished"), (0.9, "failed"), (0.7, "stopped")], [(0.6, "finished"), (0.8, "finished")]]
    for number, outcomes in enumerate(attempts):
        with closing(Ledger(tmp_path)) as ledger:
            runs = SweepRuns(tmp_path / "journal", run, "val/accuracy", "max", ledger.all)
            for value, status in outcomes:
                trial = ledger.propose({"optimizer.lr": value}, "searched")
                train(ledger, trial, value, status=status)
                runs.end(trial)
            runs.finish("KILLED" if number == 0 else "FINISHED")

    told = read_metrics(tmp_path / "journal")
    assert {one["name"] for one in told} == {"best/val/accuracy"}
    assert [(one["step"], one["value"]) for one in told] == [(0, 0.5), (2, 0.7), (3, 0.7), (4, 0.8)]
