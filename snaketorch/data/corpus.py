"""Running text made ready: cut in its order, turned into tokens; never all in memory."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from itertools import accumulate

import numpy as np

from snaketorch.config.datasets import Split, Tokenizer
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.manifest import SPLITS
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.corpus import draw_corpus
from snaketorch.data.progress import Progress
from snaketorch.data.quality.report import DataReport
from snaketorch.data.quality.texts import examine_corpus
from snaketorch.data.raw.texts import RawCorpus
from snaketorch.data.split import allocate
from snaketorch.data.store import Store
from snaketorch.data.tokenizers import PADDING, UNKNOWN, Encoding, fit_tokenizer
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

PIECE_CHARACTERS = 1 << 14
PIECES = 64
"""Encoded at once, by as many cores as there are."""
LONGEST_PIECE = 1 << 20
CHARACTERS_TO_DRAW = 4000


def prepare_corpus(raw: RawCorpus, spec: PrepareSpec, store: Store) -> Prepared:
    """Field `token` (int32): one stream a split, in the order of the text, and the file `tokenizer`.

    Train, val and test follow one another in the text, cut at their shares of its characters. The text
    is read twice: the training split for the vocabulary, then all.

    DataError when a split would be empty, or no token is known.
    """
    counts = _allocate(raw.characters, spec.split)
    encoding = fit_tokenizer(spec.prepare.tokenizer or Tokenizer(), pieces(_part(raw, counts, "train")))
    log.info("%d tokens in the vocabulary", encoding.size)
    store.write_json("tokenizer", encoding.as_json())
    progress = Progress(log, "encoded", "characters", raw.characters)
    tokens, unknown = {}, {}
    for split in SPLITS:
        tokens[split], unknown[split] = _write(_part(raw, counts, split), split, encoding, store, progress)
        if not tokens[split]:
            raise DataError(
                f"the text of {split} is white space alone, without a token; change split.val or split.test"
            )
    starts = dict(zip(SPLITS, accumulate(tokens.values(), initial=0), strict=False))
    return Prepared(
        fields={
            "token": {
                "dtype": "int32",
                "shape": [],
                "vocabulary_size": encoding.size,
                "padding": PADDING,
                "unknown": UNKNOWN,
            }
        },
        splits={split: {"count": tokens[split], "start": starts[split]} for split in SPLITS},
        draw=partial(draw_corpus, title=spec.dataset, text=_beginning(raw), counts=tokens),
        report=DataReport(
            findings=[*raw.findings, *examine_corpus(store)],
            facts={
                **encoding.facts(),
                "characters": counts,
                "unknown tokens": {split: round(unknown[split] / tokens[split], 6) for split in SPLITS},
            },
        ),
    )


def _allocate(characters: int, options: Split) -> dict[str, int]:
    val, test = Fraction(str(options.val)), Fraction(str(options.test))
    counts = allocate(characters, {"train": 1 - val - test, "val": val, "test": test})
    empty = [split for split, count in counts.items() if not count]
    if empty:
        raise DataError(
            f"the {empty[0]} split is left without a character; every split needs some: a longer text, or other shares "
            "in `split`"
        )
    return counts


def _part(raw: RawCorpus, counts: Mapping[str, int], split: str) -> Iterator[str]:
    """The text of a split."""
    ends = dict(zip(SPLITS, accumulate(counts[name] for name in SPLITS), strict=True))
    end, start, position = ends[split], ends[split] - counts[split], 0
    for part in raw.parts():
        if position >= end and end < raw.characters:
            return
        text = part[max(0, start - position) : end - position]
        if text:
            yield text
        position += len(part)
        if position > raw.characters:
            raise DataError("the text is longer than when it was first read; it must not change meanwhile")
    if position < end:
        raise DataError("the text is shorter than when it was first read; it must not change meanwhile")


def pieces(parts: Iterable[str]) -> Iterator[str]:
    """A text cut anew: at white space after a word, where neither words nor byte pairs go on.

    So its tokens depend only on the text, not on the ``parts`` in which it comes. A text without white
    space is cut all the same, after ``LONGEST_PIECE`` characters.
    """
    waiting = ""
    for part in parts:
        waiting += part
        start = 0
        while len(waiting) - start > LONGEST_PIECE:
            end = _safe_cut(waiting, start + PIECE_CHARACTERS, start + LONGEST_PIECE)
            yield waiting[start:end]
            start = end
        waiting = waiting[start:]
    start = 0
    while start < len(waiting):
        end = _safe_cut(waiting, start + PIECE_CHARACTERS, start + LONGEST_PIECE)
        yield waiting[start:end]
        start = end


def _safe_cut(text: str, first: int, last: int) -> int:
    """The first place from ``first`` on, and ``last`` at the latest, where a space or line end follows something."""
    for place in range(first, min(last, len(text))):
        if text[place] in " \n" and not text[place - 1].isspace():
            return place
    return min(last, len(text))


def _write(parts: Iterable[str], split: str, encoding: Encoding, store: Store, progress: Progress) -> tuple[int, int]:
    """How many tokens a split has, and how many of them are unknown."""
    count = unknown = 0
    with store.rows(split, "token", np.int32, ()) as rows:
        for batch in _batches(pieces(parts)):
            for tokens in encoding.encode_batch(batch):
                rows.append(tokens)
                count += len(tokens)
                unknown += int((tokens == UNKNOWN).sum())
            progress.add(sum(map(len, batch)))
    return count, unknown


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == PIECES:
            yield batch
            batch = []
    if batch:
        yield batch


def _beginning(raw: RawCorpus) -> str:
    return next(part for part in raw.parts() if part)[:CHARACTERS_TO_DRAW]
