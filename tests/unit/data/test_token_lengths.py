import pytest

from snaketorch.config.datasets import Tokenizer
from snaketorch.data.token_lengths import characters_of
from snaketorch.data.tokenizers import fit_tokenizer

TEXT = "The cat, été 日本語 😀 \u00a0x_1\n\ttwo  words…\x1c\n" * 3


@pytest.mark.parametrize("kind", ["character", "bpe"])
@pytest.mark.parametrize("unseen", ["", "Straße ÿ ½ 語本 🙃"])
def test_tokens_stand_for_exactly_the_characters_of_their_text(kind, unseen):
    encoding = fit_tokenizer(Tokenizer(kind=kind, vocabulary_size=300), [TEXT])
    characters = characters_of(encoding.as_json())
    assert characters.shape == (encoding.size,)
    text = TEXT + unseen
    assert characters[encoding.encode(text)].sum() == len(text)


def test_words_stand_for_their_letters_and_white_space_for_nothing():
    encoding = fit_tokenizer(Tokenizer(kind="word"), ["the cat sat, été"])
    characters = characters_of(encoding.as_json())
    assert characters[encoding.encode("the cat,\n  été")].tolist() == [3, 3, 1, 3]
    assert characters[encoding.encode("unknown")].tolist() == [1]
    assert characters[0] == 0
