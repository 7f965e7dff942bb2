from collections import defaultdict

import numpy as np
import pytest

from snaketorch.config.datasets import Prepare, Split
from snaketorch.config.sources import BabelSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources import babel
from snaketorch.errors import DataError


def load(*languages):
    source = BabelSource(kind="babel", name="names", **({"languages": list(languages)} if languages else {}))
    return babel.load(PrepareSpec(dataset="names", source=source, split=Split(), prepare=Prepare()))


@pytest.fixture(scope="module")
def names():
    return load()


def test_every_language_has_hundreds_of_names_that_only_it_has(names):
    texts = list(names.texts())
    assert texts == list(names.texts()), "they can be read again"
    assert len(texts) == len(set(texts)) == len(names.labels)
    assert np.bincount(names.labels).min() > 500
    assert "frankreich" in texts
    assert "zulu" not in texts, "which is a word of many languages"
    assert not [text for text in texts if any(map(str.isdigit, text))]


def test_what_is_named_in_the_test_is_named_in_no_language_of_the_training(names):
    split_of = {row: split for split, rows in names.given.items() for row in rows.tolist()}
    assert sorted(split_of) == list(range(len(names.labels)))
    found = defaultdict(set)
    for row, name in enumerate(names.names):
        _, kind, code = name.split()
        what = f"place {code[:2]}" if kind in ("territories", "currencies") else f"{kind} {code.split('_')[0]}"
        found[what].add(split_of[row])
    assert {len(splits) for splits in found.values()} == {1}
    assert {split: round(len(rows) / len(names.labels), 1) for split, rows in names.given.items()} == {
        "train": 0.8,
        "val": 0.1,
        "test": 0.1,
    }


def test_what_is_left_out_is_counted(names):
    every, *left_out = names.facts.values()
    assert every - sum(left_out) == len(names.labels)
    assert min(left_out) > 0


def test_classes_are_the_languages_that_are_asked_for():
    names = load("en", "fr")
    assert names.classes == ("en", "fr")
    assert dict(zip(names.texts(), names.labels.tolist(), strict=True))["germany"] == 0


@pytest.mark.parametrize("language", ["xx", "not a language", "en_XX_YY_ZZ"])
def test_a_language_that_babel_does_not_know_is_named(language):
    with pytest.raises(DataError, match=f"no language '{language}'"):
        load("en", language)
