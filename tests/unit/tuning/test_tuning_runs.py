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


def test_the_values_of_a_population_have_curves(tmp_path):
    run = Run(key="sweep", name="sweep", tags={"snaketorch.experiment": "cnn"})
    with closing(Ledger(tmp_path)) as ledger:
        runs = SweepRuns(tmp_path / "journal", run, "val/accuracy", "max", [])
        for rate in (0.1, 0.2):
            train(ledger, ledger.propose({"optimizer.lr": rate, "augment.pad_crop": 1}, "searched"), 0.5, status=None)
        for epoch, rate, pad in ((1, 0.24, 2), (2, 0.3, 4)):
            values = {"optimizer.lr": rate, "augment.pad_crop": pad}
            ledger.exchange(epoch, [0, 1], {0: (1, values)})
            runs.change(ledger.trials[0])
    told = [(one["name"], one["step"], one["value"]) for one in read_metrics(tmp_path / "journal/trials/0")]
    assert told == [
        ("value/optimizer.lr", 1, 0.24),
        ("value/augment.pad_crop", 1, 2.0),
        ("value/optimizer.lr", 2, 0.3),
        ("value/augment.pad_crop", 2, 4.0),
    ]
