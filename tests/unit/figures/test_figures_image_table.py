import numpy as np
from drawn_figures import images

from snaketorch.figures.image_table import image_table


def test_every_image_stands_in_its_row_and_column_between_transparent_gaps():
    shown = images(2, 3)
    (axes,) = image_table(shown, "Images", ["one", "two"], ["a", "b", "c"]).axes
    picture = np.asarray(axes.images[0].get_array())
    assert picture.shape == (2 * 10 + 1, 3 * 8 + 2, 4)
    np.testing.assert_array_equal(picture[11:21, 9:17, 0], shown[1, 1, 0])
    assert (picture[10, :, 3] == 0).all() and (picture[0, :8, 3] == 255).all()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]


def test_a_table_is_as_wide_as_the_page_at_most():
    assert image_table(images(1, 40), "Images").get_figwidth() <= 7.5
    assert image_table(images(1, 2), "Images").get_figwidth() < 2
