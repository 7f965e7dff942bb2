"""What a model made as it learnt, and what its test says in words, on the study page."""

from pathlib import Path

import numpy as np
import pytest
from fabricated_study import edit, experiment, run_summarise, seed_folder
from html_outline import Page
from PIL import Image

from snaketorch.report import datasets
from snaketorch.report.remarks import Remark, remarks
from snaketorch.report.results import read_experiment
from snaketorch.report.samples import MOST_CHARACTERS, MOST_EARLIER, samples
from snaketorch.report.study import report

NAME = "digits_lstm"


def picture(path: Path, shade: int) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((4, 6), shade, np.uint8)).save(path)


@pytest.fixture
def study(page_spec):
    for epoch in range(1, 24, 2):
        picture(seed_folder(NAME, 0) / "samples" / f"epoch-{epoch:04d}.png", epoch)
    return page_spec


def made(spec, kind: int = 0):
    return samples(read_experiment(Path("results"), spec.study, NAME))[kind]


def page_of(spec) -> str:
    report(spec, results=Path("results"), out=Path("results/report.html"), code="00ff" * 4)
    return Path("results/report.html").read_text("utf-8")


def test_samples_are_spread_over_the_training_and_the_last_is_among_them(study):
    found = made(study)
    assert [sample.epoch for sample in found.earlier] == [1, 5, 9, 15, 19]
    assert (found.last.epoch, found.count, found.seed) == (23, 12, 0)
    assert len({sample.picture for sample in [*found.earlier, found.last]}) == MOST_EARLIER + 1


def test_a_single_sample_is_the_last_one(page_spec):
    picture(seed_folder(NAME, 0) / "samples" / "epoch-0002.png", 0)
    assert (made(page_spec).earlier, made(page_spec).last.epoch) == ([], 2)


def test_other_files_and_no_folder_at_all_are_no_samples(page_spec):
    (seed_folder(NAME, 0) / "samples").mkdir()
    (seed_folder(NAME, 0) / "samples" / "notes.md").write_text("mine")
    for name in (NAME, "sunspots_gru"):
        assert samples(read_experiment(Path("results"), page_spec.study, name)) == []


def test_the_page_shows_pictures_by_epoch(study):
    page = Page(page_of(study))
    assert page.problems == []
    shown = [image.attributes["alt"] for image in page.all("img") if "made after" in image.attributes.get("alt", "")]
    assert shown[0] == f"Images that {NAME} made after epoch 1"
    assert shown[-1] == f"Images that {NAME} made after epoch 23"
    assert len(shown) == MOST_EARLIER + 1
    assert page.requests() == []


def test_a_picture_that_is_too_large_is_left_to_its_folder(study, monkeypatch):
    monkeypatch.setattr(datasets, "MAX_PICTURE_BYTES", 1)
    assert made(study).last.picture is None
    text = page_of(study)
    assert "made after epoch" not in text
    assert f"experiments/{NAME}/seed-0/samples" in text


def test_texts_are_shown_as_text(page_spec):
    folder = seed_folder(NAME, 0) / "samples"
    folder.mkdir()
    (folder / "epoch-0001.txt").write_text("<b>qx zzz</b>")
    (folder / "epoch-0002.txt").write_text("To be\n  or not & " + MOST_CHARACTERS * "x")
    text = page_of(page_spec)
    assert "&lt;b&gt;qx zzz&lt;/b&gt;" in text and "<b>qx" not in text
    assert "To be\n  or not &amp; xxx" in text and MOST_CHARACTERS * "x" not in text
    assert Page(text).problems == []


def test_what_several_seeds_say_stands_once_and_warnings_first():
    details = {
        0: {"notes": ["by pixels"], "warnings": ["collapsed"], "scale": [1.0]},
        1: {"notes": ["by pixels"], "warnings": []},
    }
    assert remarks(details) == [Remark("problem", "collapsed", [0]), Remark("note", "by pixels", [0, 1])]


def test_a_warning_is_on_the_page_with_its_seed(page_spec):
    edit(seed_folder(NAME, 1) / "metrics.json", "details", "warnings", to=["The generator has collapsed: all alike."])
    run_summarise(NAME, experiment(NAME))
    assert "Seed 1: The generator has collapsed: all alike." in page_of(page_spec)
