"""Sizes that matrix cores like: multiples of 8, of 64 for a vocabulary; else they pad, or are left idle."""

from collections.abc import Iterator, Mapping
from typing import Any

from snaketorch.config.specs import TrainSpec
from snaketorch.data.tokenizers import load_tokenizer

WIDTHS = ("channels", "hidden", "embedding", "feedforward", "latent")
MULTIPLE = 8
"""Of numbers of 16 bits (https://docs.nvidia.com/deeplearning/performance/dl-performance-matrix-multiplication/)."""
MULTIPLE_OF_WORDS = 64
MANY_WORDS = 1024
"""From here on the few rarest ones are hardly missed."""
LEAST = 16
"""Widths below this gain nothing either way."""


def awkward_sizes(spec: TrainSpec, facts: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Each key whose size is no such multiple, with it and the nearest that is."""
    for name in WIDTHS:
        value = getattr(spec.model, name, None)
        for size in value if isinstance(value, list) else [value]:
            if isinstance(size, int) and size > LEAST and size % MULTIPLE:
                yield f"model.{name}", size, _next(size, MULTIPLE)
    size = spec.data_loader.batch_size
    if size > LEAST and size % MULTIPLE:
        yield "data_loader.batch_size", size, _next(size, MULTIPLE)
    words = load_tokenizer(facts["tokenizer"]).size if spec.task.kind == "language_modelling" else 0
    if words >= MANY_WORDS and words % MULTIPLE_OF_WORDS:
        # fewer can be had of every text
        yield "prepare.tokenizer.vocabulary_size", words, words // MULTIPLE_OF_WORDS * MULTIPLE_OF_WORDS


def _next(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
