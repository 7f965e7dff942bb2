import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from snaketorch.config.augment import Augment
from snaketorch.config.contents import SEQUENCES, SERIES, TEXTS
from snaketorch.data.augment import build_augmentation

FIELDS = {
    "value": {"statistics": {"mean": [1.0, 2.0, 3.0], "std": [0.5, 1.0, 2.0]}},
    "token": {"padding": 0, "unknown": 1},
}
LENGTH = torch.arange(64) % 20 + 1


def values() -> torch.Tensor:
    return torch.randn(64, 20, 3, generator=torch.Generator().manual_seed(0))


def sequences(options: Augment, value: torch.Tensor, length: torch.Tensor | None = LENGTH) -> torch.Tensor:
    batch = {"value": value, "sample": torch.arange(64)}
    if length is not None:
        batch["length"] = length
    return build_augmentation(options, SEQUENCES, FIELDS, 0)(batch, 0)["value"]


EVERYTHING = Augment(jitter=0.1, amplitude=[0.5, 1.5], time_shift=3, time_mask=0.3, channel_dropout=0.3)


def test_padding_is_left_as_it_is():
    before, after = values(), sequences(EVERYTHING, values())
    padding = torch.arange(20) >= LENGTH.unsqueeze(1)
    assert torch.equal(before[padding], after[padding])
    assert not torch.equal(before[~padding], after[~padding])


def test_a_sequence_does_not_depend_on_how_far_its_batch_is_padded():
    length = LENGTH.clamp(max=10)
    short, long = sequences(EVERYTHING, values()[:, :10], length), sequences(EVERYTHING, values(), length)
    assert torch.equal(short, long[:, :10])


def test_jitter_is_in_units_of_each_channel():
    noise = sequences(Augment(jitter=0.1), torch.zeros(64, 20, 3), None)
    torch.testing.assert_close(noise.std((0, 1)), torch.tensor([0.05, 0.1, 0.2]), rtol=0.1, atol=0)


def test_a_shift_repeats_the_ends():
    steps = torch.arange(20.0).view(1, 20, 1).expand(64, 20, 3)
    shifted = sequences(Augment(time_shift=3), steps)
    for sample, (row, length) in enumerate(zip(shifted[:, :, 0], LENGTH, strict=True)):
        options = [(torch.arange(length) - by).clamp(0, length - 1).float() for by in range(-3, 4)]
        assert any(torch.equal(row[:length], option) for option in options), sample


def test_one_channel_always_stays():
    dropped = sequences(Augment(channel_dropout=0.9), torch.zeros(64, 20, 3), None) != 0
    assert (~dropped).all(1).any(1).all() and dropped.float().mean() > 0.5


def test_one_stretch_is_masked_and_no_more_than_asked():
    masked = (sequences(Augment(time_mask=0.3), torch.zeros(64, 20, 3), None) != 0)[:, :, 0]
    assert masked.sum(1).max() == 6 and masked.sum(1).min() == 0
    assert (masked[:, 1:] & ~masked[:, :-1]).sum(1).max() <= 1


def test_the_target_of_a_window_changes_in_amplitude_only():
    window, target = values(), values()[:, :5]
    batch = {"window": window, "target": target, "sample": torch.arange(64)}
    after = build_augmentation(Augment(amplitude=[0.5, 1.5], jitter=0.1), SERIES, FIELDS, 0)(batch, 0)
    mean = torch.tensor([1.0, 2.0, 3.0])
    factor = (after["target"] - mean) / (target - mean)
    torch.testing.assert_close(factor, factor[:, :1, :1].expand_as(factor), rtol=1e-2, atol=1e-2)
    assert factor[:, 0, 0].unique().numel() > 60 and not torch.equal(after["window"][:, :5], after["target"])


def texts(options: Augment) -> tuple[torch.Tensor, dict]:
    token = torch.arange(2, 22).expand(64, 20) * (torch.arange(20) < LENGTH.unsqueeze(1))
    batch = {"token": token, "length": LENGTH, "sample": torch.arange(64)}
    return token, build_augmentation(options, TEXTS, FIELDS, 0)(batch, 0)


def test_tokens_that_are_left_out_leave_no_gap_and_no_text_empty():
    _, after = texts(Augment(token_dropout=0.8))
    assert after["token"].shape == (64, 20) and after["length"].min() == 1
    for row, length in zip(after["token"], after["length"], strict=True):
        assert (row[:length].diff() > 0).all() and (row[:length] > 1).all() and (row[length:] == 0).all()
    assert 0.15 < after["length"].sum() / LENGTH.sum() < 0.35


def test_masked_tokens_are_unknown():
    before, after = texts(Augment(token_mask=0.3))
    changed = before != after["token"]
    assert (after["token"][changed] == 1).all() and torch.equal(after["length"], LENGTH)
    assert 0.22 < changed.sum() / LENGTH.sum() < 0.38


def test_no_value_is_asked_for():
    with FakeTensorMode():
        for content, options in ((SEQUENCES, EVERYTHING), (TEXTS, Augment(token_dropout=0.1, token_mask=0.1))):
            batch = {
                "value": torch.empty(8, 20, 3),
                "token": torch.ones(8, 20, dtype=torch.int32),
                "length": torch.ones(8, dtype=torch.int64),
                "sample": torch.ones(8, dtype=torch.int64),
            }
            build_augmentation(options, content, FIELDS, 0)(batch, 0)
