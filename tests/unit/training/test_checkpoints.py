import pytest
import torch

from snaketorch.training.checkpoints import BestWeights, DurableCheckpointIO


class Explosive:
    def __reduce__(self):
        return (print, ("this must never run",))


def test_a_failing_save_leaves_the_checkpoint_before_it(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    DurableCheckpointIO().save_checkpoint({"step": 1}, path)

    def fail(content, file):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="No space"):
        DurableCheckpointIO().save_checkpoint({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_checkpoint_that_holds_code_is_refused(tmp_path, capsys):
    torch.save({"evil": Explosive()}, tmp_path / "last.ckpt")
    with pytest.raises(Exception, match="Weights only load failed"):
        DurableCheckpointIO().load_checkpoint(tmp_path / "last.ckpt", weights_only=False)
    assert "never" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mode", "values", "best"),
    [("max", [0.5, 0.7, 0.7, 0.6], 2), ("min", [0.5, 0.4, 0.4], 2), ("min", [float("nan"), 0.9, float("nan")], 2)],
)
def test_the_first_of_the_best_epochs_is_kept_and_nan_never(tmp_path, mode, values, best):
    from types import SimpleNamespace

    network = torch.nn.Linear(1, 1)
    callback = BestWeights(tmp_path, "val/loss", mode, network.state_dict)
    for epoch, value in enumerate(values):
        torch.nn.init.constant_(network.weight, epoch + 1)
        trainer = SimpleNamespace(
            callback_metrics={"val/loss": torch.tensor(value)}, current_epoch=epoch, check_val_every_n_epoch=1
        )
        callback.on_train_epoch_end(trainer, None)
    assert callback.best["epoch"] == best
    assert torch.load(callback.path, weights_only=True)["weight"].item() == best
    callback.forget_others()
    assert [file.name for file in tmp_path.iterdir()] == [f"best-{best}.ckpt"]
