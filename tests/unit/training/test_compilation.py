"""``trainer.compile`` is refused by a machine that cannot; tests/e2e has one that can."""

import shutil

import pytest
import torch

from snaketorch.errors import UserError
from snaketorch.training.compilation import compile_network


def test_a_machine_without_a_compiler_says_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match=r"C\+\+ compiler.*allowed here: false"):
        compile_network(torch.nn.Linear(1, 1), torch.device("cpu"))
