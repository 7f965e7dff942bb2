import dataclasses
from itertools import combinations

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from snaketorch.data.preview import series as series_preview
from snaketorch.data.preview import style
from snaketorch.data.preview.clips import draw_clips, filmstrip
from snaketorch.data.preview.corpus import draw_corpus
from snaketorch.data.preview.images import MOST_PIXELS, draw_images, mosaic
from snaketorch.data.preview.rows import draw_rows
from snaketorch.data.preview.sequences import draw_sequences
from snaketorch.data.preview.series import as_dates, draw_series, outline
from snaketorch.data.preview.texts import draw_texts

DAYS = "days since 1970-01-01"


@pytest.fixture
def figures(monkeypatch):
    """The figures that were drawn."""
    drawn = []
    save = style.save
    monkeypatch.setattr(style, "save", lambda figure, path: (drawn.append(figure), save(figure, path)))
    return drawn


def random_images(per_class, size, channels=1, classes=("a", "b")):
    labels = np.tile(np.arange(len(classes)), per_class)
    return np.random.default_rng(0).integers(0, 256, (len(labels), channels, *size), np.uint8), labels


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
def test_nothing_is_cut_off_in_a_picture_of_images(tmp_path, figures, size, channels, classes, train):
    images, labels = random_images(2, size, channels, classes)
    draw_images(tmp_path / "preview.png", "a_name", images, labels, classes, counts(len(classes), train))
    assert_legible(figures[0])
    said = {item.get_text() for item in texts(figures[0])}
    assert {"a_name", "train", "val", "test", f"{train:,}"} <= said
    assert classes[-1] in said or f"and {len(classes) - style.MOST_CLASSES} more classes" in said
    assert imread(tmp_path / "preview.png").std() > 0


def test_images_stand_in_the_row_of_their_class():
    images, labels = random_images(2, (4, 4), classes=("a", "b", "c"))
    picture = mosaic(images, labels, num_classes=3, examples=3)
    assert picture.shape == (3 * 5, 3 * 5, 3)
    for label in range(3):
        first, second = images[labels == label][:, 0]
        row = picture[5 * label : 5 * label + 4]
        assert np.array_equal(row[:, 0:4, 0], first)
        assert np.array_equal(row[:, 5:9, 2], second)
        assert (row[:, 10:] == 255).all()


def test_large_images_are_thinned_out_for_the_picture():
    images, labels = random_images(1, (500, 400))
    assert max(mosaic(images, labels, 2, 1).shape) <= 2 * 1.1 * MOST_PIXELS


@pytest.mark.parametrize(
    ("channels", "starts"), [(1, (0, 60, 80)), (2, (0, 98, 99)), (12, (0, 1, 2)), (16, (0, 9, 50))]
)
def test_nothing_is_cut_off_in_a_picture_of_a_series(tmp_path, figures, series, channels, starts):
    raw = series(*(np.sin(np.arange(100)) * 10.0**channel for channel in range(-3, channels - 3)))
    draw_series(tmp_path / "preview.png", "a_name", raw, dict(zip(("train", "val", "test"), starts, strict=True)))
    assert_legible(figures[0])
    said = {item.get_text() for item in texts(figures[0])}
    assert {"a_name", "a [m]", "year", f"train: {starts[1]}", f"test: {100 - starts[2]}"} <= said
    assert len(figures[0].axes) == min(channels, series_preview.MOST_CHANNELS)


def test_splits_are_shaded_from_their_first_step_to_the_next_split(tmp_path, figures, series):
    draw_series(tmp_path / "preview.png", "a", series(list(range(10))), {"train": 0, "val": 6, "test": 8})
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in figures[0].axes[0].patches]
    assert spans == [(2000, 2006), (2006, 2008), (2008, 2009)]


def test_days_and_seconds_since_a_date_are_dates():
    assert as_dates(np.array([0.0, 20000.5]), "days since 1970-01-01").astype(str).tolist() == [
        "1970-01-01T00:00:00",
        "2024-10-04T12:00:00",
    ]
    assert str(as_dates(np.array([90.0]), "seconds since 2000-01-01 10:00")[0]) == "2000-01-01T10:01:30"
    assert as_dates(np.array([2000.0]), "year") is None


def test_names_of_the_user_are_no_formulas(tmp_path, figures, series):
    raw = dataclasses.replace(series(list(range(100))), time_unit="$\\frac$")
    draw_series(tmp_path / "a.png", "a", raw, {"train": 0, "val": 60, "test": 80})
    images, labels = random_images(2, (8, 8))
    draw_images(tmp_path / "b.png", "a", images, labels, ["a", "b"], counts(2), "by $\\frac$")
    draw_sequences(tmp_path / "c.png", "a", [np.zeros((3, 1))] * 4, labels, ["a", "b"], counts(2), ["x"], "by $\\frac$")
    for figure in figures:
        assert any(r"\$\frac\$" in item.get_text() for item in texts(figure))


def test_a_series_over_dates_says_its_period_in_dates(tmp_path, figures, series):
    raw = dataclasses.replace(series(list(range(100))), time=20000.0 + np.arange(100), time_unit=DAYS)
    draw_series(tmp_path / "preview.png", "a_name", raw, {"train": 0, "val": 60, "test": 80})
    assert_legible(figures[0])
    assert any("2024-10-04 to 2025-01-11" in text.get_text() for text in figures[0].texts)
    assert not any("days since" in text.get_text() for text in texts(figures[0]))


def test_a_long_line_keeps_its_extremes():
    values = np.zeros(50_000)
    values[12_345], values[40_000] = 9, -9
    rows = outline(values)
    assert {12_345, 40_000} <= set(rows.tolist()) and len(rows) <= 8000 and (np.diff(rows) > 0).all()


@pytest.mark.parametrize(("frames", "size", "channels"), [(16, (32, 32), 3), (1, (8, 8), 1), (5, (10, 60), 1)])
def test_nothing_is_cut_off_in_a_picture_of_clips(tmp_path, figures, frames, size, channels):
    clips = np.random.default_rng(0).integers(0, 256, (6, frames, channels, *size), np.uint8)
    draw_clips(tmp_path / "preview.png", "a_name", clips, np.arange(6) % 3, ["run", "walk", "wave"], counts(3))
    assert_legible(figures[0])
    assert {"run", "walk", "wave", "train", "100"} <= {item.get_text() for item in texts(figures[0])}


def test_frames_of_a_clip_stand_side_by_side():
    clips = np.arange(3 * 2, dtype=np.uint8).reshape(3, 2, 1, 1, 1).repeat(4, 3).repeat(4, 4)
    picture = filmstrip(clips, np.array([0, 1, 0]), 2, np.array([0, 1]))[..., 0]
    # the gap between clips is twice a pixel wide
    assert picture[0].tolist() == [0] * 4 + [1] * 4 + [255] * 2 + [4] * 4 + [5] * 4 + [255] * 2
    assert picture[5, :8].tolist() == [2] * 4 + [3] * 4


@pytest.mark.parametrize("channels", [["x"], ["x", "y", "a very long name of a channel indeed"], list("abcdefghij")])
@pytest.mark.parametrize("num_classes", [2, 40])
def test_nothing_is_cut_off_in_a_picture_of_sequences(tmp_path, figures, channels, num_classes):
    random = np.random.default_rng(0)
    sequences = [random.normal(size=(int(length), len(channels))) for length in random.integers(1, 90, 80)]
    classes = [f"class {number}" for number in range(num_classes)]
    labels = np.arange(80) % num_classes
    draw_sequences(tmp_path / "a.png", "a_name", sequences, labels, classes, counts(num_classes), channels)
    assert_legible(figures[0])
    said = {item.get_text() for item in texts(figures[0])}
    assert "class 0" in said and (num_classes == 2 or "and 15 more classes" in said)


@pytest.mark.parametrize("num_classes", [2, 30])
@pytest.mark.parametrize("lengths", [None, np.arange(60)])
def test_nothing_is_cut_off_in_a_picture_of_texts(tmp_path, figures, num_classes, lengths):
    classes = [f"class {number}" for number in range(num_classes)]
    some = ["short", "", "Wörter und $5 $ \n" * 90, "\u4e2d\u6587 \U0001f600"] * 15
    draw_texts(tmp_path / "a.png", "a_name", some, np.arange(60) % num_classes, classes, counts(num_classes), lengths)
    assert_legible(figures[0])
    said = {item.get_text() for axes in figures[0].axes for item in axes.texts}
    assert {"short", "(empty)"} <= said


def test_only_the_texts_that_are_drawn_are_read(tmp_path):
    class Texts(list):
        read = 0

        def __getitem__(self, index):
            self.read += 1
            return super().__getitem__(index)

        def __iter__(self):
            raise AssertionError("all texts are read")

    some = Texts(["a text"] * 500)
    labels = np.arange(500) % 2
    draw_texts(tmp_path / "a.png", "a", some, labels, ["a", "b"], counts(2), lengths=np.full(500, 2))
    assert some.read == 6


def test_running_text_is_wrapped_and_cut(tmp_path, figures):
    draw_corpus(tmp_path / "a.png", "a_name", "x" * 200 + "\n$\n" + "line\n" * 90, {"train": 10, "val": 2, "test": 3})
    assert_legible(figures[0])
    said = [text.get_text() for text in figures[0].texts]
    assert "x" * 92 in said and "x" * 16 in said and said[-1] == "…"


def test_nothing_is_cut_off_in_a_picture_of_rows(tmp_path, figures):
    random = np.random.default_rng(0)
    columns = {f"column {number}": random.normal(size=90) * 10.0 ** (number - 6) for number in range(14)}
    columns |= {
        "city": random.choice([f"a long city name {number}" for number in range(20)], 90),
        "a target with a name that is too long": random.choice(["yes", "no"], 90),
    }
    target = "a target with a name that is too long"
    draw_rows(tmp_path / "a.png", "a_name", columns, {"train": 90, "val": 9, "test": 20}, target)
    assert_legible(figures[0])
    assert len(figures[0].axes) == 12
    heading = figures[0].axes[0].texts[0]
    assert heading.get_text().endswith("(target)")
    assert heading.get_color() not in style.COLOURS.values(), "it looks as if it were a split"


@pytest.mark.parametrize("values", [[0.3, 0.1 + 0.2], [1e17, 1e17 + 16], [-1e38, 1e38], [5e-324, 0], [np.nan, 1]])
def test_numbers_a_hair_apart_are_drawn(tmp_path, figures, values):
    columns = {"size": np.array(values * 20), "kind": np.array(["a", "b"] * 20)}
    draw_rows(tmp_path / "a.png", "a_name", columns, {"train": 40, "val": 9, "test": 20}, "kind")
    assert sum(bar.get_height() for bar in figures[0].axes[1].patches) == 20 * np.isfinite(values).sum()


def test_the_same_picture_is_the_same_bytes(tmp_path):
    images, labels = random_images(3, (8, 8))
    for name in ("a", "b"):
        draw_images(tmp_path / name, "a_name", images, labels, ["a", "b"], counts(2))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
