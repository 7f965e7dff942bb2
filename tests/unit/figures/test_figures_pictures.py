import numpy as np
import pytest
from drawn_figures import example, line, window

from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.examples import examples_figure, percent, reduced
from snaketorch.figures.forecasts import LONGEST, PANELS, error_figure, timeline_figure, windows_figure
from snaketorch.figures.language_modelling import Passage, context_figure, passages_figure
from snaketorch.figures.reliability import reliability_figure
from snaketorch.figures.style import BLUE, VERMILION


def test_each_cell_of_a_confusion_matrix_says_its_count():
    counts = np.array([[5, 0, 1], [2, 7, 0], [0, 0, 0]])
    (axes,) = confusion_figure(counts, ["a", "b", "c"]).axes
    shown = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    assert shown == {(i, j): str(counts[i, j] or "·") for i in range(3) for j in range(3)}
    assert axes.get_ylabel() == "true class" and axes.yaxis_inverted()


def test_mistakes_have_a_colour_of_their_own_and_cells_the_strength_of_their_share():
    (axes,) = confusion_figure(np.array([[3, 1], [0, 4]]), ["a", "b"]).axes
    right, wrong, sure = axes.collections[0].get_facecolor()
    assert right[3] < sure[3] == 1
    assert np.allclose(right[:3], sure[:3]) and not np.allclose(right[:3], wrong[:3])


def test_a_confidence_never_rounds_up_to_certainty():
    assert [percent(share) for share in (0.5, 0.9994, 0.99951, 1.0)] == ["50.0 %", "99.9 %", ">99.9 %", "100.0 %"]


def test_large_images_are_averaged_down_and_small_ones_left_alone():
    image = np.arange(1 * 5 * 8).reshape(1, 5, 8).astype(np.uint8)
    assert reduced(image, 8) is image
    expected = np.array([[[(0 + 1 + 8 + 9) / 4, 6, 8, 10], [20, 22, 24, 26]]]) + 0.5 * (np.arange(8).reshape(2, 4) > 0)
    np.testing.assert_array_equal(reduced(image, 4)[0], np.floor(expected[0]))
    assert reduced(np.zeros((3, 2, 900), np.uint8), 100).shape == (3, 1, 100)


def test_a_wrong_prediction_says_what_was_true():
    wrong, right = examples_figure([example("koi", "carp"), example("koi", "koi")], "Images").axes
    assert [text.get_text() for text in wrong.texts] == [">99.9 % sure", "is carp"]
    assert [text.get_text() for text in right.texts] == [">99.9 % sure"]
    assert wrong.title.get_color() == VERMILION != right.title.get_color()


def test_bars_of_reliability_reach_the_accuracy_and_the_confidence():
    counts, accuracy, confidence = np.array([0, 2, 6]), np.array([0.0, 0.5, 0.9]), np.array([0.0, 0.6, 0.8])
    top, bottom = reliability_figure(counts, accuracy, confidence).axes
    tops = {bars.get_label(): [bar.get_y() + bar.get_height() for bar in bars] for bars in top.containers}
    assert tops["too sure"][0] == pytest.approx(0.6) and tops["not sure enough"][1] == pytest.approx(0.9)
    assert tops["accuracy"] == pytest.approx([0.5, 0.8])
    assert [bar.get_height() for bar in bottom.patches] == [0, 0.25, 0.75]


def test_a_long_series_is_shown_at_its_end_and_says_so():
    (axes,) = timeline_figure([line("a", 1, steps=LONGEST + 7)], "year").axes
    assert len(axes.get_lines()[0].get_xdata()) == LONGEST
    assert f"last {LONGEST} of {LONGEST + 7}" in axes.get_title(loc="left")


def test_many_channels_are_cut_off_and_the_figure_says_so():
    axes = timeline_figure([line(f"channel {i}", 1, steps=5) for i in range(PANELS + 2)], "year").axes
    assert len(axes) == PANELS
    assert axes[-1].get_xlabel() == "time (year); 2 more panels are not shown"


def test_errors_of_few_steps_are_bars_and_of_many_are_lines():
    few, many = ({"model": np.arange(1.0, n), "persistence": np.arange(1.0, n)} for n in (4, 30))
    (axes,) = error_figure(few, "error").axes
    assert [bar.get_height() for bar in axes.containers[0]] == [1, 2, 3] and not axes.get_lines()
    (axes,) = error_figure(many, "error").axes
    assert len(axes.get_lines()) == 2 and axes.get_ylim()[0] == 0


def test_the_truth_runs_on_from_the_past_into_the_forecast():
    (axes,) = windows_figure([window()], "year", "A window").axes
    shown = {line.get_label(): line for line in axes.get_lines()}
    assert list(shown["truth"].get_xdata()) == list(100.0 + np.arange(15))
    assert list(shown["model"].get_xdata()) == [112, 113, 114]
    assert shown["persistence"].get_color() == BLUE


def test_a_token_is_coloured_over_the_signs_it_stands_for_by_how_much_it_surprises():
    passage = Passage(["The", " c", "at", "\n"], np.array([0.0, 4.0, 8.0, 99.0]))
    axes, _ = passages_figure([passage], "Some text").axes
    (boxes,) = axes.collections
    extents = [(box.vertices[:, 0].min(), box.vertices[:, 0].max()) for box in boxes.get_paths()]
    assert extents == [(3, 5), (5, 8)], "what was certain has no colour; equal colours are one box"
    assert boxes.get_facecolor()[0][3] < boxes.get_facecolor()[1][3]
    assert [(text.get_position()[0], text.get_text()) for text in axes.texts[:2]] == [(0, "The"), (4, "cat↵")]
    assert axes.texts[-1].get_text() == f"{passage.mean_bits:.1f}"


def test_the_curve_over_context_keeps_the_mean_of_what_it_puts_together():
    (axes,) = context_figure(np.arange(1.0, 129.0), {"unigram": 4.0}).axes
    curve, level = axes.get_lines()
    assert np.allclose(curve.get_xdata(), curve.get_ydata())
    assert (curve.get_xdata()[0], curve.get_xdata()[-1]) == (1, 128) and len(curve.get_xdata()) < 60
    assert level.get_ydata()[0] == 4.0
