from itertools import combinations

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from snaketorch.data import preview
from snaketorch.data.preview import draw_images, draw_series


@pytest.fixture
def figures(monkeypatch):
    """The figures that were drawn."""
    drawn = []
    save = preview._save
    monkeypatch.setattr(preview, "_save", lambda figure, path: (drawn.append(figure), save(figure, path)))
    return drawn


def texts(figure):
    """Every text of a figure but the ticks', with its box in pixels."""
    items = [*figure.texts, *(item for legend in figure.legends for item in legend.get_texts())]
    for axes in figure.axes:
        items += [item for item in axes.get_children() if isinstance(item, Text)]
        items += [axes.xaxis.label, axes.yaxis.get_offset_text()]
    return {item: item.get_window_extent() for item in items if item.get_visible() and item.get_text()}


def assert_legible(figure):
    """No text is cut off at the edge or runs into another, no panel into the next."""
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert drawn.x0 >= 0 and drawn.y0 >= 0 and drawn.x1 <= width and drawn.y1 <= height
    panels = {f"panel {index}": axes.get_tightbbox() for index, axes in enumerate(figure.axes)}
    head = {item: item.get_window_extent() for item in figure.texts}
    for group in (texts(figure), panels | head):
        for (one, box), (other, other_box) in combinations(group.items(), 2):
            assert not box.overlaps(other_box), f"{one} runs into {other}"


def counts(num_classes, train=100, val=10, test=20):
    return {"train": [train] * num_classes, "val": [val] * num_classes, "test": [test] * num_classes}


@pytest.mark.parametrize(
    ("size", "channels", "classes", "train"),
    [
        ((8, 8), 1, [str(digit) for digit in range(10)], 124),
        ((30, 60), 3, ["cat", "dog"], 7),
        ((3, 300), 1, ["a class with a very long name indeed", "b"], 1_234_567),
        ((300, 3), 3, ["x", "y"], 12_345),
        ((2, 2), 1, [f"class {number}" for number in range(40)], 10),
    ],
)
def test_nothing_is_cut_off_in_a_picture_of_images(tmp_path, figures, images, size, channels, classes, train):
    raw = images(per_class=2, size=size, channels=channels, classes=classes)
    draw_images(tmp_path / "preview.png", "a_name", raw.images, raw.labels, raw.classes, counts(len(classes), train))
    assert_legible(figures[0])
    said = {item.get_text() for item in texts(figures[0])}
    assert {"a_name", "train", "val", "test", f"{train:,}"} <= said
    assert classes[-1] in said or f"and {len(classes) - preview.MOST_CLASSES} more classes" in said
    assert imread(tmp_path / "preview.png").std() > 0


def test_images_stand_in_the_row_of_their_class(images):
    raw = images(per_class=2, classes=("a", "b", "c"), size=(4, 4))
    mosaic = preview._mosaic(raw.images, raw.labels, num_classes=3, examples=3)
    assert mosaic.shape == (3 * 5, 3 * 5, 3)
    for label in range(3):
        first, second = raw.images[raw.labels == label][:, 0]
        row = mosaic[5 * label : 5 * label + 4]
        assert np.array_equal(row[:, 0:4, 0], first)
        assert np.array_equal(row[:, 5:9, 2], second)
        assert (row[:, 10:] == 255).all()


def test_large_images_are_thinned_out_for_the_picture(images):
    raw = images(per_class=1, size=(500, 400))
    assert max(preview._mosaic(raw.images, raw.labels, 2, 1).shape) <= 2 * 1.1 * preview.MOST_PIXELS


@pytest.mark.parametrize(
    ("channels", "starts"), [(1, (0, 60, 80)), (2, (0, 98, 99)), (12, (0, 1, 2)), (16, (0, 9, 50))]
)
def test_nothing_is_cut_off_in_a_picture_of_a_series(tmp_path, figures, series, channels, starts):
    raw = series(*(np.sin(np.arange(100)) * 10.0**channel for channel in range(-3, channels - 3)))
    draw_series(tmp_path / "preview.png", "a_name", raw, dict(zip(("train", "val", "test"), starts, strict=True)))
    assert_legible(figures[0])
    said = {item.get_text() for item in texts(figures[0])}
    assert {"a_name", "a [m]", "year", f"train: {starts[1]}", f"test: {100 - starts[2]}"} <= said
    assert len(figures[0].axes) == min(channels, preview.MOST_CHANNELS)


def test_splits_are_shaded_from_their_first_step_to_the_next_split(tmp_path, figures, series):
    draw_series(tmp_path / "preview.png", "a", series(list(range(10))), {"train": 0, "val": 6, "test": 8})
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in figures[0].axes[0].patches]
    assert spans == [(2000, 2006), (2006, 2008), (2008, 2009)]
