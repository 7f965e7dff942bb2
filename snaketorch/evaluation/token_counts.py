"""Logistic regression on how often each token occurs in a text: what a network that reads order must beat.

Counts are taken by their logarithm, log(1 + n), so that frequent tokens neither rule the penalty nor slow the solver.
How strongly weights are penalised is chosen on the validation split.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from snaketorch.data.manifest import SPLITS

MOST_TEXTS = 20_000
"""To fit on; of more, as many are taken evenly."""
MOST_COUNTED = 20_000
"""Different tokens, or runs of tokens, of each length: the most frequent ones."""
STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Tried of scikit-learn's `C`, from the strongest penalty to the weakest; not beyond the first that does worse."""
ITERATIONS = 500
TOLERANCE = 1e-3  # ten times finer takes twice as long, and changes the log-loss by less than 0.005
ABSENT = -30.0
"""Log-probability of a class that the training split lacks."""


@dataclass(frozen=True)
class Texts:
    """Token numbers of all texts one after the other, and where each begins (N + 1,)."""

    tokens: np.ndarray
    start: np.ndarray

    def __len__(self) -> int:
        return len(self.start) - 1

    def runs(self, length: int, vocabulary_size: int) -> tuple[np.ndarray, np.ndarray]:
        """A number for each run of ``length`` tokens in a text, and the text that it is in."""
        texts = np.repeat(np.arange(len(self)), np.diff(self.start))
        begins = np.flatnonzero(np.arange(len(self.tokens)) + length <= self.start[1:][texts])
        numbers = np.zeros(len(begins), np.int64)
        for place in range(length):
            numbers = numbers * vocabulary_size + self.tokens[begins + place]
        return numbers, texts[begins]

    def every(self, step: int) -> Self:
        """Each ``step``-th text."""
        chosen = [self.tokens[self.start[i] : self.start[i + 1]] for i in range(0, len(self), step)]
        return type(self)(np.concatenate(chosen), np.concatenate([[0], np.cumsum([len(one) for one in chosen])]))


class Scored(NamedTuple):
    """What the model says of the test split."""

    scores: np.ndarray
    """Log-probabilities (N, K) of each class for each text."""
    converged: bool
    """Whether the solver came to its end; more iterations might do better where not."""


def scores_of_counts(
    texts: Mapping[str, Texts], labels: Mapping[str, np.ndarray], classes: int, vocabulary_size: int, longest: int
) -> Scored:
    """Fits to ``train``, chooses by the log-loss on ``val``, predicts ``test``.

    Args:
        texts: By split.
        labels: Classes of the texts, of ``train`` and ``val``.
        classes: How many there are.
        vocabulary_size: Tokens are below it.
        longest: Count runs of 1 to that many tokens; 1 for a bag of tokens.
    """
    step = -(-len(texts["train"]) // MOST_TEXTS)
    texts = {**texts, "train": texts["train"].every(step)}
    label = np.asarray(labels["train"][::step])
    scores = np.full((len(texts["test"]), classes), ABSENT)
    present = np.unique(label)
    if len(present) == 1:
        scores[:, present] = 0
        return Scored(scores, converged=True)
    counts = [_counts(texts, length, vocabulary_size) for length in range(1, longest + 1)]
    of_train, of_val, of_test = (hstack(parts, format="csr").log1p() for parts in zip(*counts, strict=True))
    known = np.isin(labels["val"], present)
    model = LogisticRegression(max_iter=ITERATIONS, tol=TOLERANCE, warm_start=True)
    best, lowest, converged = np.zeros((len(texts["test"]), len(present))), np.inf, False
    for strength in STRENGTHS:
        model.set_params(C=strength)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model.fit(of_train, label)
        loss = 0.0
        if known.any():
            places = np.searchsorted(present, np.asarray(labels["val"])[known])
            loss = -model.predict_log_proba(of_val[known])[np.arange(len(places)), places].mean()
        if loss >= lowest:
            break
        best, lowest = model.predict_log_proba(of_test), loss
        converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    scores[:, present] = best
    return Scored(scores, converged)


def _counts(splits: Mapping[str, Texts], length: int, vocabulary_size: int) -> list[csr_matrix]:
    """How often each run occurs in each text of train, val, test, (texts, runs); runs that train lacks are left out."""
    known, times = np.unique(splits["train"].runs(length, vocabulary_size)[0], return_counts=True)
    known = np.sort(known[np.argsort(-times, kind="stable")[:MOST_COUNTED]])
    matrices = []
    for texts in (splits[name] for name in SPLITS):
        numbers, rows = texts.runs(length, vocabulary_size)
        columns = np.searchsorted(known, numbers).clip(max=max(0, len(known) - 1))
        found = known[columns] == numbers if len(known) else np.zeros(0, bool)
        cells = np.ones(found.sum()), (rows[found], columns[found])
        matrices.append(csr_matrix(cells, shape=(len(texts), len(known))))
    return matrices
