"""A sweep's parts by hand, without a training."""

from snaketorch.config.space import Space
from snaketorch.config.tune import Sweep
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.trial import Trial

SPACE = {"optimizer.lr": {"loguniform": [1e-4, 1e-1]}, "model.hidden": {"choice": [[16], [64]]}}
DOCUMENT = {"optimizer": {"kind": "sgd", "lr": 0.1}, "model": {"kind": "mlp", "hidden": [8]}}


def sweep_of(kind="random", space=SPACE, **keys) -> Sweep:
    search = {"kind": kind} if kind == "grid" else {"kind": kind, "seed": 3}
    given = {"metric": "val/accuracy", "mode": "max", "num_samples": 6, "search_alg": search, "space": space}
    return Sweep.model_validate({**given, **keys})


def space_of(sweep: Sweep) -> Space:
    return Space(sweep.space, DOCUMENT)


def train(ledger: Ledger, trial: Trial, *values: float, status="finished", error=None) -> None:
    """What a trial of so many epochs leaves in the ledger; without ``status`` it is not done."""
    ledger.start(trial.number, "n1", "CPU")
    ledger.tell(trial.number, enumerate(values, start=1), seconds=float(len(values)))
    if status:
        ledger.end(trial.number, status, error)
