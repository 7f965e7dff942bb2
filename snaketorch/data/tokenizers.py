"""How text becomes token numbers and back: fitted on training text, saved with the dataset, loaded with a model.

Token 0 is padding and token 1 stands for everything unknown. A saved tokenizer holds the JSON of
Hugging Face's `tokenizers`, so it can be used without this package.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Library

from snaketorch.config.datasets import Tokenizer
from snaketorch.errors import DataError

PADDING, UNKNOWN = 0, 1
SPECIAL = ("[PAD]", "[UNK]")
SHOWN_FOR_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class Encoding(Protocol):
    """Text to tokens and back."""

    size: int
    """Tokens in the vocabulary, padding and unknown included; a token is a number below it."""

    def encode(self, text: str) -> list[int]: ...

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The tokens (int32) of each text."""
        ...

    def decode(self, tokens: Iterable[int]) -> str:
        """Text of tokens, without padding.

        It is what was encoded, but for unknown tokens, for capitals if all letters were made small, and
        for white space if tokens are words: these come out with one space between them.
        """
        ...

    def as_json(self) -> dict[str, Any]:
        """What ``load_tokenizer`` takes."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the data report says of it."""
        ...


def fit_tokenizer(options: Tokenizer, texts: Iterable[str]) -> Encoding:
    """The tokenizer that ``options`` ask for, with the vocabulary of ``texts``; the same for the same texts.

    DataError when no token is left to know.
    """
    library = Library(models.BPE() if options.kind == "bpe" else models.WordLevel(unk_token=SPECIAL[UNKNOWN]))
    if options.lowercase:
        library.normalizer = normalizers.Lowercase()
    if options.kind == "character":
        library.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        library.decoder = decoders.Fuse()
        library.model = models.WordLevel(_count_characters(library, options, texts), SPECIAL[UNKNOWN])
    elif options.kind == "word":
        # words are runs of letters, marks, digits and underscores; every other sign is a token of its own
        library.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), "removed", invert=True)
        trainer = trainers.WordLevelTrainer(
            vocab_size=options.vocabulary_size,
            min_frequency=options.min_count,
            special_tokens=list(SPECIAL),
            show_progress=False,
        )
        library.train_from_iterator(texts, trainer)
    else:
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=options.vocabulary_size,
            min_frequency=options.min_count,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        library.train_from_iterator(texts, trainer)
    content = json.loads(library.to_str())
    # else `[PAD]` in a text would be taken for padding
    content["added_tokens"] = []
    encoding = load_tokenizer({"kind": options.kind, "tokenizer": content})
    if encoding.size <= len(SPECIAL):
        raise DataError(
            f"no {options.kind} occurs prepare.tokenizer.min_count ({options.min_count}) times in the training "
            "split; allowed: a lower one"
        )
    return encoding


def load_tokenizer(entry: Mapping[str, Any]) -> Encoding:
    """The tokenizer that was saved: the file `tokenizer` of a manifest, the entry `tokenizer` of a model's facts."""
    make = _Characters if entry["kind"] == "character" else _Pieces
    return make(entry["kind"], entry["tokenizer"])


class _Pieces:
    """Words, or parts of words."""

    def __init__(self, kind: str, content: Mapping[str, Any]):
        self._kind, self._content = kind, content
        self._library = Library.from_str(json.dumps(content))
        self.size = self._library.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        return self._library.encode(text).ids

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [np.array(found.ids, np.int32) for found in self._library.encode_batch_fast(list(texts))]

    def decode(self, tokens: Iterable[int]) -> str:
        shown, run = [], []
        for token in [*tokens, PADDING]:
            if token > UNKNOWN:
                run.append(int(token))
                continue
            if run:
                shown.append(self._library.decode(run))
                run = []
            if token == UNKNOWN:
                shown.append(SHOWN_FOR_UNKNOWN)
        return (" " if self._kind == "word" else "").join(shown)

    def as_json(self) -> dict[str, Any]:
        return {"kind": self._kind, "tokenizer": dict(self._content)}

    def facts(self) -> dict[str, Any]:
        return {"tokens are": "words" if self._kind == "word" else "parts of words", "vocabulary": self.size}


class _Characters:
    """Unicode code points, looked up in a table: hundreds of times faster than as pieces of text."""

    def __init__(self, kind: str, content: Mapping[str, Any]):
        self._kind, self._content = kind, content
        vocabulary = content["model"]["vocab"]
        self.size = len(vocabulary)
        self._normalizer = Library.from_str(json.dumps(content)).normalizer
        self._characters = [""] * self.size
        self._tokens = np.full(0x110000, UNKNOWN, np.int32)
        for character, token in vocabulary.items():
            if token > UNKNOWN:
                self._characters[token] = character
                self._tokens[ord(character)] = token
        self._characters[UNKNOWN] = SHOWN_FOR_UNKNOWN

    def encode(self, text: str) -> list[int]:
        return self.encode_batch([text])[0].tolist()

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [self._tokens[_code_points(self._normalizer, text)] for text in texts]

    def decode(self, tokens: Iterable[int]) -> str:
        return "".join(self._characters[token] for token in tokens)

    def as_json(self) -> dict[str, Any]:
        return {"kind": self._kind, "tokenizer": dict(self._content)}

    def facts(self) -> dict[str, Any]:
        return {"tokens are": "characters", "vocabulary": self.size}


def _count_characters(library: Library, options: Tokenizer, texts: Iterable[str]) -> dict[str, int]:
    counts = np.zeros(0x110000, np.int64)
    for text in texts:
        found, times = np.unique(_code_points(library.normalizer, text), return_counts=True)
        counts[found] += times
    known = np.flatnonzero(counts >= options.min_count)
    # the most frequent first; of equally frequent ones in the order of Unicode
    known = known[np.argsort(-counts[known], kind="stable")][: options.vocabulary_size - len(SPECIAL)]
    return {token: number for number, token in enumerate([*SPECIAL, *(chr(point) for point in known)])}


def _code_points(normalizer: normalizers.Normalizer | None, text: str) -> np.ndarray:
    if normalizer is not None:
        # the library's, which looks at one character at a time, and not Python's, which looks around a sigma
        text = normalizer.normalize_str(text)
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)
