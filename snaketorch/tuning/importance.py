"""Which key of a sweep mattered: permutation importance of a random forest (Breiman, 2001).

The forest learns to tell the rank of a trial from its values. A key matters as much as the forest's
answers for trials that it was not fitted to get worse when the values of that key are shuffled among them.
Unlike a share of the variance in the forest itself, this is near 0 for a key that does nothing, and near 1
for one that alone decides (a total effect, as by Jansen, 1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snaketorch.config.space import Space
from snaketorch.tuning.trial import Trial

FEWEST = 12
FEWEST_FOR_A_KEY = 4
FOLDS = 5
TREES = 100
SHUFFLES = 5
MUST_TELL = 0.1
"""Share of the differences that the forest must tell before its keys are compared."""


@dataclass(frozen=True)
class Importance:
    """What matters, as shares of the differences between the ranks of the trials."""

    keys: dict[str, tuple[float, float]]
    """What the forest cannot tell without the key, and the standard deviation over shuffles."""
    explained: float
    """What it tells with all keys."""
    trials: int


def importance_of(trials: Sequence[Trial], space: Space, mode: str) -> Importance | str:
    """The importance of each key; in words why there is none, where that is so.

    Args:
        trials: Those that came to a result; one that was stopped counts with the best that it came to.
        space: What was tuned. A key that a trial does not use stands in the middle of its range there.
        mode: Of the metric.
    """
    keys = [path for path in space.domains if len({repr(trial.values.get(path)) for trial in trials}) > 1]
    if not keys:
        return "No key had more than one value in the trials that came to a result."
    needed = max(FEWEST, FEWEST_FOR_A_KEY * len(keys))
    if len(trials) < needed:
        count = f"{len(trials)} trials with a result"
        return f"{count} are too few to tell which of {len(keys)} keys matters; from {needed} on they are compared."
    values = np.column_stack([_column(trials, space, path) for path in keys])
    ranks = _ranks(np.array([trial.best(mode)[1] for trial in trials]))
    if np.ptp(ranks) == 0:
        return "All trials came to the same result: no key made a difference."
    error, shuffled = _errors(values, ranks)
    variance = float(np.var(ranks))
    explained = float(1 - error / variance)
    if explained < MUST_TELL:
        return (
            f"From the values of the keys alone a random forest tells {max(0.0, explained):.0%} of the differences "
            f"between {len(trials)} trials: too little to say which key matters."
        )
    # (keys, shuffles); half of it, as two trials drawn apart differ by twice the variance
    lost = (shuffled - error) / (2 * variance)
    means, spreads = lost.mean(axis=1), lost.std(axis=1)
    found = {key: (float(mean), float(spread)) for key, mean, spread in zip(keys, means, spreads, strict=True)}
    return Importance(found, explained, len(trials))


def _errors(values: np.ndarray, ranks: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean squared error for trials that were held out: with all keys, and with each shuffled, (keys, shuffles)."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    chance = np.random.default_rng(0)
    count, keys = values.shape
    error, shuffled = 0.0, np.zeros((keys, SHUFFLES))
    for fitted, held in KFold(FOLDS, shuffle=True, random_state=0).split(values):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0).fit(values[fitted], ranks[fitted])
        # all shuffles in one question, which takes a forest hardly longer
        questions = np.tile(values[held], (1 + keys * SHUFFLES, 1, 1))
        for key in range(keys):
            for shuffle in range(SHUFFLES):
                questions[1 + key * SHUFFLES + shuffle, :, key] = values[chance.permutation(count)[: len(held)], key]
        answers = forest.predict(questions.reshape(-1, keys)).reshape(len(questions), len(held))
        squares = ((answers - ranks[held]) ** 2).sum(axis=1)
        error += squares[0]
        shuffled += squares[1:].reshape(keys, SHUFFLES)
    return error / count, shuffled / count


def _column(trials: Sequence[Trial], space: Space, path: str) -> np.ndarray:
    """The values of a key as numbers that a forest can split: options by their place in the list."""
    domain = space.domains[path]
    used = [trial.values[path] for trial in trials if path in trial.values]
    if domain.options is not None:
        places = [*domain.options, *(value for value in used if value not in domain.options)]
        numbers = [float(places.index(trial.values[path])) if path in trial.values else np.nan for trial in trials]
    else:
        numbers = [float(trial.values.get(path, np.nan)) for trial in trials]
    column = np.array(numbers)
    return np.where(np.isnan(column), np.nanmedian(column), column)


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 0 to 1, equal values the same: a trial that diverged weighs as much as any."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - (counts + 1) / 2)[where]) / max(1, len(values) - 1)
