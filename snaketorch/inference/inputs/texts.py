"""Texts, as tokens."""

from abc import abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from snaketorch.data.corpus import pieces
from snaketorch.data.manifest import Manifest
from snaketorch.data.raw.texts import RawCorpus, RawTexts
from snaketorch.data.tokenizers import load_tokenizer
from snaketorch.errors import DataError
from snaketorch.inference.columns import Column
from snaketorch.inference.inputs.base import ROWS, SOURCE, TRUTH, CellInput, Fields, is_missing, truth_of


class _Tokens(CellInput):
    """Column `text`."""

    def __init__(self, task, options, most_pixels):
        super().__init__(task, options, most_pixels)
        self.encoding = load_tokenizer(self.facts["tokenizer"])
        self.columns = [Column("text", "string")]

    def sample(self, cell: Any) -> np.ndarray:
        if is_missing(cell):
            raise DataError("it is missing")
        if not isinstance(cell, str):
            raise DataError(f"it is {type(cell).__name__}; allowed: text")
        try:
            cell.encode()  # a tokenizer may say less clearly what is wrong
            tokens = self.tokens(cell)
        except UnicodeEncodeError:
            raise DataError("it holds half a surrogate pair; allowed: Unicode text") from None
        if not len(tokens):
            raise DataError("the text has no token; allowed: texts that are not empty")
        return tokens

    def joined(self, samples: list[np.ndarray]) -> Fields:
        return {"token": samples}

    @abstractmethod
    def tokens(self, text: str) -> np.ndarray:
        """Of a text, int32."""


class Texts(_Tokens):
    """Each of its own; what is longer than the longest of the training data is cut, as these were."""

    def tokens(self, text: str) -> np.ndarray:
        return self.encoding.encode_batch([text])[0][: self.facts["fields"]["token"]["longest"]]

    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        arrays = manifest.arrays("train")
        first, end = arrays["token_start"][number : number + 2]
        return {"text": self.encoding.decode(arrays["token"][first:end].tolist())}

    def rows_of(self, raw: RawTexts) -> Iterator[pd.DataFrame]:
        texts, done = raw.texts(), 0
        while part := list(islice(texts, ROWS)):
            rows = range(done, done + len(part))
            names = [raw.names[row] for row in rows]
            yield pd.DataFrame({"text": part, SOURCE: names, TRUTH: truth_of(raw, rows)})
            done += len(part)


class Passages(_Tokens):
    """Of running text, of any length."""

    def tokens(self, text: str) -> np.ndarray:
        found = self.encoding.encode_batch(list(pieces([text])))
        return np.concatenate(found) if found else np.empty(0, np.int32)

    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        tokens = manifest.arrays("train")["token"]
        first = min(number, max(0, len(tokens) - self.task.options.window))
        return {"text": self.encoding.decode(tokens[first : first + self.task.options.window].tolist())}

    def rows_of(self, raw: RawCorpus) -> Iterator[pd.DataFrame]:
        position = 0
        for text in pieces(raw.parts()):
            name = f"characters {position} to {position + len(text) - 1}"
            position += len(text)
            if text.strip():
                yield pd.DataFrame({"text": [text], SOURCE: [name]})
