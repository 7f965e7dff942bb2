import pytest

from snaketorch.config.trainer import Trainer
from snaketorch.errors import UserError
from snaketorch.launch.place import ALONE
from snaketorch.training import subject


def test_what_is_not_installed_is_said_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(subject, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'snaketorch\[deepspeed\]'`; allowed without it: fsdp"):
        subject.device_of(Trainer(max_epochs=1, accelerator="cpu", devices=2, strategy="deepspeed"), ALONE)
