"""Running text, prepared, for tests of language models."""

import random
from pathlib import Path

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.prepare import prepare


def rhyme(words: int = 1500) -> str:
    """Text that a model can learn: each word tells which two may follow."""
    draw, word, text = random.Random(0), "a", []
    follow = {"a": ["cat", "dog"], "cat": ["sat", "ran"], "dog": ["sat", "ran"], "sat": ["on"], "ran": ["by", "on"]}
    follow |= {"on": ["a"], "by": ["a", "night.\n"], "night.\n": ["a"]}
    for _ in range(words):
        text.append(word)
        word = draw.choice(follow[word])
    return " ".join(text).replace("\n ", "\n") + "\n"


def prepare_text(folder: Path, text: str, **tokenizer: object) -> Path:
    """The manifest of ``text`` as a dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text(text)
    spec = {
        "dataset": "rhyme",
        "source": {"kind": "text", "path": str(folder / "text.txt")},
        "split": {"val": 0.1, "test": 0.2},
        "prepare": {"tokenizer": {"kind": "character", **tokenizer}},
    }
    manifest = folder / "manifest.json"
    prepare(PrepareSpec.model_validate(spec), manifest, folder / "preview.png", folder / "arrays", "", "none")
    return manifest
