import errno
from pathlib import Path

import pytest
import torch

from snaketorch.errors import DiskFull
from snaketorch.training.checkpointing.io import DurableCheckpointIO, _disk_full, save


class Explosive:
    def __reduce__(self):
        return (print, ("this must never run",))


@pytest.fixture
def path(tmp_path):
    """A checkpoint that is there already."""
    DurableCheckpointIO().save_checkpoint({"step": 1}, tmp_path / "some.ckpt")
    return tmp_path / "some.ckpt"


def fails_with(code: int):
    def fail(content, file):
        file.write(b"half")
        try:
            raise OSError(code, "No space left on device")
        except OSError as error:
            raise RuntimeError("unexpected pos 64 vs 0") from error  # as torch has it

    return fail


def test_a_full_disk_leaves_the_checkpoint_before_and_is_called_so(path, monkeypatch):
    monkeypatch.setattr(torch, "save", fails_with(errno.ENOSPC))
    with pytest.raises(DiskFull, match=r"some.ckpt could not be written: No space left on device, [\d,]+ bytes are"):
        DurableCheckpointIO().save_checkpoint({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [file.name for file in path.parent.iterdir()] == ["some.ckpt"]


def test_a_device_that_takes_nothing_is_a_full_disk():
    with pytest.raises((OSError, RuntimeError)) as caught, Path("/dev/full").open("wb", buffering=0) as file:
        torch.save({"weights": torch.zeros(100_000)}, file)
    assert _disk_full(caught.value).errno == errno.ENOSPC


def test_any_other_failure_is_told_as_it_is(path, monkeypatch):
    monkeypatch.setattr(torch, "save", fails_with(errno.EIO))
    with pytest.raises(RuntimeError, match="unexpected pos"):
        DurableCheckpointIO().save_checkpoint({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}


def test_a_file_that_is_not_there_after_a_save_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("snaketorch.publish.os.replace", lambda source, target: target.write_bytes(b"cut"))
    with pytest.raises(OSError, match="3 bytes are there of"):
        save({"step": 1}, tmp_path / "some.ckpt")


def test_a_checkpoint_that_holds_code_is_refused(path, capsys):
    torch.save({"evil": Explosive()}, path)
    with pytest.raises(Exception, match="Weights only load failed"):
        DurableCheckpointIO().load_checkpoint(path, weights_only=False)
    assert "never" not in capsys.readouterr().out
