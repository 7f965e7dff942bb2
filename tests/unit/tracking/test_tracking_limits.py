import pytest
from mlflow.utils.validation import _validate_metric_name

from snaketorch.tracking.limits import allowed_name, batches, cut

NAMES = ["../x", "a/../b", "..", "", "/", "a//b/", "a%b", "x" * 400, "x" * 248 + "/.y", "../../..", "a\nb", "..a/b"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_made_one_that_mlflow_takes(name):
    _validate_metric_name(allowed_name(name))
    assert 0 < len(allowed_name(name)) <= 250


@pytest.mark.parametrize("name", ["val/accuracy", "model.channels", "lr group 0", "a:b", "größe"])
def test_a_name_that_mlflow_takes_is_kept(name):
    assert allowed_name(name) == name


def test_batches_hold_everything_once_and_in_order():
    assert [list(batch) for batch in batches(range(5), 2)] == [[0, 1], [2, 3], [4]]


def test_a_cut_text_fits_and_says_that_there_is_more():
    assert cut("abc", 3) == "abc"
    assert cut("abcdef", 5) == "abc …"
