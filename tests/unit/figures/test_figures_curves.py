import numpy as np
import pytest
from drawn_figures import history

from snaketorch.figures.curves import learning_curves
from snaketorch.figures.history import measured, read_history


def lines(axes):
    return {line.get_label(): np.column_stack(line.get_data()) for line in axes.get_lines()}


def test_a_history_keeps_only_what_was_measured(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,step,train/loss,val/loss\n1,10,0.5,\n2,20,0.25,0.75\n")
    rows = read_history(path)
    assert rows[0] == {"epoch": 1, "step": 10, "train/loss": 0.5}
    assert measured(rows, "train/loss") == ([1, 2], [0.5, 0.25])
    assert measured(rows, "val/loss") == ([2], [0.75])


def test_one_seed_is_drawn_as_it_was_measured():
    rows = history()
    loss, accuracy = learning_curves({4: rows}, ["loss", "accuracy"], {4: 9}).axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert lines(loss)["training"][:, 1].tolist() == [row["train/loss"] for row in rows]
    assert lines(accuracy)["validation"][:, 1].tolist() == [row["val/accuracy"] for row in rows]


def test_the_kept_epoch_is_marked_at_its_validation():
    rows = history()
    loss, accuracy = learning_curves({4: rows}, ["loss", "accuracy"], {4: 9}).axes
    assert lines(loss)["kept: epoch 9"].tolist() == [[9, rows[8]["val/loss"]]]
    assert lines(accuracy)["kept: epoch 9"].tolist() == [[9, rows[8]["val/accuracy"]]]


def test_nothing_is_marked_when_no_epoch_was_kept():
    (loss,) = learning_curves({4: history()}, ["loss"]).axes
    assert set(lines(loss)) == {"training", "validation"}


def test_the_mean_over_seeds_ends_with_the_shortest_training():
    rows = {0: history(8, 0), 1: history(5, 1)}
    (loss,) = learning_curves(rows, ["loss"]).axes
    mean = lines(loss)["validation, mean of 2 seeds"]
    assert mean[:, 0].tolist() == [1, 2, 3, 4, 5]
    expected = [(rows[0][i]["val/loss"] + rows[1][i]["val/loss"]) / 2 for i in range(5)]
    np.testing.assert_allclose(mean[:, 1], expected)


def test_validation_of_some_epochs_is_a_line_through_those():
    rows = [
        {key: value for key, value in row.items() if row["epoch"] % 2 == 0 or "val" not in key} for row in history()
    ]
    (loss,) = learning_curves({0: rows}, ["loss"]).axes
    assert lines(loss)["validation"][:, 0].tolist() == [2, 4, 6, 8, 10, 12]


@pytest.mark.parametrize(("lowest", "scale"), [(1.0, "linear"), (0.001, "log")])
def test_a_loss_over_many_magnitudes_is_shown_on_a_logarithmic_axis(lowest, scale):
    rows = [{"epoch": float(epoch), "train/loss": max(2.0 * 0.1**epoch, lowest)} for epoch in range(6)]
    (loss,) = learning_curves({0: rows}, ["loss"]).axes
    assert loss.get_yscale() == scale


def test_a_metric_is_shown_once():
    assert len(learning_curves({0: history()}, ["loss", "loss"]).axes) == 1
