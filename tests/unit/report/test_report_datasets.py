import pytest
from fabricated_study import RESULTS, experiment, fabricate

from snaketorch.config.contents import CONTENTS
from snaketorch.report.datasets import CAPTIONS, MAX_PICTURE_BYTES, Dataset, augmentation, datasets, picture
from snaketorch.report.results import read_experiment


def a_dataset(**manifest) -> Dataset:
    return Dataset("some", {"provides": "labelled images", "splits": {}, **manifest}, None, [])


def read(tmp_path, monkeypatch, name, **changes):
    spec = fabricate(tmp_path, {name: experiment(name, seeds=[0], **changes)})
    monkeypatch.chdir(tmp_path)
    return read_experiment(RESULTS, spec.study, name)


@pytest.mark.parametrize("content", CONTENTS)
def test_the_preview_of_every_content_has_a_caption(content):
    assert a_dataset(provides=content).caption.endswith(".") and len(CAPTIONS) == len(CONTENTS)


def test_what_is_counted_is_named():
    counted = {content: a_dataset(provides=content).counted for content in ("labelled images", "a time series")}
    assert counted == {"labelled images": "Samples", "a time series": "Steps"}
    assert a_dataset(provides="running text").counted == "Tokens"


def test_facts_are_said_in_words():
    facts = {
        "largest, height and width": [640, 480],
        "grey": True,
        "time": None,
        "tokens of a text": {"shortest": 7, "median": 37.0, "longest": 2178},
        "channels": ["a", "b"],
    }
    assert a_dataset(report={"facts": facts}).facts == [
        ("largest, height and width", "640 × 480"),
        ("grey", "yes"),
        ("tokens of a text", "shortest 7, median 37, longest 2,178"),
        ("channels", "a, b"),
    ]


def test_an_experiment_that_augments_has_a_picture_of_it(tmp_path, monkeypatch):
    found = read(tmp_path, monkeypatch, "digits_cnn")
    assert augmentation(found).startswith("data:image/png;base64,")
    assert datasets(RESULTS, [found])[0].picture.startswith("data:image/png;base64,")


@pytest.mark.parametrize("augment", [None, {}, {"interpolation": "bilinear"}])
def test_a_picture_that_is_left_from_before_is_not_shown(tmp_path, monkeypatch, augment):
    found = read(tmp_path, monkeypatch, "digits_cnn", augment=augment)
    (RESULTS / "experiments/digits_cnn/augmentation.png").write_bytes(b"of an earlier run")
    assert augmentation(found) is None


def test_a_picture_that_is_too_large_for_a_page_is_left_out(tmp_path):
    path = tmp_path / "some.png"
    assert picture(path) is None
    path.write_bytes(bytes(MAX_PICTURE_BYTES + 1))
    assert picture(path) is None
    path.write_bytes(b"png")
    assert picture(path) == "data:image/png;base64,cG5n"
