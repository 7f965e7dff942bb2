import math

import numpy as np
import pytest
from made_up_sweeps import ALL_KEYS, BATCH, KEYS, LR, MOMENTUM, OPTIMIZER, sweep
from matplotlib.collections import LineCollection

from snaketorch.figures.style import VERMILION, as_svg
from snaketorch.figures.sweep_curves import MOST, sweep_curves_figure
from snaketorch.figures.sweep_history import sweep_history_figure
from snaketorch.figures.sweep_importance import no_importance_figure, sweep_importance_figure
from snaketorch.figures.sweep_parallel import ABSENT, MOST_KEYS, sweep_parallel_figure
from snaketorch.figures.sweep_scales import KeyScale, MetricScale
from snaketorch.figures.sweep_slices import MOST_PANELS, sweep_slices_figure
from snaketorch.figures.sweep_trials import SweepTrial, TunedKey, short_path, the_best


def shown(axes):
    """What the lines with a label show, by label."""
    lines = {line.get_label(): np.column_stack(line.get_data()) for line in axes.get_lines()}
    return {label: points for label, points in lines.items() if not label.startswith("_")}


def bundles(axes):
    return {found.get_label(): found for found in axes.collections if isinstance(found, LineCollection)}


def trial(number, best, status="finished", **values):
    return SweepTrial(number, values, status, [(1, best)] if best is not None else [], best)


def test_the_best_so_far_never_gets_worse_and_ends_at_the_best():
    trials = [trial(0, 0.5), trial(1, 0.7), trial(2, 0.6, "stopped"), trial(3, None, "failed"), trial(4, 0.9)]
    (axes,) = sweep_history_figure(trials, "val/accuracy", "max").axes
    lines = shown(axes)
    assert lines["best so far"].tolist() == [[0, 0.5], [1, 0.7], [2, 0.7], [4, 0.9]]
    assert lines["best: trial 4, 0.9"].tolist() == [[4, 0.9]]
    assert lines["finished: 3"][:, 0].tolist() == [0, 1, 4]
    assert lines["stopped early: 1"].tolist() == [[2, 0.6]] and lines["failed: 1"][:, 0].tolist() == [3]


def test_a_failed_trial_is_never_the_best_whatever_it_had_come_to():
    trials = [trial(0, 0.5), trial(1, 0.99, "failed"), trial(2, 0.99, "running")]
    assert the_best(trials, "max").number == 0
    assert the_best([trials[1]], "max") is None


def test_a_diverged_trial_does_not_squeeze_the_others():
    trials = sweep(30, mode="min", diverged=(3, 8))
    (axes,) = sweep_history_figure(trials, "val/loss", "min").axes
    sound = [one.best for one in trials if one.best < 100]
    low, high = axes.get_ylim()
    assert low < min(sound) and max(sound) < high < 2 * max(sound)
    assert shown(axes)["beyond the axis: 2"][:, 0].tolist() == [3, 8]


@pytest.mark.parametrize("mode", ["min", "max"])
def test_what_is_good_is_never_cut_off(mode):
    values = [*np.linspace(0.5, 0.51, 20), 0.9 if mode == "max" else 0.1]
    scale = MetricScale(values, mode)
    assert scale.low < min(values) and max(values) < scale.high


def test_few_trials_are_all_shown_where_they_are():
    assert not any(MetricScale([0.1, 0.2, 1e6], "min").is_beyond(value) for value in (0.1, 0.2, 1e6))


def test_many_equal_results_hide_no_other():
    values = [0.98] * 30 + [0.5, 0.6]
    assert not any(MetricScale(values, "max").is_beyond(value) for value in values)


def test_losses_over_many_magnitudes_have_a_logarithmic_axis_and_accuracies_none():
    assert MetricScale([0.001, 0.01, 0.1, 1.0], "min").log
    assert not MetricScale([0.001, 0.01, 0.1, 1.0], "max").log
    assert not MetricScale([-0.1, 0.01, 10.0], "min").log


def test_the_place_on_a_logarithmic_key_is_that_of_its_logarithm():
    scale = KeyScale(LR, [1e-3])
    assert scale.share(1e-4) == 0 and scale.share(1e-1) == 1
    assert scale.share(math.sqrt(1e-5)) == pytest.approx(0.5)
    assert [label for _, label in scale.ticks(4)] == ["0.0001", "0.001", "0.01", "0.1"]


def test_options_stand_apart_evenly_numbers_by_size():
    scale = KeyScale(TunedKey("b", options=[128, 32, 64]), [64])
    assert scale.ticks(4) == [(0.0, "32"), (0.5, "64"), (1.0, "128")]


def test_options_that_are_sections_or_lists_have_labels_that_tell_them_apart():
    sections = [{"kind": "sgd", "lr": 0.1, "momentum": 0.9}, {"kind": "sgd", "lr": 0.1, "momentum": 0.5}]
    labels = [label for _, label in KeyScale(TunedKey("o", options=[*sections, [64, 32], None, True]), []).ticks(4)]
    assert len(set(labels)) == 5 and labels[2:] == ["64×32", "null", "true"]


def test_a_bound_that_depends_on_other_keys_leaves_the_axis_to_the_trials():
    scale = KeyScale(TunedKey("k", low=0.0), [0.2, 0.8])
    assert scale.share(0.4) == pytest.approx(0.5)
    assert KeyScale(TunedKey("k"), [0.3]).share(0.3) == 0.5


def test_each_trial_is_a_line_through_its_values_to_its_metric():
    trials = [trial(0, 0.2, **{LR.path: 1e-4, BATCH.path: 32}), trial(1, 0.8, **{LR.path: 1e-1, BATCH.path: 128})]
    (axes,) = sweep_parallel_figure(trials, [LR, BATCH], "val/accuracy", "max").axes
    (lines,) = (found for found in axes.collections if isinstance(found, LineCollection))
    worse, better = (segment[:, 1] for segment in lines.get_segments())
    assert worse[:2].tolist() == [0, 0] and better[:2].tolist() == [1, 1] and worse[2] < better[2]
    assert lines.get_alpha()[0] < lines.get_alpha()[1]
    best = next(line for line in axes.get_lines() if line.get_label() == "best: trial 1")
    assert best.get_color() == VERMILION


def test_a_key_that_a_trial_does_not_use_is_below_its_axis():
    used = trial(0, 0.2, **{OPTIMIZER.path: OPTIMIZER.options[0], MOMENTUM.path: 0.9})
    other = trial(1, 0.8, **{OPTIMIZER.path: OPTIMIZER.options[1]})
    (axes,) = sweep_parallel_figure([used, other], [OPTIMIZER, MOMENTUM], "val/accuracy", "max").axes
    best = next(line for line in axes.get_lines() if line.get_label() == "best: trial 1")
    assert best.get_ydata()[1] == ABSENT
    assert [text.get_text() for text in axes.texts].count("not used") == 1
    slices = sweep_slices_figure([used, other], [OPTIMIZER, MOMENTUM], "val/accuracy", "max").axes
    assert slices[1].get_xlabel() == "not used by 1 of 2"


def test_a_trial_that_failed_has_a_line_that_ends_before_the_metric():
    trials = sweep(20, failed=(4, 9))
    (axes,) = sweep_parallel_figure(trials, KEYS, "val/accuracy", "max").axes
    failed = bundles(axes)["failed: 2"].get_segments()
    assert [len(segment) for segment in failed] == [len(KEYS)] * 2


def test_of_many_keys_the_first_are_shown_and_the_figure_says_so():
    keys = [TunedKey(f"model.k{i}", low=0.0, high=1.0) for i in range(14)]
    trials = sweep(4, keys)
    (axes,) = sweep_parallel_figure(trials, keys, "val/accuracy", "max").axes
    assert axes.get_xlabel() == f"{14 - MOST_KEYS} more keys are not shown"
    figure = sweep_slices_figure(trials, keys, "val/accuracy", "max")
    assert len(figure.axes) == MOST_PANELS and figure.get_supxlabel() == f"{14 - MOST_PANELS} more keys are not shown"


def test_the_curves_of_stopped_trials_end_in_a_dot():
    trials = [
        SweepTrial(0, {}, "finished", [(1, 0.5), (2, 0.7), (3, 0.8)], 0.8),
        SweepTrial(1, {}, "finished", [(1, 0.5), (2, None), (3, 0.75)], 0.75),
        SweepTrial(2, {}, "stopped", [(1, 0.2)], 0.2),
        SweepTrial(3, {}, "stopped", [(1, 0.3), (2, 0.4)], 0.4),
    ]
    (axes,) = sweep_curves_figure(trials, "val/accuracy", "max").axes
    ends = [np.column_stack(line.get_data()).tolist() for line in axes.get_lines() if line.get_marker() == "o"]
    assert [[1, 0.2], [2, 0.4]] in ends
    (finished,) = bundles(axes)["finished: 1"].get_segments()
    assert finished.tolist() == [[1, 0.5], [3, 0.75]]
    assert shown(axes)["best: trial 0"].tolist() == [[1, 0.5], [2, 0.7], [3, 0.8]]


def test_500_trials_make_no_heavy_figures():
    trials = sweep(500, ALL_KEYS, epochs=60, failed=range(9, 500, 40))
    figure = sweep_curves_figure(trials, "val/accuracy", "max")
    drawn = sum(len(found.get_segments()) for found in bundles(figure.axes[0]).values())
    assert drawn <= MOST and f"({drawn + 1} of " in figure.axes[0].get_xlabel()
    assert len(as_svg(figure, "x")) < 600_000
    assert len(as_svg(sweep_parallel_figure(trials, ALL_KEYS, "val/accuracy", "max"), "x")) < 600_000


@pytest.mark.parametrize("trials", [[], sweep(2, failed=(0, 1)), sweep(1)], ids=["none", "failed", "one"])
def test_a_sweep_without_results_can_be_drawn_too(trials):
    for figure in (
        sweep_history_figure(trials, "val/accuracy", "max"),
        sweep_parallel_figure(trials, KEYS, "val/accuracy", "max"),
        sweep_slices_figure(trials, KEYS, "val/accuracy", "max"),
        sweep_curves_figure(trials, "val/accuracy", "max"),
    ):
        assert as_svg(figure, "x")


def test_the_key_that_matters_most_is_on_top():
    (axes,) = sweep_importance_figure({"a": (0.1, 0.02), "b": (0.7, 0.1), "c": (-0.01, 0.01)}, 0.9, 40, "m").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a", "c"]
    assert [bar.get_width() for bar in axes.patches] == [0.7, 0.1, 0.0]
    assert "90%" in axes.get_xlabel() and "40 trials" in axes.get_xlabel()


def test_without_enough_trials_the_figure_says_why_there_is_no_ranking():
    why = "6 trials with a result are too few to tell which of 2 keys matters; from 12 on they are compared. " * 2
    (axes,) = no_importance_figure(why).axes
    (text,) = axes.texts
    assert " ".join(text.get_text().split()) == why.strip() and text.get_text().count("\n") == 2


def test_a_long_path_keeps_its_end():
    assert short_path("optimizer.lr", 12) == "optimizer.lr"
    assert short_path("data_loader.batch_size", 14) == "…batch_size"
    assert short_path("model.a_very_long_name", 8) == "…ng_name"
