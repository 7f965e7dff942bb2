"""A packed model is tried in a process of its own."""

import pandas as pd
import pytest

from snaketorch.errors import UserError
from snaketorch.registry import proof


def test_a_model_that_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(proof, "_SECONDS", 0.01)

    with pytest.raises(UserError, match=r"the packed model did not answer within 0\.01 s"):
        proof.prove(tmp_path, pd.DataFrame())
