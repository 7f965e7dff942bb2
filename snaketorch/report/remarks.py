"""What the tests of an experiment say in words: how to read its numbers, and what is wrong with its model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KINDS = {"warnings": "problem", "notes": "note"}
"""Keys of a test's details, each a list of sentences, and what they are on the page."""


@dataclass(frozen=True)
class Remark:
    """One sentence, with the seeds whose test says it."""

    kind: str
    text: str
    seeds: list[int]


def remarks(details: Mapping[int, dict[str, Any]]) -> list[Remark]:
    """Warnings, then notes, of every seed's ``details``; what several seeds say stands once."""
    found: list[Remark] = []
    for key, kind in KINDS.items():
        said: dict[str, list[int]] = {}
        for seed, own in details.items():
            for text in _sentences(own.get(key)):
                said.setdefault(text, []).append(seed)
        found += [Remark(kind, text, seeds) for text, seeds in said.items()]
    return found


def _sentences(value: Any) -> Sequence[str]:
    return value if isinstance(value, list) and all(isinstance(text, str) for text in value) else ()
