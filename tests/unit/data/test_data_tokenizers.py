import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library

from snaketorch.config.datasets import Tokenizer
from snaketorch.data.tokenizers import PADDING, UNKNOWN, fit_tokenizer, load_tokenizer
from snaketorch.errors import DataError

KINDS = ("character", "word", "bpe")
TEXTS = ["The cat sat on the mat.", "The dog, though, sat on the cat!", "Don't sit on 3 mats_of straw…\nÉé"]


def fit(kind, texts=TEXTS, **options):
    return fit_tokenizer(Tokenizer(kind=kind, **{"vocabulary_size": 400, **options}), iter(texts))


def vocabulary(encoding) -> dict[str, int]:
    return encoding.as_json()["tokenizer"]["model"]["vocab"]


@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_unknown_come_first_and_every_token_is_below_the_size(kind):
    encoding = fit(kind)
    assert (vocabulary(encoding)["[PAD]"], vocabulary(encoding)["[UNK]"]) == (PADDING, UNKNOWN) == (0, 1)
    assert sorted(vocabulary(encoding).values()) == list(range(encoding.size))
    for text in TEXTS:
        assert set(encoding.encode(text)) <= set(range(2, encoding.size))


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_tokenizer_is_the_same(kind):
    encoding = fit(kind, lowercase=True)
    loaded = load_tokenizer(json.loads(json.dumps(encoding.as_json(), sort_keys=True)))
    unseen = "A CAT Sat, Éé \u0130 zzz"
    assert loaded.encode(unseen) == encoding.encode(unseen)
    assert loaded.size == encoding.size
    assert loaded.as_json() == encoding.as_json()


@pytest.mark.parametrize("kind", KINDS)
def test_the_library_itself_reads_what_is_saved(kind):
    entry = fit(kind, lowercase=True).as_json()
    library = Library.from_str(json.dumps(entry["tokenizer"]))
    for text in [*TEXTS, "unseen ÄÖ words\r\n\t\u0130"]:
        assert library.encode(text).ids == load_tokenizer(entry).encode(text)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_encoded_as_single_texts_are(kind):
    encoding = fit(kind)
    found = encoding.encode_batch([*TEXTS, ""])
    assert [tokens.dtype for tokens in found] == ["int32"] * 4
    assert [tokens.tolist() for tokens in found] == [encoding.encode(text) for text in [*TEXTS, ""]]


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_special_tokens_in_a_text_are_plain_text(kind):
    encoding = fit(kind, [*TEXTS, "[PAD] [UNK] PAD UNK"])
    tokens = encoding.encode("[PAD] and [UNK]")
    assert PADDING not in tokens
    if kind != "word":
        assert encoding.decode(encoding.encode("[PAD] [UNK]")) == "[PAD] [UNK]"


@pytest.mark.parametrize("kind", ["character", "bpe"])
def test_known_text_comes_back(kind):
    encoding = fit(kind)
    for text in TEXTS:
        assert encoding.decode(encoding.encode(text)) == text
    assert encoding.decode([0, *encoding.encode("cat"), 0, 0]) == "cat"


@given(st.text(st.characters(codec="utf-8"), max_size=40))
@settings(max_examples=50, deadline=None)
def test_byte_pairs_know_every_text(text):
    encoding = load_tokenizer(BPE)
    tokens = encoding.encode(text)
    assert UNKNOWN not in tokens
    assert encoding.decode(tokens) == text


BPE = fit("bpe").as_json()


def test_words_and_signs_are_tokens_and_white_space_is_none():
    encoding = fit("word")
    words = {number: word for word, number in vocabulary(encoding).items()}
    assert [words[token] for token in encoding.encode("Don't sit,  on\n3 mats_of!")] == [
        *("Don", "'", "t", "sit", ",", "on", "3", "mats_of", "!")
    ]
    assert encoding.decode(encoding.encode("The  unseen cat\n")) == "The � cat"


def test_characters_include_spaces_and_line_ends():
    encoding = fit("character")
    assert len(encoding.encode("a é\n😀")) == 5
    assert encoding.encode("😀") == [UNKNOWN]
    assert encoding.decode(encoding.encode("a 😀\n")) == "a �\n"


@pytest.mark.parametrize("kind", ["character", "word"])
def test_the_most_frequent_tokens_are_kept(kind):
    texts = ["d b a c a", "b a"]
    assert list(vocabulary(fit(kind, [text.replace(" ", "") for text in texts] if kind == "character" else texts)))
    known = sorted(set(vocabulary(fit(kind, texts, vocabulary_size=4))) - {"[PAD]", "[UNK]"})
    assert known == ([" ", "a"] if kind == "character" else ["a", "b"])
    # of c and d, equally frequent, the one that sorts first
    known = set(vocabulary(fit(kind, texts, vocabulary_size=5 + (kind == "character"))))
    assert "c" in known
    assert "d" not in known


def test_a_token_is_known_from_min_count_on():
    texts = ["a a a b b c"]
    assert set(vocabulary(fit("word", texts, min_count=2))) == {"[PAD]", "[UNK]", "a", "b"}
    assert set(vocabulary(fit("character", texts, min_count=3))) == {"[PAD]", "[UNK]", "a", " "}
    assert fit("bpe", ["abab"] * 3, min_count=100).size == 258, "the 256 bytes are always known"


@pytest.mark.parametrize("kind", ["character", "word"])
@pytest.mark.parametrize(("texts", "count"), [([], 1), (["a b"], 5)])
def test_a_vocabulary_of_nothing_is_refused(kind, texts, count):
    with pytest.raises(DataError, match=rf"no {kind} occurs prepare\.tokenizer\.min_count \({count}\) times"):
        fit(kind, texts, min_count=count)


def test_an_error_in_the_texts_comes_through():
    def texts():
        yield "a"
        raise DataError("line 7 is bad")

    for kind in KINDS:
        with pytest.raises(DataError, match="line 7 is bad"):
            fit(kind, texts())


def test_small_letters_are_made_the_same_way_at_the_end_of_a_word_as_within():
    encoding = fit("character", ["ΟΔΟΣ οσ"], lowercase=True)
    assert encoding.encode("Σ") == encoding.encode("σ")
    assert encoding.decode(encoding.encode("ΟΔΟΣ")) == "οδοσ"


def test_the_vocabulary_is_the_same_in_every_process():
    program = (
        "import hashlib, json, sys\n"
        "from snaketorch.config.datasets import Tokenizer\n"
        "from snaketorch.data.tokenizers import fit_tokenizer\n"
        "texts = [f'w{row * row % 97} x{row % 7} {row}' for row in range(500)]\n"
        "for kind, size in (('character', 9), ('word', 40), ('bpe', 300)):\n"
        "    entry = fit_tokenizer(Tokenizer(kind=kind, vocabulary_size=size), texts).as_json()\n"
        "    print(hashlib.sha256(json.dumps(entry).encode()).hexdigest())\n"
    )
    settings = [{"PYTHONHASHSEED": "1", "RAYON_NUM_THREADS": "1"}, {"PYTHONHASHSEED": "2", "RAYON_NUM_THREADS": "4"}]
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": ":".join(sys.path), **setting},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for setting in settings
    }
    assert len(found) == 1
    assert len(set(found.pop().split())) == 3
