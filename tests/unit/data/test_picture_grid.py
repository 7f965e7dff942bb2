import numpy as np
from PIL import Image

from snaketorch.data.picture_grid import GAP, save_grid


def test_small_images_are_enlarged_by_a_whole_factor_and_stand_row_by_row(tmp_path):
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.full((5, 1, 10, 16), 20, np.uint8)
    save_grid(tmp_path / "grid.png", images, columns=3)
    picture = np.asarray(Image.open(tmp_path / "grid.png"))
    assert picture.shape == (2 * 20 + GAP, 3 * 32 + 2 * GAP)
    assert [picture[5, 34 * column + 5] for column in range(3)] == [0, 20, 40]
    assert [picture[27, 34 * column + 5] for column in range(3)] == [60, 80, 255]


def test_large_images_stay_as_they_are_and_keep_their_colours(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 40, 33), dtype=np.uint8)
    save_grid(tmp_path / "grid.png", images, columns=2)
    picture = np.asarray(Image.open(tmp_path / "grid.png"))
    np.testing.assert_array_equal(picture[:, :33], images[0].transpose(1, 2, 0))
    np.testing.assert_array_equal(picture[:, 33 + GAP :], images[1].transpose(1, 2, 0))


def test_the_same_images_give_the_same_bytes(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), dtype=np.uint8)
    for name in ("one.png", "two.png"):
        save_grid(tmp_path / name, images, columns=2)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
