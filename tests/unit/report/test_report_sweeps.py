import contextlib
import shutil
from pathlib import Path

import pytest
from fabricated_study import edit, experiment, fabricate
from fabricated_sweep import DROPOUT, ERROR, LR, fabricate_sweep, tuned_experiment
from html_outline import Page

from snaketorch.errors import UserError
from snaketorch.report import sweeps
from snaketorch.report.gain import gain
from snaketorch.report.matrices import varied
from snaketorch.report.metric_range import MetricRange
from snaketorch.report.study import report

OUT = Path("results/report.html")


def make(spec) -> str:
    report(spec, results=Path("results"), out=OUT, code="00ff" * 4)
    return OUT.read_text("utf-8")


def over(values, first=0):
    return {"values": {str(seed): value for seed, value in enumerate(values, start=first)}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study with a sweep, and the spec of its page."""
    root = tmp_path_factory.mktemp("swept")
    return root, fabricate_sweep(root)


@pytest.fixture(scope="module")
def page(made):
    root, spec = made
    with contextlib.chdir(root):
        return Page(make(spec))


@pytest.fixture
def study(made, tmp_path, monkeypatch):
    """A copy to spoil; its spec."""
    root, spec = made
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return spec


def rows_of(page, name):
    """The cells of the table in the region with this name, row by row."""
    (region,) = [one for one in page.all("div", class_="scroll") if one.attributes["aria-label"] == name]
    return [
        [cell.text for cell in page.elements if cell.parent is row and cell.tag in ("th", "td")]
        for row in page.within(region, "tr")
    ]


def test_a_page_with_a_sweep_is_well_made_and_fetches_nothing(page):
    assert page.problems == [] and page.requests() == []


def test_the_best_configuration_stands_beside_the_default_one(page):
    _, *rows = rows_of(page, "Best configuration of swept")

    assert [row[:3] for row in rows] == [
        [LR, "0.003", "0.0985 at the edge"],
        [DROPOUT, "0.25", "0.25"],
        ["lr_scheduler", "{kind: one_cycle}", "{kind: none}"],
        ["optimizer.betas", "[0.9, 0.999]", "[0.8, 0.99]"],
    ]
    assert [row[3] for row in rows][:2] == ["0.0001 to 0.1, logarithmic", "0, 0.25, 0.5"]
    assert rows[3][3] == "[0.9, 0.999], [0.8, 0.99]; with optimizer.kind adamw"


def test_what_was_tried_is_told_with_what_it_took(page):
    facts = {term.text: value.text for term, value in zip(page.all("dt"), page.all("dd"), strict=True)}

    assert facts["Trials"] == "6: 1 failed, 2 finished, 1 out of memory, 2 stopped early"
    assert facts["Epochs"] == "48 of 120: 60 % saved"
    assert facts["Search and scheduler"] == "optuna, asha"
    assert facts["Trials at once"] == "1.9 on average" and facts["Time"] == "1 min 20 s"


def test_a_value_at_the_edge_and_failed_trials_are_told(page):
    warning, failed = [one.text for one in page.all("li") if one.parent.attributes.get("class") == "findings"][:2]

    assert "The best optimizer.lr, 0.0985, is at the edge of its range (0.0001 to 0.1, logarithmic)" in warning
    assert "2 trials came to no result." in failed
    assert "Trial 3 (optimizer.lr 0.004, model.dropout 0.25, lr_scheduler {kind: none}, " in failed
    assert f": {ERROR}" in failed and "Trial 4, out of memory" in failed


def test_the_figures_of_the_sweep_are_on_the_page(page):
    captions = [one.text for one in page.all("figcaption")]

    for title, caption in sweeps.FIGURES.values():
        assert f"{title}. {caption}" in captions


def test_the_best_trials_are_listed_best_first(page):
    _, *rows = rows_of(page, "Best trials of swept")

    assert [row[:2] for row in rows] == [["2", "0.9700"], ["0", "0.9000"], ["5", "0.6000"], ["1", "0.5000"]]
    assert rows[0][6:] == ["3 of 12", "10 s", "finished"] and rows[2][-1] == "stopped early"


def test_trials_that_the_time_cut_off_are_listed_where_no_other_came_to_a_result(study):
    path = Path("results/experiments/swept/tune/trials.csv")
    path.write_text(path.read_text().replace("finished", "unfinished").replace("stopped", "unfinished"))

    _, *rows = rows_of(Page(make(study)), "Best trials of swept")

    assert [row[:2] for row in rows][:2] == [["2", "0.9700"], ["0", "0.9000"]] and rows[0][-1] == "unfinished"


def test_the_gain_is_a_number_with_an_interval(page):
    (said,) = page.all("div", class_="gain")

    # digits_cnn has 0.9861, 0.9917 and 0.9889, digits_lstm 0.9694 and 0.9750
    assert "+0.017 test accuracy against digits_lstm, the same without the sweep; 95 % interval" in said.text
    assert "Welch" in said.text and "tuned" in [chip.text for chip in page.all("span", class_="chip")]


def test_equal_seeds_are_compared_with_themselves():
    found = gain(over([0.95, 0.97, 0.99]), over([0.94, 0.955, 0.985]), "max")

    # differences 0.01, 0.015 and 0.005: deviation 0.005, t 4.303
    assert found.paired and found.difference == pytest.approx(0.01)
    assert found.interval == pytest.approx((0.01 - 0.012421, 0.01 + 0.012421), abs=1e-5)
    assert found.verdict == "unclear"


def test_other_seeds_are_compared_by_welch():
    found = gain(over([20.0, 21.0, 22.0]), over([30.0, 31.0, 32.0, 33.0], first=3), "min")

    # variances 1/3 and 5/12, 4.96 degrees of freedom: 4, t 2.776
    half = 2.776445 * (1 / 3 + 5 / 12) ** 0.5
    assert not found.paired and found.interval == pytest.approx((-10.5 - half, -10.5 + half), abs=1e-4)
    assert found.verdict == "better"


def test_no_difference_is_larger_than_the_metric_allows():
    pair = over([0.1, 0.9]), over([0.8, 0.2])

    low, high = gain(*pair, "max").interval
    assert (low, high) == pytest.approx((-8.89, 8.89), abs=0.01)
    assert gain(*pair, "max", MetricRange(0.0, 1.0)).interval == (-1.0, 1.0)
    assert gain(*pair, "max", MetricRange(low=0.0)).interval == (low, high)


@pytest.mark.parametrize(
    ("tuned", "default", "mode", "verdict"),
    [
        ([0.9, 0.91], [0.8, 0.81], "max", "better"),
        ([0.8, 0.81], [0.9, 0.91], "max", "worse"),
        ([0.8, 0.81], [0.9, 0.91], "min", "better"),
        ([0.9, 0.91], [0.9, 0.91], "max", "unclear"),
        ([0.9], [0.8], "max", "untold"),
        ([0.9, None], [0.8, 0.8], "max", "untold"),
        ([0.9, 0.9], [0.8], "max", "untold"),
    ],
)
def test_the_interval_says_what_may_be_said_of_a_sweep(tuned, default, mode, verdict):
    assert gain(over(tuned), over(default), mode).verdict == verdict


def test_one_seed_is_said_to_have_no_interval(tmp_path, monkeypatch):
    spec = fabricate_sweep(tmp_path, tuned_experiment(seeds=[0]))
    monkeypatch.chdir(tmp_path)

    (said,) = Page(make(spec)).all("div", class_="gain")

    assert "One seed has no interval: this difference may be chance" in said.text and "%" not in said.text


def test_a_sweep_without_its_baseline_promises_nothing(study):
    text = make(study.model_copy(update={"siblings": {}}))

    assert "so what the sweep gained is not known" in text and 'class="gain' not in text


def test_trials_that_shared_the_time_of_one_process_are_counted_and_not_timed(study):
    record = Path("results/experiments/swept/tune/sweep.json")
    edit(record, "how", to={"engine": "vectorised", "at_once": 12})

    assert "<dd>up to 12, side by side in one process</dd>" in make(study)

    edit(record, "how", "at_once", to=0)  # nothing was trained any more
    assert "Trials at once" not in make(study)


def test_models_that_were_trained_with_other_values_are_refused(study):
    path = Path("results/experiments/swept/tune/best.yaml")
    path.write_text(path.read_text().replace("0.0985", "0.05"))

    with pytest.raises(
        UserError, match=r"seed-0/record.json: was not trained with the values that .*best.yaml has now"
    ):
        make(study)


def test_a_sweep_of_other_data_is_refused(study):
    edit(Path("results/experiments/swept/tune/sweep.json"), "inputs", "manifest", "digest", to="other")

    with pytest.raises(UserError, match="was made with another version of the data 'digits'"):
        make(study)


@pytest.mark.parametrize("name", ["sweep.json", "trials.csv", "figures/slices.svg"])
def test_a_missing_file_of_a_sweep_is_named(study, name):
    (Path("results/experiments/swept/tune") / name).unlink()

    with pytest.raises(UserError, match=name):
        make(study)


def test_too_many_figures_are_named_by_their_paths(study, monkeypatch):
    monkeypatch.setattr(sweeps, "MAX_BYTES", 1)

    page = Page(make(study))

    assert "experiments/swept/tune/figures/history.svg" in [one.attributes.get("href") for one in page.all("a")]
    assert not [one for one in page.all("figcaption") if one.text.startswith("Optimisation history")]


@pytest.fixture(scope="module")
def matrix_page(tmp_path_factory):
    root = tmp_path_factory.mktemp("matrix")
    members = {
        f"grid-{rate}-{size}": experiment(
            "digits_lstm",
            seeds=[0, 1],
            optimizer={"kind": "adamw", "lr": rate / 1000},
            data_loader={"batch_size": size},
            description=f"{rate} {size}",
        )
        for rate in (1, 3)
        for size in (32, 64)
    }
    spec = fabricate(root, {**members, "digits_cnn": experiment("digits_cnn")})
    with contextlib.chdir(root):
        return Page(make(spec.model_copy(update={"matrices": {"grid": list(members)}})))


def test_a_matrix_is_one_table_with_its_keys_as_columns(matrix_page):
    head, *rows, ticks = rows_of(matrix_page, "Matrix grid")

    assert matrix_page.problems == []
    assert head[:2] == ["optimizer.lr", "data_loader.batch_size"] and head[2].startswith("Accuracy")
    assert [row[:2] for row in rows] == [["0.001", "32"], ["0.001", "64"], ["0.003", "32"], ["0.003", "64"]]
    assert (
        ticks[:2] == ["", "0.97 0.98"]
        and rows[0][2] == "0.972 (0.937 to 1.000)"
        and [row[-1] for row in rows][1:] == ["grid-1-64", "grid-3-32", "grid-3-64"]
    )


def test_one_experiment_stands_for_its_matrix_on_the_leaderboard(matrix_page):
    (board,) = matrix_page.all("table", class_="leaderboard")
    names = [one.text for one in matrix_page.within(board, "th") if one.attributes["scope"] == "row"]

    assert names == ["digits_cnn best", "grid-1-32best of 4 of grid"]
    assert [one.attributes["id"] for one in matrix_page.all("section", class_="experiment")] == [
        *(f"x-grid-{rate}-{size}" for rate in (1, 3) for size in (32, 64)),
        "x-digits_cnn",
    ]


def test_what_follows_from_another_model_is_no_column():
    cnn, mlp = {"model.kind": "cnn", "model.channels": [8]}, {"model.kind": "mlp", "model.hidden": [64]}
    common = {"optimizer.lr": 0.1}

    assert varied([cnn | common, mlp | common]) == ["model.kind"]
    more = {"model.dropout": 0.5}
    assert varied([cnn | more, mlp | more, cnn, mlp]) == ["model.kind", "model.dropout"]
