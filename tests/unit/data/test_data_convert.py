import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from snaketorch.data import convert
from snaketorch.data.convert import convert_images


def test_images_that_fit_stay_as_they_are(images):
    raw = images(size=(4, 6), channels=3).reader.samples
    assert convert_images(raw, None, None) is raw
    assert convert_images(raw, [4, 6], 3) is raw


@pytest.mark.parametrize("size", [[8, 8], [3, 2], [5, 9]])
def test_resizing_is_bilinear_with_antialiasing(images, size):
    raw = images(size=(6, 6), channels=3).reader.samples
    exact = functional.resize(torch.from_numpy(raw).double(), size, antialias=True).numpy()
    assert convert_images(raw, size, None).shape == (*raw.shape[:2], *size)
    assert np.abs(convert_images(raw, size, None) - exact).max() <= 0.5 + 2e-6


def test_a_half_goes_up():
    # exactly 100.5 in the middle
    image = np.array([[[[100, 101]]]], np.uint8)
    assert convert_images(image, [1, 1], None).item() == 101


@pytest.mark.parametrize("size", [[12, 12], [20, 28], [9, 15]])
def test_the_order_in_which_pixels_are_added_does_not_show(size):
    # a mirrored image is added up the other way round, as another device may do
    raw = np.random.default_rng(0).integers(0, 256, (300, 3, 6, 6), dtype=np.uint8)
    assert np.array_equal(convert_images(raw[..., ::-1].copy(), size, None)[..., ::-1], convert_images(raw, size, None))


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("size", [None, [3, 9]])
@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 3), (3, 1), (3, 3)])
def test_an_image_of_one_grey_keeps_it(value, size, before, after):
    converted = convert_images(np.full((2, before, 4, 4), value, np.uint8), size, after)
    assert converted.shape == (2, after, *(size or (4, 4)))
    assert converted.dtype == np.uint8
    assert (converted == value).all()


def test_grey_weighs_colours_as_the_eye_does():
    colours = np.zeros((3, 3, 1, 1), np.uint8)
    colours[[0, 1, 2], [0, 1, 2]] = 255
    assert convert_images(colours, None, 1).ravel().tolist() == [76, 150, 29]


def test_chunks_do_not_show_in_the_result(images, monkeypatch):
    raw = images(per_class=7, size=(5, 5), channels=3).reader.samples
    at_once = convert_images(raw, [7, 7], 1)
    monkeypatch.setattr(convert, "CHUNK_VALUES", 4 * (raw[0].size + at_once[0].size))
    assert np.array_equal(convert_images(raw, [7, 7], 1), at_once)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("size", [[16, 16], [19, 5], [64, 48]])
def test_a_gpu_gives_the_same_bytes_as_a_cpu(images, size, monkeypatch):
    raw = images(per_class=200, size=(28, 28), channels=3).reader.samples
    on_gpu = convert_images(raw, size, 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert np.array_equal(convert_images(raw, size, 1), on_gpu)


def test_a_large_photograph_is_resized_channel_by_channel_to_the_same_bytes(images, monkeypatch):
    raw = images(per_class=2, size=(40, 30), channels=3).reader.samples
    whole = convert_images(raw, [17, 11], 3), convert_images(raw, [17, 11], 1)
    monkeypatch.setattr(convert, "CHUNK_VALUES", 100)
    assert np.array_equal(convert_images(raw, [17, 11], 3), whole[0])
    assert np.array_equal(convert_images(raw, [17, 11], 1), whole[1])
