"""The test of a language model, beside models that only count, on the same tokens by the same measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import torch
from matplotlib.figure import Figure

from snaketorch.data.token_lengths import characters_of
from snaketorch.evaluation.ngrams import Bigram, Unigram
from snaketorch.evaluation.outcome import Case, Outcome, Values
from snaketorch.figures.language_modelling import Passage, context_figure, passages_figure
from snaketorch.tasks.language_modelling import measures

MODEL = "model"
PASSAGE_CHARACTERS = 84
LETTERS = 0.6
"""Share of its signs that make a passage readable."""
SEED = 0
"""Of the texts that the tested model writes."""


@dataclass(frozen=True)
class Scored:
    """The test text with the loss of each of its N tokens, in nats."""

    tokens: np.ndarray
    """(N,)"""
    texts: list[str]
    """What each token of the vocabulary stands for, (V,)."""
    between: str
    """What stands between two tokens."""
    characters: np.ndarray
    """How many characters that is, (V,)."""
    losses: Mapping[str, np.ndarray]
    """By model, each (N,)."""
    read: np.ndarray
    """How many tokens the network had read before each (N,)."""

    def measured(self, name: str, metrics: list[str]) -> Values:
        loss = torch.tensor(self.losses[name].mean(dtype=np.float64))
        # perplexity would be infinite for a model that is certain and wrong
        values = measures(loss.clamp(max=700), torch.tensor(self.characters[self.tokens].mean(dtype=np.float64)))
        return {metric: float(values[metric]) for metric in metrics}


def evaluate(case: Case) -> Outcome:
    """Metrics of the network and the counting models, the probability of every token, texts, pictures."""
    bigram, scored = _score(case)
    overall = {name: scored.measured(name, case.metrics) for name in scored.losses}
    by_context = _bits_by_context(case.predictions["loss"])
    return Outcome(
        metrics=overall.pop(MODEL),
        baselines=overall,
        details={
            "tokens": len(scored.tokens),
            "characters": int(scored.characters[scored.tokens].sum(dtype=np.float64)),
            "context": {"fewest": int(scored.read.min()), "most": int(scored.read.max())},
            "bits_per_token_by_context": by_context.tolist(),
            "bigram_strength": bigram.strength,
            "samples": case.task.write(SEED),
        },
        predictions=_table(scored),
        figures=_figures(scored, by_context, case),
    )


def _score(case: Case) -> tuple[Bigram, Scored]:
    manifest, entry = case.manifest, case.task.facts["tokenizer"]
    train, val, test = (manifest.arrays(split)["token"] for split in ("train", "val", "test"))
    field = manifest.fields["token"]
    unigram = Unigram.fit(train, field["vocabulary_size"], field["padding"])
    bigram = Bigram.fit(train, np.concatenate([train[-1:], val]), unigram)
    scored, losses = case.predictions["scored"], case.predictions["loss"]
    counts = np.arange(losses.shape[1]) >= losses.shape[1] - scored[:, None]
    if counts.sum() != len(test):
        raise RuntimeError(f"{counts.sum()} tokens are scored of the {len(test)} of the test text")
    # as the network does, the counting models look back on the text before the test
    stream = np.concatenate([val[-1:], test])
    return bigram, Scored(
        tokens=np.asarray(test),
        texts=[case.task.encoding.decode([token]) for token in range(field["vocabulary_size"])],
        between=" " if entry["kind"] == "word" else "",
        characters=characters_of(entry),
        losses={MODEL: losses[counts], "unigram": unigram.losses(stream), "bigram": bigram.losses(stream)},
        read=np.broadcast_to(np.arange(1, losses.shape[1] + 1), losses.shape)[counts],
    )


def _bits_by_context(losses: np.ndarray) -> np.ndarray:
    """Mean bits of a token after 1, 2, ... tokens of its window (W,), over all windows (N, W)."""
    return losses.mean(0, dtype=np.float64) / np.log(2)


def _table(scored: Scored) -> pa.Table:
    tokens = scored.tokens.astype(np.int32)
    return pa.table(
        {
            "index": np.arange(len(tokens)),
            "token": tokens,
            "text": pa.DictionaryArray.from_arrays(tokens, pa.array(scored.texts)),
            "context": scored.read.astype(np.int32),
            **{
                "probability" if name == MODEL else f"probability_{name}": np.exp(-losses).astype(np.float32)
                for name, losses in scored.losses.items()
            },
        }
    )


def _figures(scored: Scored, by_context: np.ndarray, case: Case) -> dict[str, Figure]:
    bits = {name: float(losses.mean(dtype=np.float64) / np.log(2)) for name, losses in scored.losses.items()}
    figures = {"context": context_figure(by_context, {name: bits[name] for name in bits if name != MODEL})}
    passages = _passages(scored)
    order = np.argsort([passage.mean_bits for passage in passages], kind="stable")
    for name, chosen in (("surprising", order[::-1]), ("certain", order)):
        shown = [passages[index] for index in chosen[: case.examples]]
        figures[name] = passages_figure(shown, f"The {len(shown)} most {name} passages of the test text")
    return figures


def _passages(scored: Scored) -> list[Passage]:
    """The test text cut into passages of about ``PASSAGE_CHARACTERS`` characters.

    Those with few letters, such as rules and tables of numbers, are left out where others are left.
    """
    bits = scored.losses[MODEL] / np.log(2)
    ends = np.cumsum(scored.characters[scored.tokens], dtype=np.float64)
    number = (ends / PASSAGE_CHARACTERS).astype(np.int64)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    passages = [
        Passage([scored.texts[token] + scored.between for token in scored.tokens[start:end]], bits[start:end])
        for start, end in pairwise([*starts, len(bits)])
    ]
    return [passage for passage in passages if passage.letters >= LETTERS] or passages
