"""Labelled texts made ready: split, turned into tokens, counted; never all in memory."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from snaketorch.config.datasets import Tokenizer
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.bad_samples import BadSamples
from snaketorch.data.manifest import SPLITS
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.texts import draw_texts
from snaketorch.data.progress import Progress
from snaketorch.data.quality.report import DataReport
from snaketorch.data.quality.texts import examine_texts
from snaketorch.data.raw.texts import RawTexts
from snaketorch.data.row_names import ChosenNames
from snaketorch.data.split import split_samples
from snaketorch.data.store import Store
from snaketorch.data.tokenizers import PADDING, UNKNOWN, Encoding, fit_tokenizer
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

BATCH_TEXTS = 1024
BATCH_CHARACTERS = 1 << 20
CLASSES_TO_DRAW = 25
TEXTS_TO_DRAW = 4
CHARACTERS_TO_DRAW = 1000


def prepare_texts(raw: RawTexts, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `token` (int32, as many as a text has) and `label` (int64), and the file `tokenizer`.

    The texts are read twice: those of the training split for the vocabulary, then all.

    DataError when a split cannot be made, a text has no token and must not be skipped, or no token is known.
    """
    rows = split_samples(raw.labels, raw.classes, raw.given, spec.split)
    part = np.full(len(raw.labels), -1, np.int8)  # in no split: not of the classes or samples that are kept
    for index, split in enumerate(SPLITS):
        part[rows[split]] = index
    encoding = fit_tokenizer(
        spec.prepare.tokenizer or Tokenizer(), (text for row, text in _read(raw) if part[row] == 0)
    )
    log.info("%d tokens in the vocabulary", encoding.size)
    store.write_json("tokenizer", encoding.as_json())
    work = _Work(raw, spec, encoding, part)
    work.write(store)
    kept = {split: members[work.good[members]] for split, members in rows.items()}
    counts = {split: np.bincount(raw.labels[members], minlength=len(raw.classes)) for split, members in kept.items()}
    work.bad.finish(sum(counts.values()), raw.classes)
    for split, members in kept.items():
        store.write(split, "label", raw.labels[members])
    names = {split: ChosenNames(raw.names, members) for split, members in kept.items()}
    return Prepared(
        fields={
            "token": {
                "dtype": "int32",
                "shape": [None],
                "longest": min(int(work.lengths[work.good].max()), spec.prepare.max_length),
                "vocabulary_size": encoding.size,
                "padding": PADDING,
                "unknown": UNKNOWN,
            },
            "label": {"dtype": "int64", "shape": []},
        },
        splits={
            split: {"count": len(members), "class_counts": counts[split].tolist()} for split, members in kept.items()
        },
        classes=raw.classes,
        draw=partial(
            draw_texts,
            title=spec.dataset,
            texts=[text for texts in work.examples.values() for text in texts],
            labels=np.array([label for label, texts in work.examples.items() for _ in texts], np.int64),
            classes=raw.classes,
            counts={split: found.tolist() for split, found in counts.items()},
            lengths=np.minimum(work.lengths[kept["train"]], spec.prepare.max_length),
        ),
        report=DataReport(
            findings=[*raw.findings, *examine_texts(store, names, raw.classes)],
            facts={**raw.facts, **work.facts(kept)},
            skipped=[*raw.skipped, *work.bad.skipped],
        ),
    )


class _Work:
    """The second reading: texts to tokens, split by split, and what is seen on the way."""

    def __init__(self, raw: RawTexts, spec: PrepareSpec, encoding: Encoding, part: np.ndarray):
        self._raw, self._encoding, self._part = raw, encoding, part
        self._most = spec.prepare.max_length
        self.bad = BadSamples(spec.prepare, len(part))
        self.good = np.ones(len(part), bool)
        self.lengths = np.zeros(len(part), np.int64)
        """Tokens of each text before it is cut."""
        self.examples: dict[int, list[str]] = {label: [] for label in range(len(raw.classes))[:CLASSES_TO_DRAW]}
        self._unknown = dict.fromkeys(SPLITS, 0)

    def write(self, store: Store) -> None:
        """Fields `token` and `token_start`."""
        starts = {split: [np.zeros(1, np.int64)] for split in SPLITS}
        progress = Progress(log, "encoded", "texts", len(self._part))
        with ExitStack() as stack:
            tokens = {split: stack.enter_context(store.rows(split, "token", np.int32, ())) for split in SPLITS}
            for batch in _batches(_read(self._raw)):
                rows = np.array([row for row, _ in batch])
                found = self._encoding.encode_batch([text for _, text in batch])
                self._take(rows, [text for _, text in batch], found)
                for index, split in enumerate(SPLITS):
                    chosen = np.flatnonzero((self._part[rows] == index) & self.good[rows])
                    if chosen.size:
                        cut = [found[which][: self._most] for which in chosen]
                        tokens[split].append(np.concatenate(cut))
                        self._unknown[split] += sum(int((one == UNKNOWN).sum()) for one in cut)
                        starts[split].append(starts[split][-1][-1:] + np.cumsum([len(one) for one in cut]))
                progress.add(len(batch))
        for split in SPLITS:
            store.write(split, "token_start", np.concatenate(starts[split]))

    def _take(self, rows: np.ndarray, texts: Sequence[str], found: Sequence[np.ndarray]) -> None:
        for row, text, tokens in zip(rows.tolist(), texts, found, strict=True):
            self.lengths[row] = len(tokens)
            if not len(tokens):
                self.good[row] = False
                if self._part[row] >= 0:
                    self.bad.add(self._raw.names[row], "the text has no token; allowed: texts that are not empty")
            elif self._part[row] == 0:
                examples = self.examples.get(int(self._raw.labels[row]))
                if examples is not None and len(examples) < TEXTS_TO_DRAW:
                    examples.append(text[:CHARACTERS_TO_DRAW])

    def facts(self, kept: Mapping[str, np.ndarray]) -> dict[str, Any]:
        lengths = self.lengths[self.good]
        totals = {split: int(np.minimum(self.lengths[rows], self._most).sum()) for split, rows in kept.items()}
        return {
            **self._encoding.facts(),
            "tokens of a text": {
                "shortest": int(lengths.min()),
                "median": float(np.median(lengths)),
                "longest": int(lengths.max()),
            },
            f"texts cut to {self._most} tokens": int((lengths > self._most).sum()),
            "unknown tokens": {split: round(self._unknown[split] / max(1, totals[split]), 6) for split in SPLITS},
        }


def _batches(texts: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Texts in lists of bounded size."""
    batch, size = [], 0
    for row, text in texts:
        batch.append((row, text))
        size += len(text)
        if len(batch) == BATCH_TEXTS or size > BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read(raw: RawTexts) -> Iterator[tuple[int, str]]:
    """All texts with their row. DataError when they are not as many as they were."""
    texts, count = raw.texts(), len(raw.labels)
    found = -1
    for found, text in enumerate(islice(texts, count)):
        yield found, text
    if found + 1 < count or next(texts, None) is not None:
        raise DataError("the texts are not as many as when they were first read; they must not change meanwhile")
