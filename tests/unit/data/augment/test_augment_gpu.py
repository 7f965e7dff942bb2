"""On a GPU, which trainings let round products to TF32, the same comes out as on a CPU."""

from collections.abc import Iterator

import pytest
import torch

from snaketorch.config.augment import Augment, RandAugment
from snaketorch.config.contents import IMAGES, SEQUENCES
from snaketorch.data.augment import build_augmentation
from snaketorch.data.augment.filters import blurred
from snaketorch.data.augment.tones import equalized

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]

MEAN, STD = [0.5, 0.4, 0.3, 0.2], [0.2, 0.25, 0.3, 0.35]
CLOSE = 5e-4  # a fortieth of a grey level; TF32 is off by 2e-3 in colours
SMOOTH = [
    {"rotate": 15.0, "scale": [0.5, 1.5], "shear": 10.0, "translate": 0.2, "perspective": 0.3},
    {"resized_crop": [0.3, 1.0], "padding_mode": "reflection"},
    {"horizontal_flip": 0.5, "vertical_flip": 0.5, "pad_crop": 4},
    {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1, "grayscale": 0.2},
    {"blur": 1.0, "blur_sigma": [0.5, 2.0]},
    {"noise": 0.1},
    {"mixup": 0.4},
]
ROUNDED = [{"rand_augment": RandAugment()}, {"trivial_augment": True}, {"erase": 1.0}, {"cutmix": 1.0}]


@pytest.fixture(autouse=True)
def _as_in_a_training() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision(before)


def pictures(count: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)


def on_both(options: dict, images: torch.Tensor) -> list[torch.Tensor]:
    channels = images.shape[1]
    fields = {"image": {"statistics": {"mean": MEAN[:channels], "std": STD[:channels]}}}
    augmentation = build_augmentation(Augment(**options), IMAGES, fields, 3)
    rows = augmentation.fetch(torch.arange(len(images)), 2, len(images))
    batch = {"image": images[rows], "label": rows, "sample": rows}
    batches = [{name: value.to(device) for name, value in batch.items()} for device in ("cpu", "cuda")]
    return [augmentation(each, 2)["image"].cpu() for each in batches]


@pytest.mark.parametrize("options", SMOOTH, ids=lambda options: next(iter(options)))
@pytest.mark.parametrize("shape", [(40, 3, 12, 20), (6, 3, 64, 60), (5, 1, 9, 9), (1, 1, 32, 32), (3, 4, 20, 20)])
def test_a_gpu_gives_what_a_cpu_does(options, shape):
    on_cpu, on_gpu = on_both(options, pictures(*shape))
    torch.testing.assert_close(on_gpu, on_cpu, atol=CLOSE, rtol=0)


@pytest.mark.parametrize("options", ROUNDED, ids=lambda options: next(iter(options)))
def test_what_is_rounded_on_the_way_differs_in_few_places(options):
    on_cpu, on_gpu = on_both(options, pictures(40, 3, 12, 20))
    assert ((on_gpu - on_cpu).abs() < CLOSE).float().mean() > 0.99


@pytest.mark.parametrize("shape", [(4, 3, 12, 20), (4, 3, 60, 50), (1, 1, 40, 40)])
def test_a_gpu_blurs_with_all_bits(shape):
    images, sigma = pictures(*shape).float(), torch.linspace(0.3, 2.0, shape[0])
    exact = blurred(images.double(), sigma.double(), 2.0)
    found = blurred(images.cuda(), sigma.cuda(), 2.0).cpu().double()
    torch.testing.assert_close(found, exact, atol=2e-3, rtol=0)


def test_a_gpu_equalizes_in_whole_numbers_and_slices_of_a_large_batch():
    images = pictures(256, 3, 224, 224).float()
    torch.cuda.reset_peak_memory_stats()
    on_gpu = images.cuda()
    before = torch.cuda.memory_allocated()
    found = equalized(on_gpu, 3)
    taken = torch.cuda.max_memory_allocated() - before
    assert torch.equal(found.cpu(), equalized(images, 3))
    assert taken < 2.5 * images.nbytes, "the levels alone, of the whole batch, are two of its sizes"


def test_a_gpu_changes_sequences_as_a_cpu_does():
    options = Augment(jitter=0.1, amplitude=[0.8, 1.2], time_mask=0.2)
    statistics = {"mean": MEAN[:2], "std": STD[:2]}
    augmentation = build_augmentation(options, SEQUENCES, {"value": {"shape": [30, 2], "statistics": statistics}}, 0)
    sample = torch.arange(20)
    batch = {"value": torch.rand(20, 30, 2), "length": torch.full((20,), 30), "label": sample, "sample": sample}
    on_gpu = augmentation({name: value.cuda() for name, value in batch.items()}, 1)["value"].cpu()
    torch.testing.assert_close(on_gpu, augmentation(batch, 1)["value"], atol=CLOSE, rtol=0)
