import numpy as np
import pytest
from sklearn import metrics

from snaketorch.evaluation.decisions import decisions


def test_areas_are_those_of_scikit_learn_with_equal_scores_too():
    random = np.random.default_rng(0)
    applies = random.random(300) < 0.3
    score = (random.normal(size=300) + applies).round(1)
    found = decisions(score, applies)
    assert found.auroc == pytest.approx(metrics.roc_auc_score(applies, score))
    assert found.average_precision == pytest.approx(metrics.average_precision_score(applies, score))
    assert found.share == applies.mean()
    assert (found.recall[0], found.false_alarms[0]) == (0, 0)
    assert (found.recall[-1], found.false_alarms[-1], found.precision[-1]) == (1, 1, found.share)


@pytest.mark.parametrize("applies", [True, False])
def test_there_is_nothing_to_decide_where_all_are_alike(applies):
    assert decisions(np.arange(4.0), np.full(4, applies)) is None
