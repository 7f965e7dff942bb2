import pytest
import torch

from snaketorch.config.augment import Augment
from snaketorch.config.contents import IMAGES
from snaketorch.data.augment import build_augmentation, slices
from snaketorch.data.augment.slices import by_slices
from snaketorch.data.augment.tones import equalized


def pictures(count: int, height: int = 8, width: int = 10) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("values", [1, 240, 500, 10_000])
def test_no_slice_is_larger_than_it_may_be_and_all_samples_come_out_in_order(monkeypatch, values):
    monkeypatch.setattr(slices, "VALUES", values)
    images, seen = pictures(7).float(), []

    def change(some: torch.Tensor) -> torch.Tensor:
        seen.append(len(some))
        return some + 1

    assert torch.equal(by_slices(change, images), images + 1)
    assert sum(seen) == 7
    assert max(seen) <= max(1, values // 240)


def test_a_batch_of_no_samples_stays_one():
    assert equalized(torch.zeros(0, 3, 8, 10), 3).shape == (0, 3, 8, 10)


@pytest.mark.parametrize("options", [{"noise": 0.1}, {"noise": 0.1, "hue": 0.2}], ids=["noise", "with colours"])
def test_slices_do_not_show_in_the_noise(monkeypatch, options):
    fields = {"image": {"statistics": {"mean": [0.5] * 3, "std": [0.2] * 3}}}
    augmentation = build_augmentation(Augment(**options), IMAGES, fields, 0)
    batch = {"image": pictures(7), "sample": torch.arange(7)}
    whole = augmentation(batch, 0)["image"]
    monkeypatch.setattr(slices, "VALUES", 500)
    assert torch.equal(augmentation(batch, 0)["image"], whole)


def test_slices_do_not_show_in_what_is_equalized(monkeypatch):
    images = pictures(7, 30, 30).float()
    whole = equalized(images, 3)
    monkeypatch.setattr(slices, "VALUES", 6000)
    assert torch.equal(equalized(images, 3), whole)
    assert not torch.equal(whole, images)
