import csv
import json
import tracemalloc
from itertools import chain, pairwise

import numpy as np
import pandas as pd
import pytest

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.chosen_classes import only_classes
from snaketorch.data.files import delimited
from snaketorch.data.sources.text import load
from snaketorch.data.store import Store
from snaketorch.data.texts import prepare_texts
from snaketorch.data.tokenizers import load_tokenizer
from snaketorch.errors import DataError

WORDS = ["red", "green", "blue", "black", "white", "grey", "pink", "brown"]


def some_rows(count=40):
    """Texts of one to eight words and their labels."""
    return [(" ".join(WORDS[: 1 + row % 8]) + f" {row}", "long" if row % 8 > 3 else "short") for row in range(count)]


@pytest.fixture
def spec(tmp_path):
    """A spec for a file of that content: rows, or bytes."""

    def make(content, name="a.csv", test=None, prepare=None, split=None, **options):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            frame = pd.DataFrame(content, columns=["text", "label"])
            {
                ".csv": lambda: frame.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC),
                ".tsv": lambda: frame.to_csv(path, index=False, sep="\t"),
                ".jsonl": lambda: frame.to_json(path, orient="records", lines=True),
                ".parquet": lambda: frame.to_parquet(path),
            }[path.suffix]()
        if test is not None:
            pd.DataFrame(test, columns=["text", "label"]).to_csv(tmp_path / "b.csv", index=False)
            options["test_path"] = str(tmp_path / "b.csv")
        source = {"kind": "text", "path": str(path), "label": "label", **options}
        return PrepareSpec.model_validate(
            {"dataset": "some", "source": source, "split": split or {}, "prepare": prepare or {}}
        )

    return make


@pytest.fixture
def prepared(tmp_path, spec):
    def make(*args, **options):
        one, store = spec(*args, **options), Store(tmp_path, "arrays")
        return prepare_texts(load(one), one, store), store

    return make


def texts_of(store, split) -> list[str]:
    """The texts of a split, from its tokens."""
    encoding = load_tokenizer(json.loads((store.folder / "tokenizer.json").read_text()))
    starts = store.read(split, "token_start")
    tokens = store.read(split, "token")
    assert starts[0] == 0
    assert starts[-1] == len(tokens)
    return [encoding.decode(tokens[a:b]) for a, b in pairwise(starts)]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_every_format_gives_the_same_texts(spec, name):
    rows = [*some_rows(), ('two\nlines, "quoted"\tand é', "long")]
    raw = load(spec(rows, name))
    assert raw.classes == ("long", "short")
    assert [raw.classes[label] for label in raw.labels] == [label for _, label in rows]
    for _ in range(2):
        assert list(raw.texts()) == [text for text, _ in rows]
    assert raw.names[1] == ("row 2" if name == "a.parquet" else "line 2" if name == "a.jsonl" else "line 3")


@pytest.mark.parametrize(("batch", "chunk"), [(3, 4), (1024, 4096)])
def test_splits_hold_the_tokens_of_their_texts(prepared, monkeypatch, batch, chunk):
    monkeypatch.setattr("snaketorch.data.texts.BATCH_TEXTS", batch)
    monkeypatch.setattr(delimited, "CHUNK_ROWS", chunk)
    rows = some_rows()
    found, store = prepared(rows, prepare={"tokenizer": {"kind": "bpe", "vocabulary_size": 300}})
    assert {split: facts["count"] for split, facts in found.splits.items()} == {"train": 28, "val": 4, "test": 8}
    written = {split: texts_of(store, split) for split in ("train", "val", "test")}
    assert sorted(chain.from_iterable(written.values())) == sorted(text for text, _ in rows)
    labels = dict(rows)
    for split, texts in written.items():
        assert [found.classes[label] for label in store.read(split, "label")] == [labels[text] for text in texts]
        assert texts == sorted(texts, key=[text for text, _ in rows].index), "in the order of the file"
        assert found.splits[split]["class_counts"] == np.bincount(store.read(split, "label"), minlength=2).tolist()
    field = found.fields["token"]
    assert (field["dtype"], field["shape"], field["padding"], field["unknown"]) == ("int32", [None], 0, 1)


def test_the_vocabulary_is_of_the_training_split_alone(prepared):
    found, store = prepared(some_rows(100))
    known = set(json.loads((store.folder / "tokenizer.json").read_text())["tokenizer"]["model"]["vocab"])
    # the last word of each text is there once
    train = {text.split()[-1] for text in texts_of(store, "train")}
    assert known == {"[PAD]", "[UNK]", *WORDS, *train}
    assert found.fields["token"]["vocabulary_size"] == len(known)
    facts = found.report.facts["unknown tokens"]
    assert facts["train"] == 0
    assert facts["test"] == pytest.approx((store.read("test", "token") == 1).mean(), abs=1e-6)
    assert facts["test"] > 0


def test_long_texts_are_cut_and_counted(prepared):
    found, store = prepared(some_rows(), prepare={"max_length": 5})
    lengths = np.concatenate([np.diff(store.read(split, "token_start")) for split in ("train", "val", "test")])
    assert lengths.max() == found.fields["token"]["longest"] == 5
    assert found.report.facts["texts cut to 5 tokens"] == sum(len(text.split()) > 5 for text, _ in some_rows())
    assert found.report.facts["tokens of a text"] == {"shortest": 2, "median": 5.5, "longest": 9}


def test_a_file_of_its_own_for_the_test(prepared, spec):
    rows = [("unseen words here", "short"), ("and others", "long")]
    raw = load(spec(some_rows(), test=rows))
    assert {split: found.tolist() for split, found in raw.given.items()} == {"test": [40, 41]}
    assert raw.names[41] == "b.csv, line 3"
    found, store = prepared(some_rows(), test=rows)
    assert found.splits["test"]["count"] == 2
    assert texts_of(store, "test") == ["� � �", "� �"]


BAD = b'text,label\nfine,a\n,a\n"  ",b\ngood,\ncaf\xe9,a\nwell,b\nbetter,b,c\nbest,a\n'


def test_bad_rows_are_named(spec):
    with pytest.raises(DataError) as error:
        load(spec(BAD))
    assert (
        "a.csv: 5 of 8 rows cannot be used: line 3: 'text' is empty; line 4: 'text' is empty; line 5: 'label' is "
        f"missing; line 6: is not UTF-8: byte 0xe9 at position {BAD.index(0xE9)} of the file (Latin-1 or "
        "Windows-1252?); "
        "line 8: has 3 cells, the header has 2. Mend them, or leave them out"
    ) in str(error.value)


def test_bad_rows_can_be_skipped_in_every_reading(spec):
    raw = load(spec(BAD, prepare={"on_bad_sample": "skip", "max_bad_share": 0.7}))
    assert list(raw.texts()) == ["fine", "well", "best"]
    assert raw.labels.tolist() == [0, 1, 0]
    assert list(raw.names) == ["line 2", "line 7", "line 9"]
    assert [bad.sample for bad in raw.skipped] == ["line 3", "line 4", "line 5", "line 6", "line 8"]


def test_texts_that_have_no_token_are_skipped_and_listed(prepared, monkeypatch, spec):
    rows = some_rows(60)
    source = load(spec(rows))
    blank = {3, 17}
    object.__setattr__(source, "texts", lambda: ("" if row in blank else text for row, (text, _) in enumerate(rows)))
    monkeypatch.setattr(f"{__name__}.load", lambda one: source)
    with pytest.raises(DataError, match="line 5: the text has no token"):
        prepared(rows)
    found, store = prepared(rows, prepare={"on_bad_sample": "skip", "max_bad_share": 0.1})
    assert [bad.sample for bad in found.report.skipped] == ["line 5", "line 19"]
    assert sum(facts["count"] for facts in found.splits.values()) == 58
    for split, facts in found.splits.items():
        assert len(store.read(split, "label")) == len(store.read(split, "token_start")) - 1 == facts["count"]


def test_a_text_without_a_token_that_no_split_takes_stops_nothing(prepared, monkeypatch, spec):
    rows = [(text, "short" if row % 2 else "long") for row, (text, _) in enumerate(some_rows(60))]
    rows[7] = ("a text", "other")
    source = load(spec([*rows, ("one more", "other"), ("and one more", "other")]))
    texts = [text for text, _ in rows]
    texts[7] = ""
    object.__setattr__(source, "texts", lambda: iter([*texts, "one more", "and one more"]))
    monkeypatch.setattr(f"{__name__}.load", lambda one: only_classes(source, one.split.classes))
    found, _ = prepared(rows, split={"classes": ["long", "short"]})
    assert sum(facts["count"] for facts in found.splits.values()) == 59
    assert list(found.report.skipped) == []


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (some_rows(), {"text": "txt"}, "source.text: there is no column 'txt' in .*did you mean 'text'"),
        (some_rows(), {"label": "lable"}, "source.label: there is no column 'lable' in .*did you mean 'label'"),
        (b"text,label\n", {}, "there is no row below the header"),
        (b"", {}, "the file is empty"),
        ([("a", "x"), ("b", "x")], {}, "all values of 'label' are 'x'; at least two classes are needed"),
        ([(f"a{row}", f"x{row}") for row in range(9)], {}, "9 different values in 9 rows; a class needs at least 3"),
        (b'{"text": "a", "label": 1}\n{"text": 1\n', {"name": "a.jsonl"}, "line 2: is no JSON"),
        (b'{"text": "a", "label": {"b": 1}}\n', {"name": "a.jsonl"}, "line 1: 'label' is an object, not text"),
        (b"some text", {"name": "a.txt"}, "a.txt holds running text, which has no column 'label'"),
    ],
)
def test_texts_that_cannot_be_used_are_refused(spec, content, options, said):
    with pytest.raises(DataError, match=said):
        load(spec(content, **options))


def test_classes_of_few_rows_are_taken_where_no_split_needs_each(tmp_path, spec):
    rows = [(f"a{row}", f"x{row}") for row in range(9)]
    assert len(load(spec(rows, split={"stratify": False})).classes) == 9
    assert len(load(spec(rows, test=rows)).classes) == 9
    with pytest.raises(DataError, match="a class needs at least 3"):
        load(spec(rows, test=rows, split={"given": False}))


def test_a_column_of_numbers_is_no_text(tmp_path, spec):
    one = spec(some_rows(), "a.parquet")
    pd.DataFrame({"text": [1, 2], "label": ["x", "y"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="column 'text' holds int64; allowed: text"):
        load(one)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_that_changes_between_two_readings_is_noticed(tmp_path, spec, change):
    one = spec(some_rows(40))
    raw = load(one)
    spec(some_rows(40 + change))
    with pytest.raises(DataError, match="not as many as when they were first read"):
        prepare_texts(raw, one, Store(tmp_path, "arrays"))


def test_memory_does_not_grow_with_the_file(prepared, monkeypatch):
    monkeypatch.setattr(delimited, "CHUNK_CHARACTERS", 1 << 16)
    monkeypatch.setattr("snaketorch.data.texts.BATCH_CHARACTERS", 1 << 16)
    rows = [(" ".join(WORDS * 100) + f" {row}", "ab"[row % 2]) for row in range(800)]
    size = sum(len(text) for text, _ in rows)
    prepared(rows[:50])  # so that what is imported and kept once is not counted
    content = ["text,label", *(f"{text},{label}" for text, label in rows), ""]
    encoded = "\n".join(content).encode()
    del rows, content
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        prepared(encoded, prepare={"max_length": 8})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 3e6
    assert peak < size / 3


def test_the_preview_is_drawn(prepared, tmp_path):
    found, _ = prepared(some_rows())
    found.draw(tmp_path / "preview.png")
    assert (tmp_path / "preview.png").read_bytes().startswith(b"\x89PNG")
