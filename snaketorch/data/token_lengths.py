"""How many characters of text each token stands for."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from snaketorch.data.tokenizers import UNKNOWN

CONTINUES = range(0x80, 0xC0)
"""Bytes of UTF-8 that are not the first of a character."""


def characters_of(entry: Mapping[str, Any]) -> np.ndarray:
    """Characters (V,), float32, that each token of a saved tokenizer stands for; their sum over a text is exact.

    A part of a word counts the characters that begin in it. White space between words is in no token, so
    it counts nowhere where tokens are words. What is unknown counts as one character, padding as none.
    """
    vocabulary = entry["tokenizer"]["model"]["vocab"]
    characters = np.zeros(len(vocabulary), np.float32)
    begins = _byte_signs_that_begin() if entry["kind"] == "bpe" else None
    for text, token in vocabulary.items():
        characters[token] = len(text) if begins is None else sum(sign in begins for sign in text)
    characters[: UNKNOWN + 1] = 0, 1
    return characters


def _byte_signs_that_begin() -> set[str]:
    """The signs by which byte-level encoding shows the bytes that begin a character.

    Bytes that are printable in Latin-1 are shown as themselves, the others in their order from U+0100 on.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(0x100) if byte not in printable]
    signs = {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + i) for i, byte in enumerate(others)}
    return {sign for byte, sign in signs.items() if byte not in CONTINUES}
