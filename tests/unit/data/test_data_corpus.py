import json
import random

import numpy as np
import pytest

from snaketorch.config.specs import PrepareSpec
from snaketorch.data import corpus
from snaketorch.data.corpus import pieces, prepare_corpus
from snaketorch.data.files import running_text
from snaketorch.data.raw.texts import RawCorpus
from snaketorch.data.sources.text import load
from snaketorch.data.store import Store
from snaketorch.data.tokenizers import load_tokenizer
from snaketorch.errors import DataError

SPLITS = ("train", "val", "test")


def some_text(words=3000) -> str:
    """Words, signs and all sorts of white space."""
    draw = random.Random(0)
    between = [" ", " ", " ", "\n", "  ", " \n\n", "\t", "\u00a0", ", ", ".\n", "...  ", "'s ", " \u2028"]
    parts = ["the", "cat", "été", "x_1", "3.14", "don't", "😀", "日本語", "\x1c", "-"]
    return "".join(draw.choice(parts) + draw.choice(between) for _ in range(words))


@pytest.fixture
def prepared(tmp_path):
    """Prepares a text that comes in parts of the size ``part``."""

    def make(text, part=1000, split=None, **tokenizer):
        raw = RawCorpus(
            parts=lambda: (text[start : start + part] for start in range(0, len(text), part)), characters=len(text)
        )
        source = {"kind": "text", "path": "a.txt"}
        options = {"tokenizer": tokenizer} if tokenizer else {}
        spec = {"dataset": "some", "source": source, "split": split or {}, "prepare": options}
        store = Store(tmp_path, "arrays")
        return prepare_corpus(raw, PrepareSpec.model_validate(spec), store), store

    return make


def text_of(store, split) -> str:
    encoding = load_tokenizer(json.loads((store.folder / "tokenizer.json").read_text()))
    return encoding.decode(store.read(split, "token"))


@pytest.mark.parametrize("kind", ["character", "bpe"])
@pytest.mark.parametrize("part", [7, 1000, 10**6])
def test_splits_follow_one_another_and_lose_nothing(prepared, kind, part):
    text = some_text()
    found, store = prepared(text, part, {"val": 0.25, "test": 0.25}, kind=kind, vocabulary_size=500)
    written = [text_of(store, split) for split in SPLITS]
    assert "".join(written) == text
    assert abs(len(written[0]) - len(text) / 2) <= 1
    assert abs(len(written[1]) - len(text) / 4) <= 1
    counts = [len(store.read(split, "token")) for split in SPLITS]
    assert [found.splits[split] for split in SPLITS] == [
        {"count": counts[0], "start": 0},
        {"count": counts[1], "start": counts[0]},
        {"count": counts[2], "start": counts[0] + counts[1]},
    ]
    assert found.report.facts["characters"] == dict(zip(SPLITS, map(len, written), strict=True))
    assert found.fields["token"]["shape"] == []


@pytest.mark.parametrize("kind", ["character", "word", "bpe"])
def test_tokens_do_not_depend_on_the_parts_in_which_the_text_comes(prepared, monkeypatch, kind):
    text = some_text()
    digests = set()
    for part, piece, longest in ((10**6, 10**6, 10**6), (1, 50, 10**6), (13, 200, 5000), (997, 1, 4000)):
        monkeypatch.setattr(corpus, "PIECE_CHARACTERS", piece)
        monkeypatch.setattr(corpus, "LONGEST_PIECE", longest)
        _, store = prepared(text, part, kind=kind, vocabulary_size=400)
        digests.add(tuple(store.arrays[split]["token"].sha256 for split in SPLITS))
    assert len(digests) == 1


def test_text_without_white_space_is_cut_all_the_same(monkeypatch):
    monkeypatch.setattr(corpus, "PIECE_CHARACTERS", 10)
    monkeypatch.setattr(corpus, "LONGEST_PIECE", 50)
    text = "x" * 173 + " " + "y" * 20
    for part in (1, 7, 1000):
        found = list(pieces(text[start : start + part] for start in range(0, len(text), part)))
        assert "".join(found) == text
        assert max(map(len, found)) == 50


def test_the_vocabulary_is_of_the_training_part_alone_and_unknown_is_counted(prepared):
    found, store = prepared("ab " * 100 + "abz" * 20, split={"val": 0.1, "test": 0.1}, kind="character")
    assert found.fields["token"] == {
        "dtype": "int32",
        "shape": [],
        "vocabulary_size": 5,
        "padding": 0,
        "unknown": 1,
    }
    shares = found.report.facts["unknown tokens"]
    assert shares["train"] == 0
    assert shares["test"] == pytest.approx(1 / 3, abs=0.02)
    assert (store.read("test", "token") == 1).mean() == pytest.approx(shares["test"], abs=1e-6)
    assert any(finding.check == "unknown tokens" for finding in found.report.findings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ab", "the (train|val|test) split is left without a character"),
        ("some words" + " " * 100, "the text of test is white space alone|the text of val is white space alone"),
    ],
)
def test_text_that_cannot_be_split_is_refused(prepared, text, said):
    with pytest.raises(DataError, match=said):
        prepared(text)


@pytest.mark.parametrize("parts", [["word " * 120], ["word " * 100, "word " * 20]])
def test_text_that_grows_between_two_readings_is_noticed(tmp_path, parts):
    raw = RawCorpus(parts=lambda: iter(parts), characters=500)
    spec = {"dataset": "some", "source": {"kind": "text", "path": "a.txt"}, "split": {}, "prepare": {}}
    with pytest.raises(DataError, match="longer than when it was first read"):
        prepare_corpus(raw, PrepareSpec.model_validate(spec), Store(tmp_path, "arrays"))


def test_text_that_shrinks_between_two_readings_is_noticed(tmp_path):
    readings = iter(["word " * 100, "word " * 50, "word " * 50, "word " * 50])
    raw = RawCorpus(parts=lambda: iter([next(readings)]), characters=500)
    next(readings)
    spec = {"dataset": "some", "source": {"kind": "text", "path": "a.txt"}, "split": {}, "prepare": {}}
    with pytest.raises(DataError, match="shorter than when it was first read"):
        prepare_corpus(raw, PrepareSpec.model_validate(spec), Store(tmp_path, "arrays"))


def test_the_preview_is_drawn(prepared, tmp_path):
    found, _ = prepared(some_text())
    found.draw(tmp_path / "preview.png")
    assert (tmp_path / "preview.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def raw(tmp_path):
    """Loads running text from files of that content, by name."""

    def make(path, files, **options):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        source = {"kind": "text", "path": str(tmp_path / path), **options}
        return load(PrepareSpec.model_validate({"dataset": "some", "source": source, "split": {}, "prepare": {}}))

    return make


@pytest.mark.parametrize("part", [2, 1000])
def test_a_text_file_is_read_as_it_is(raw, monkeypatch, part):
    monkeypatch.setattr(running_text, "PART_BYTES", part)
    found = raw("a.txt", {"a.txt": b"\xef\xbb\xbfone\r\n\r\ntwo \xc3\xa9\n"})
    assert "".join(found.parts()) == "one\n\ntwo é\n"
    assert found.characters == len("one\n\ntwo é\n")


def test_files_of_a_folder_are_joined_in_order_with_a_blank_line(raw):
    files = {"f/b.txt": "two", "f/a.txt": "one\n", "f/c/d.TXT": "three", "f/.hidden.txt": "no", "f/e.md": "no"}
    found = raw("f", files)
    assert "".join(found.parts()) == "one\n\ntwo\n\nthree"
    assert found.characters == 15


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", 'text,n\none,1\n"two\nlines",2\n'), ("a.jsonl", '{"text": "one"}\n{"text": "two\\nlines"}\n')],
)
def test_texts_of_rows_without_labels_are_running_text(raw, name, content):
    assert "".join(raw(name, {name: content}).parts()) == "one\ntwo\nlines\n"


@pytest.mark.parametrize(
    ("path", "content", "options", "said"),
    [
        ("a.txt", b"", {}, "the file is empty"),
        ("a.txt", b" \n\n", {}, "nothing but white space"),
        ("a.txt", "text".encode("utf-16"), {}, "is UTF-16; allowed: UTF-8"),
        ("a.txt", b"caf\xe9 and more", {}, "a.txt: is not UTF-8: byte 0xe9 at position 3"),
        ("a.csv", b"body\nx\n", {}, "source.text: there is no column 'text' in"),
        ("a.csv", b"text,n\nx,1\ny\n", {}, "a.csv, line 3: has 1 cell, the header has 2"),
        ("a.jsonl", b'{"text": "x"}\n{"n": 1}\n', {}, "a.jsonl, line 2: 'text' is missing"),
    ],
)
def test_running_text_that_cannot_be_used_is_refused(raw, path, content, options, said):
    with pytest.raises(DataError, match=said):
        raw(path, {path: content}, **options)


def test_a_folder_without_text_files_is_refused(raw, tmp_path):
    (tmp_path / "f").mkdir()
    with pytest.raises(DataError, match=r"there is no text file in the folder; allowed: files that end in \.txt"):
        raw("f", {})


def test_other_files_among_texts_are_named(raw, tmp_path, caplog):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "b.md").write_text("more words")
    with pytest.raises(DataError, match=r"no text file in the folder \(in it are 1 \.md\); allowed"):
        raw("f", {})
    (tmp_path / "f" / "a.txt").write_text("some words")
    (finding,) = raw("f", {}).findings
    assert (finding.check, finding.count, finding.examples) == ("files left aside", 1, ("b.md",))
    assert "left aside: 1 file .md, no text files by name, such as b.md" in caplog.text


def test_tokens_are_int32(prepared):
    _, store = prepared(some_text())
    assert {store.read(split, "token").dtype for split in SPLITS} == {np.dtype(np.int32)}
