import numpy as np
import pytest

from snaketorch.evaluation import ngrams
from snaketorch.evaluation.ngrams import Bigram, Unigram

SIZE = 6


@pytest.fixture
def streams():
    draw = np.random.default_rng(0)
    table = draw.dirichlet(np.full(SIZE - 1, 0.3), SIZE - 1)
    tokens = [1]
    for _ in range(6000):
        tokens.append(1 + draw.choice(SIZE - 1, p=table[tokens[-1] - 1]))
    tokens = np.array(tokens, np.int32)
    return tokens[:4000], tokens[4000:5000], tokens[5000:]


def all_pairs(model):
    """Its probability of each token after each token but padding."""
    return np.array([[np.exp(-model.losses(np.array([a, b]))[0]) for b in range(SIZE)] for a in range(1, SIZE)])


def test_probabilities_add_up_to_one_and_padding_has_none(streams):
    train, val, _ = streams
    unigram = Unigram.fit(train, SIZE, padding=0)
    with np.errstate(divide="ignore"):
        for model in (unigram, Bigram.fit(train, val, unigram)):
            table = all_pairs(model)
            assert table.sum(1) == pytest.approx(1)
            assert (table[:, 0] == 0).all() and (table[:, 1:] > 0).all()


def test_a_unigram_is_the_share_of_each_token():
    unigram = Unigram.fit(np.array([1, 1, 1, 2]), 4, padding=0)
    assert unigram.probability.tolist() == pytest.approx([0, 4 / 7, 2 / 7, 1 / 7])
    assert unigram.losses(np.array([3, 1, 2])) == pytest.approx(-np.log([4 / 7, 2 / 7]))


def test_a_bigram_mixes_what_follows_with_what_is_frequent():
    train = np.array([1, 2, 1, 2, 1, 3])
    unigram = Unigram.fit(train, 4, padding=0)
    fitted = Bigram.fit(train, train, unigram)
    assert dict(zip(fitted.pairs.tolist(), fitted.counts.tolist(), strict=True)) == {4 + 2: 2, 4 + 3: 1, 8 + 1: 2}
    bigram = Bigram(unigram, 2.0, fitted.pairs, fitted.counts)
    expected = (2 + 2.0 * unigram.probability[2]) / (3 + 2.0)
    assert np.exp(-bigram.losses(np.array([1, 2]))) == pytest.approx([expected])


def test_pairs_are_counted_over_the_seams_of_chunks(streams, monkeypatch):
    train, val, test = streams
    whole = Bigram.fit(train, val, Unigram.fit(train, SIZE, 0))
    monkeypatch.setattr(ngrams, "CHUNK", 7)
    parts = Bigram.fit(train, val, Unigram.fit(train, SIZE, 0))
    assert parts.counts.sum() == len(train) - 1
    assert np.array_equal(parts.counts, whole.counts) and np.array_equal(parts.pairs, whole.pairs)
    assert parts.losses(test) == pytest.approx(whole.losses(test))


def test_the_strength_is_the_one_that_suits_the_validation_text(streams):
    train, val, test = streams
    unigram = Unigram.fit(train, SIZE, 0)
    much, little = Bigram.fit(train, val, unigram), Bigram.fit(train[:30], val, unigram)
    tried = [Bigram(unigram, strength, much.pairs, much.counts).losses(val).mean() for strength in ngrams.STRENGTHS]
    assert much.losses(val).mean() == min(tried)
    assert little.strength > much.strength, "few counts are trusted less"
    assert much.losses(test).mean() < 0.9 * unigram.losses(test).mean()
