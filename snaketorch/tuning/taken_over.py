"""Trials that an earlier sweep of the same trainings has done count in a new one, where its space has their values."""

import logging
from pathlib import Path

from snaketorch.config.space import Space
from snaketorch.tuning.identity import SweepIdentity
from snaketorch.tuning.ledger import Known, Ledger
from snaketorch.tuning.trial import GOOD

log = logging.getLogger(__name__)


def take_over(identity: SweepIdentity, root: Path, space: Space, ledger: Ledger) -> None:
    """Adds the trials of earlier sweeps that still fit to a new ledger.

    Args:
        identity: Of the new sweep.
        root: The folder of all sweeps of the experiment.
        space: The new one.
        ledger: The new one.
    """
    for folder in identity.relatives(root):  # what a population changed in mid-training is no trial of its values
        taken = 0
        for trial in Known(folder).all:
            known = {other.key for other in ledger.all}
            if trial.status in GOOD and not trial.changes and trial.key not in known and space.holds(trial.values):
                own = ledger.propose(trial.values, f"taken over from sweep {folder.name}, trial {trial.number}")
                ledger.start(own.number, trial.node, trial.device)
                ledger.tell(own.number, trial.curve, trial.seconds)
                ledger.end(own.number, trial.status)
                taken += 1
        if taken:
            log.info("%d trials of an earlier sweep have values of this space, and count as the first", taken)
