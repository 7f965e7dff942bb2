from types import SimpleNamespace

import pytest

from snaketorch.errors import UserError
from snaketorch.tasks.peers import Peers
from snaketorch.training.strategies.gradient_compression import GradientCompression


def test_a_precision_that_lets_gradients_overflow_leaves_nothing_to_the_next_step():
    trainer = SimpleNamespace(precision_plugin=SimpleNamespace(scaler=object()), strategy=SimpleNamespace(model=None))
    with pytest.raises(UserError, match="gradient_compression: powersgd cannot be used in precision 16-mixed"):
        GradientCompression("powersgd", Peers(0, 2)).on_train_start(trainer, None)
