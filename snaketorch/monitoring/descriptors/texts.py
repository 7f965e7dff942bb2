"""Texts: how long, how much of them is unknown, and how usual their tokens are."""

from collections.abc import Iterable

import numpy as np

from snaketorch.monitoring.profile import Profile

TOKENS_OF_A_PIECE = 256
"""Running text is looked at in pieces of so many."""


def describe_texts(texts: Iterable[np.ndarray], usual: np.ndarray, unknown: int) -> Profile:
    """Length, share of unknown tokens, and surprise of each text.

    The surprise is the mean of -log2 of how frequent each token was in the training, in bits: the cross-entropy of
    the text under a unigram model. One number a text, for the tokens of a text are not independent samples.

    Args:
        texts: (tokens,) each, prepared.
        usual: (vocabulary,) samples of each token in the training split.
        unknown: The token that stands for all that is not in the vocabulary.
    """
    surprise = -np.log2((usual + 1) / (usual.sum() + len(usual)))
    samples = [np.asarray(text, np.int64) for text in texts]
    return Profile(
        {
            "length": np.array([len(text) for text in samples], np.float64),
            "unknown tokens": np.array([(text == unknown).mean() if len(text) else 0.0 for text in samples]),
            "surprise": np.array([surprise[text].mean() if len(text) else 0.0 for text in samples]),
        }
    )


def describe_running_text(tokens: np.ndarray, usual: np.ndarray, unknown: int) -> Profile:
    """As texts, of the pieces of one stream of tokens, which follow each other and so are alike."""
    pieces = len(tokens) // TOKENS_OF_A_PIECE
    cut = np.asarray(tokens[: pieces * TOKENS_OF_A_PIECE]).reshape(pieces, TOKENS_OF_A_PIECE)
    found = describe_texts(cut, usual, unknown)
    return Profile({name: found.numbers[name] for name in ("unknown tokens", "surprise")}, follow_each_other=True)
