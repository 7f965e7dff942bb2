"""The first layer of a network that reads sequences: tokens become vectors."""

from torch import nn

from snaketorch.errors import UserError
from snaketorch.models.shapes import SequenceShape, TokensShape

PADDING, SPECIAL = 0, 2


def token_embedding(shape: TokensShape, size: int) -> nn.Embedding:
    """A learnt vector for each token; padding is a vector of zeros.

    UserError for a vocabulary in which there is nothing but the tokens for padding and for the unknown.
    """
    if shape.vocabulary_size <= SPECIAL:
        raise UserError(
            f"the vocabulary has {shape.vocabulary_size} tokens, of which {SPECIAL} stand for padding and for the "
            "unknown: nothing is known; allowed: text of which prepare.tokenizer knows something"
        )
    return nn.Embedding(shape.vocabulary_size, size, padding_idx=PADDING)


def check_steps(shape: SequenceShape | TokensShape) -> None:
    """UserError where there is nothing to read."""
    if min(shape[:2]) < 1:
        raise UserError(
            f"the samples are sequences of {shape[0]} steps with {shape[1]} values each: there is nothing to read; "
            "allowed: at least one of both"
        )
