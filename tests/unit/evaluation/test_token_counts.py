import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from snaketorch.evaluation import token_counts
from snaketorch.evaluation.token_counts import Texts, scores_of_counts

TRAIN = ["abab", "aabb", "ab", "ccaa", "cac", "aca", "bb", "bcb"]
LABEL = np.array([0, 0, 0, 1, 1, 1, 2, 2])
TEST = ["ab", "ca", "bcbb", "x", "abcx"]


def texts(all_of_them):
    numbers = [[ord(sign) - 95 for sign in text] for text in all_of_them]
    return Texts(np.concatenate(numbers).astype(np.int32), np.cumsum([0, *map(len, numbers)]))


def scored(train, label, test, classes=3, longest=1, val=None):
    """With the training texts for validation where there are no ``val``, which are texts and classes."""
    val_texts, val_label = (train, label) if val is None else val
    splits = {"train": texts(train), "val": texts(val_texts), "test": texts(test)}
    return scores_of_counts(splits, {"train": np.array(label), "val": np.array(val_label)}, classes, 30, longest)


@pytest.mark.parametrize("longest", [1, 3])
def test_it_is_logistic_regression_on_counts(longest, monkeypatch):
    monkeypatch.setattr(token_counts, "STRENGTHS", (1.0,))
    monkeypatch.setattr(token_counts, "TOLERANCE", 1e-4)
    vectorizer = CountVectorizer(analyzer="char", ngram_range=(1, longest))
    model = LogisticRegression(max_iter=200).fit(vectorizer.fit_transform(TRAIN).log1p(), LABEL)
    expected = model.predict_proba(vectorizer.transform(TEST).log1p())
    found = scored(TRAIN, LABEL, TEST, longest=longest)
    np.testing.assert_allclose(np.exp(found.scores), expected, atol=1e-3)
    assert found.converged


def test_validation_chooses_the_penalty():
    """What training says and validation denies is penalised as strongly as may be, and the reverse."""
    right = np.exp(scored(TRAIN, LABEL, TEST).scores)
    denied = np.exp(scored(TRAIN, LABEL, TEST, val=(TRAIN, (LABEL + 1) % 3)).scores)
    assert denied.max() < 0.5 < right.max()


def test_it_says_when_it_did_not_converge(monkeypatch):
    monkeypatch.setattr(token_counts, "ITERATIONS", 1)
    assert not scored(TRAIN, LABEL, TEST).converged


def test_no_run_of_tokens_reaches_into_the_next_text():
    numbers, rows = texts(["ab", "c", "abc"]).runs(2, 30)
    assert rows.tolist() == [0, 2, 2]
    assert numbers[0] == numbers[1] != numbers[2]


def test_runs_longer_than_every_text_count_nothing():
    assert scored(["a", "b"], [0, 1], ["a"], 2, longest=3).scores.argmax() == 0


def test_a_class_that_training_lacks_is_hardly_possible():
    found = scored(TRAIN, LABEL, TEST, 4, val=(["ab", "cc"], [0, 3])).scores
    assert np.exp(found[:, 3]).max() < 1e-9
    np.testing.assert_allclose(np.exp(found).sum(1), 1, atol=1e-6)


def test_of_many_texts_some_are_taken_evenly(monkeypatch):
    monkeypatch.setattr(token_counts, "MOST_TEXTS", 4)
    val = TRAIN, LABEL
    found = scored(TRAIN, LABEL, TEST, val=val).scores
    np.testing.assert_array_equal(found, scored(TRAIN[::2], LABEL[::2], TEST, val=val).scores)
