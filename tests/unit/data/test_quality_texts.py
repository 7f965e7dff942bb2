import numpy as np
import pytest

from snaketorch.data.quality import texts


@pytest.mark.parametrize("part", [1, 5, 7, 1000])
def test_texts_that_tell_are_the_same_in_parts_of_any_size(monkeypatch, part):
    lengths = [4, 0, 3, 10, 10, 6, 0]
    tokens = np.full(sum(lengths), 7, np.int32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tokens[starts[3]] = texts.UNKNOWN  # one of ten
    tokens[starts[4] : starts[4] + 2] = texts.UNKNOWN
    monkeypatch.setattr(texts, "PART_TOKENS", part)
    assert texts._telling(tokens, starts).tolist() == [True, False, False, True, False, True, False]
