import io
import sys

import datasets
import numpy as np
import pytest
from PIL import Image

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources.huggingface import load
from snaketorch.errors import DataError, UserError

KINDS = datasets.ClassLabel(names=["news", "sport"])


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()


def load_hub(path, content="texts", **source):
    source = {"kind": "huggingface", "path": str(path), "content": content, **source}
    return load(PrepareSpec.model_validate({"dataset": "some", "source": source, "split": {}, "prepare": {}}))


def texts(count, label=None, named=True):
    labels = [row % 2 for row in range(count)] if label is None else [label] * count
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": KINDS if named else datasets.Value("string")}
    )
    labels = labels if named else [f"k{label}" for label in labels]
    return datasets.Dataset.from_dict({"text": [f"text {row}" for row in range(count)], "label": labels}, features)


def test_texts_come_with_their_splits_and_classes(tmp_path):
    parts = {"train": texts(6), "validation": texts(2), "test": texts(4), "unsupervised": texts(3)}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "some")
    raw = load_hub(tmp_path / "some")
    assert raw.classes == ("news", "sport")
    assert {split: rows.tolist() for split, rows in raw.given.items()} == {
        "train": list(range(6)),
        "val": [6, 7],
        "test": [8, 9, 10, 11],
    }
    assert list(raw.texts())[6:9] == list(raw.texts())[6:9] == ["text 0", "text 1", "text 0"]
    assert raw.labels.tolist() == [0, 1] * 6
    assert raw.names[6] == "validation row 0"


def test_one_split_is_left_to_be_split_by_shares(tmp_path):
    texts(6, named=False).save_to_disk(tmp_path / "some")
    raw = load_hub(tmp_path / "some")
    assert (raw.given, raw.classes) == ({}, ("k0", "k1"))


def test_a_test_split_without_labels_is_left_out(tmp_path):
    datasets.DatasetDict({"train": texts(6), "test": texts(2, label=-1)}).save_to_disk(tmp_path / "some")
    raw = load_hub(tmp_path / "some")
    assert (len(raw.labels), raw.given) == (6, {})


def labelled(labels, feature):
    columns = {"text": [f"text {label}" for label in labels], "label": labels}
    features = datasets.Features({"text": datasets.Value("string"), "label": feature})
    return datasets.Dataset.from_dict(columns, features)


@pytest.mark.parametrize(
    "test",
    [
        labelled([1, 0], datasets.ClassLabel(names=["sport", "news"])),
        labelled(["news", "sport"], datasets.Value("string")),
    ],
    ids=["another order of the names", "names themselves"],
)
def test_splits_that_write_their_classes_differently_are_brought_together_by_name(tmp_path, test):
    datasets.DatasetDict({"train": labelled([0, 1, 1], KINDS), "test": test}).save_to_disk(tmp_path / "some")
    raw = load_hub(tmp_path / "some")
    assert raw.classes == ("news", "sport")
    assert raw.labels.tolist() == [0, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (
            labelled([0, 1], KINDS),
            labelled(["sports"], datasets.Value("string")),
            r"\(test\): 'label' is 'sports', which is no class of .*: news, sport; did you mean 'sport'",
        ),
        (labelled([0, 1], KINDS), labelled([1], datasets.Value("int64")), "is '1', which is no class"),
        (
            labelled(["a", "b"], datasets.Value("string")),
            labelled([1], datasets.Value("int64")),
            "allowed: labels of one kind in all splits",
        ),
    ],
)
def test_splits_whose_classes_cannot_be_brought_together_are_refused(tmp_path, train, test, message):
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(tmp_path / "some")
    with pytest.raises(DataError, match=message):
        load_hub(tmp_path / "some")


def test_images_are_decoded_as_they_are_asked_for(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    files = []
    for image in pixels:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "PNG")
        files.append({"bytes": stream.getvalue(), "path": None})
    files[2] = {"bytes": b"no image", "path": None}
    features = datasets.Features({"image": datasets.Image(), "label": KINDS})
    datasets.Dataset.from_dict({"image": files, "label": [0, 1, 0, 1]}, features).save_to_disk(tmp_path / "some")
    raw = load_hub(tmp_path / "some", "images")
    (found,) = raw.reader.parts(np.array([3, 0, 2]))
    assert np.array_equal(found[0], pixels[3].transpose(2, 0, 1))
    assert np.array_equal(found[1], pixels[0].transpose(2, 0, 1))
    assert isinstance(found[2], DataError)


def test_the_shapes_of_images_are_read_from_their_headers(tmp_path):
    Image.new("L", (6, 5)).save(tmp_path / "one.png")
    stream = io.BytesIO()
    Image.new("RGB", (600, 500)).save(stream, "JPEG")
    cut = stream.getvalue()[:800]
    files = [{"bytes": cut, "path": None}, None, {"bytes": None, "path": str(tmp_path / "one.png")}]
    features = datasets.Features({"image": datasets.Image(), "label": KINDS})
    datasets.Dataset.from_dict({"image": files, "label": [0, 1, 0]}, features).save_to_disk(tmp_path / "some")
    reader = load_hub(tmp_path / "some", "images").reader
    shapes = list(reader.shapes(np.arange(3)))
    assert (shapes[0], shapes[2]) == ((3, 500, 600), (1, 5, 6))
    found = [sample for part in reader.parts(np.arange(3)) for sample in part]
    assert [str(sample) for sample in (shapes[1], found[1])] == ["there is no image; allowed: one a row"] * 2
    assert "truncated" in str(found[0])
    assert found[2].shape == (1, 5, 6)


@pytest.mark.parametrize(
    ("content", "source", "message"),
    [
        ("texts", {"input": "txt"}, "source.input: there is no column 'txt' in .*; did you mean 'text'"),
        ("texts", {"label": "labels"}, "source.label: there is no column 'labels' in .*; did you mean 'label'"),
        ("images", {"input": "text"}, "allowed for `content: images`: a column of images"),
        ("texts", {"input": "label"}, "allowed for `content: texts`: a column of texts"),
    ],
)
def test_columns_that_do_not_fit_are_refused(tmp_path, content, source, message):
    texts(4).save_to_disk(tmp_path / "some")
    with pytest.raises(DataError, match=message):
        load_hub(tmp_path / "some", content, **source)


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"was not written by save_to_disk"):
        load_hub(tmp_path)


def test_a_name_that_cannot_be_reached_says_what_to_do(monkeypatch):
    def refuse(*arguments, **options):
        raise ConnectionError("Couldn't reach 'ag_news' on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(DataError, match=r"ag_news: .*HF_HUB_OFFLINE=1"):
        load_hub("ag_news")


def test_without_the_package_its_name_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install snaketorch\[huggingface\]"):
        load_hub("ag_news")
