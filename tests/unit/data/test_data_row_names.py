import numpy as np
import pytest

from snaketorch.data.row_names import ChosenNames, NamesWithCopies, PlaceNames


def test_names_of_rows_are_made_as_they_are_asked_for():
    names = PlaceNames(("line", np.array([2, 4])), ("test.csv, line", range(3)))
    assert list(names) == ["line 2", "line 4", "test.csv, line 0", "test.csv, line 1", "test.csv, line 2"]
    with pytest.raises(IndexError):
        names[5]


def test_copies_are_named_after_their_samples():
    chosen = ChosenNames(PlaceNames(("row", range(9))), np.array([7, 1]))
    names = NamesWithCopies(chosen, 2)
    assert list(names) == ["row 7", "row 1", "row 7, copy 1", "row 1, copy 1", "row 7, copy 2", "row 1, copy 2"]
    assert names[np.int64(3)] == "row 1, copy 1"
