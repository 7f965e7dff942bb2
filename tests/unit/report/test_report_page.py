import base64
import contextlib
import hashlib
import re
from pathlib import Path

import pytest
from fabricated_study import CLASSES, dataset_folder, edit, experiment, fabricate, run_summarise, seed_folder
from html_outline import Page

from snaketorch.errors import UserError
from snaketorch.freshness import OF_A_SUMMARY
from snaketorch.report import gallery
from snaketorch.report.study import report

OUT = Path("results/report.html")
ATTACK = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'"


def make(spec) -> str:
    report(spec, results=Path("results"), out=OUT, code="00ff" * 4)
    return OUT.read_text("utf-8")


@pytest.fixture(scope="module")
def text(pristine) -> str:
    """The page of the whole study, made once."""
    root, spec = pristine
    with contextlib.chdir(root):
        return make(spec)


@pytest.fixture(scope="module")
def page(text) -> Page:
    return Page(text)


def test_the_page_is_well_made(page):
    assert page.problems == []


def test_the_page_fetches_nothing(page, text):
    assert page.requests() == []
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []


def test_the_page_is_small(text):
    assert len(text.encode()) < 5_000_000


def test_the_browser_may_run_one_script_and_load_nothing(page):
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    (script,) = page.all("script")

    sha256 = base64.b64encode(hashlib.sha256("".join(script.parts).encode()).digest()).decode()
    rules = policy.attributes["content"].split("; ")
    assert rules[0] == "default-src 'none'"
    assert f"script-src 'sha256-{sha256}'" in rules


def test_experiments_that_can_be_compared_share_a_leaderboard_best_first(page):
    digits, sunspots = page.all("table", class_="leaderboard")

    rows = [[cell.text for cell in page.elements if cell.parent is row] for row in page.within(digits, "tr")]
    assert [row[1] for row in rows[1:3]] == ["digits_cnn best", "digits_lstm"]
    assert rows[1][2:4] == ["cnn", "0.9889 ± 0.0070"]
    assert rows[1][5:] == ["3", "73,418", "34 s", "614 MiB"]
    names = [heading.text for heading in page.within(sunspots, "th") if heading.attributes["scope"] == "row"]
    assert names == ["sunspots_gru best", "seasonal naive baseline", "persistence baseline"]


def test_every_seed_is_a_point_of_the_interval_plot(page):
    plots = page.all("svg", class_="interval")

    assert plots[0].attributes["aria-label"] == "digits_cnn: 0.9889 ± 0.0070 over 3 seeds"
    assert len(page.within(plots[0], "circle")) == 3


def test_an_experiment_shows_metrics_details_configuration_and_origin(page):
    (section,) = [section for section in page.all("section") if section.attributes.get("id") == "x-sunspots_gru"]

    for text in (
        "A GRU that forecasts sunspots three years ahead",
        "MASE ↓ lower is better",
        "18.83 to 22.10",
        "Per step",
        "window: 33",
        "32-true; bf16-mixed took 1.9 times as long in a probe of 20 steps",
        "8c1f0e6b7d2a, with uncommitted changes",
        "snakemake -c4 --forceall results/experiments/sunspots_gru/summary.json",
        "python -m snaketorch train --spec",
        "0.750 ms",
        "train 202, val 46, test 61",
    ):
        assert text in section.text
    assert [heading.text for heading in page.within(section, "h4")] == [
        "Metrics of the test",
        "Learning curves",
        "Figures of the test",
        "Per step mean over seeds",
        "Cost",
        "Machine the most memory of a seed, means of all else",
        "Configuration",
        "Provenance",
        "Reproduce",
    ]


def test_what_stopped_earlier_attempts_is_told(text):
    assert "2 (before: host memory)" in text


def test_every_dataset_is_pictured(page):
    assert [image.attributes["alt"] for image in page.all("img")] == [
        "Training samples of digits_cnn beside augmented ones",
        "Samples of the dataset digits",
        "Samples of the dataset sunspots",
    ]


def test_text_of_users_never_becomes_markup(tmp_path, monkeypatch):
    config = experiment("digits_cnn", description=ATTACK, seeds=[0])
    spec = fabricate(tmp_path, {"digits_cnn": config}, title=ATTACK)
    monkeypatch.chdir(tmp_path)
    edit(dataset_folder("digits") / "manifest.json", "classes", to=[ATTACK, *CLASSES[1:]])
    rows = [{"class": ATTACK, "precision": 0.5}, {"class": ATTACK, "precision": 0.25}]
    edit(seed_folder("digits_cnn", 0) / "metrics.json", "details", to={ATTACK: rows})
    edit(seed_folder("digits_cnn", 0) / "record.json", "command", to=ATTACK)
    run_summarise("digits_cnn", config)
    page = Page(make(spec))

    assert page.problems == []
    assert len(page.all("script")) == 1
    assert [image for image in page.all("img") if "onerror" in image.attributes] == []
    assert page.all("title")[0].text == ATTACK
    assert page.all("h1")[0].text == ATTACK
    assert [text.text for text in page.all("p", class_="description")] == [ATTACK]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        *[(file, f"was made before .*digits_lstm/seed-1/{file} changed") for file in OF_A_SUMMARY.values()],
        ("history.csv", "digits_lstm/seed-1/history.csv: is not the file that record.json tells of"),
    ],
)
def test_a_file_that_changed_since_its_summary_stops_the_page(file, why, page_spec):
    path = seed_folder("digits_lstm", 1) / file
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(UserError, match=rf"{why}; .*--forcerun results/"):
        make(page_spec)
    assert not OUT.exists()


def test_a_missing_file_is_named(page_spec):
    (seed_folder("digits_lstm", 1) / "metrics.json").unlink()

    with pytest.raises(UserError, match=r"seed-1/metrics.json: is missing; make it again: snakemake"):
        make(page_spec)


def test_an_edited_configuration_stops_the_page(page_spec):
    path = Path("results/experiments/digits_cnn/config.yaml")
    path.write_text(path.read_text().replace("max_epochs: 20", "max_epochs: 2000"))

    with pytest.raises(UserError, match=r"was made before .*config.yaml changed"):
        make(page_spec)


def test_a_model_of_older_data_stops_the_page(page_spec):
    edit(dataset_folder("digits") / "manifest.json", "digest", to="feed" * 4)

    with pytest.raises(UserError, match=r"seed-0/model.ckpt: was trained on another version of the data 'digits'"):
        make(page_spec)


def test_a_summary_of_another_study_stops_the_page(page_spec):
    with pytest.raises(UserError, match="is of experiment 'digits_cnn' in study 'digits_and_sunspots'"):
        make(page_spec.model_copy(update={"study": "another"}))


def test_figures_beyond_the_limit_are_named_by_path(page_spec, monkeypatch):
    monkeypatch.setattr(gallery, "MAX_EXPERIMENTS", 2)  # the winners of both leaderboards
    page = Page(make(page_spec))

    links = [link.attributes["href"] for link in page.all("a") if link.attributes["href"].endswith(".svg")]
    assert links == [
        f"experiments/digits_lstm/seed-{seed}/figures/{stem}.svg"
        for seed in (0, 1)
        for stem in ("confusion", "reliability", "worst")
    ]
    assert "6 figures are named by their paths only" in page.all("main")[0].text
    assert page.problems == []


def test_a_full_page_draws_first_seeds_before_further_seeds(page_spec, monkeypatch):
    monkeypatch.setattr(gallery, "MAX_BYTES", 500_000)
    page = Page(make(page_spec))

    left_out = [link.text for link in page.all("a") if link.attributes["href"].endswith(".svg")]
    assert left_out
    assert [path for path in left_out if "seed-0" in path] == []
    assert OUT.stat().st_size < 900_000


def test_a_damaged_figure_is_named(page_spec):
    (seed_folder("digits_cnn", 0) / "figures" / "worst.svg").write_text("<svg")

    with pytest.raises(UserError, match=r"figures/worst.svg: is no SVG .*--forcerun .*seed-0/metrics.json"):
        make(page_spec)


def test_a_single_seed_has_no_picker_and_no_interval(tmp_path, monkeypatch):
    spec = fabricate(tmp_path, {"digits_cnn": experiment("digits_cnn", seeds=[2])})
    monkeypatch.chdir(tmp_path)
    page = Page(make(spec))

    assert page.problems == []
    assert page.all("fieldset") == []
    assert page.all("strong")[0].text == "0.9889"


def test_many_experiments_are_folded_and_can_be_filtered(tmp_path, monkeypatch):
    names = [f"digits_{number}" for number in range(13)]
    spec = fabricate(tmp_path, {name: experiment("digits_cnn", seeds=[0]) for name in names})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gallery, "MAX_EXPERIMENTS", 1)
    page = Page(make(spec))

    assert page.problems == []
    assert len(page.all("details", class_="body")) == 13
    assert len(page.all("input", type="search")) == 1


def test_findings_are_told_with_problems_first(page):
    (findings,) = [part for part in page.all("ul") if part.attributes.get("class") == "findings"]
    said = findings.text
    assert said.index("12 images are also in another split") < said.index("3 images are exact copies")
    assert "test: sample 9 = train: sample 49" in said


def test_skipped_samples_and_the_source_are_told(page, text):
    assert "2/broken &lt;1&gt;.png" in text
    assert "Skipped samples: 1" in text
    assert any(part.attributes.get("aria-label") == "Configuration of the dataset digits" for part in page.all("pre"))
