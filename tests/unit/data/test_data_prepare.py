import json
import os

import numpy as np
import pytest

from snaketorch.data import prepare as prepare_module
from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.data.pixel_statistics import pixel_statistics
from snaketorch.data.statistics import channel_statistics
from snaketorch.data.store import Store
from snaketorch.errors import DataError
from snaketorch.implementation import resolve

SMALL = {"val": 0.2, "test": 0.2}


@pytest.fixture
def give(monkeypatch):
    """Makes every source give this raw data."""

    def give(raw):
        monkeypatch.setattr(
            prepare_module, "resolve", lambda name: (lambda spec: raw) if ".sources." in name else resolve(name)
        )

    return give


def test_the_manifest_of_images_says_what_is_there(prepared_digits):
    content = json.loads(prepared_digits.path.read_text())
    assert content["format"] == 1
    assert content["provides"] == "labelled images"
    assert content["classes"] == list("0123456789")
    assert content["fields"]["image"] | {"statistics": None} == {
        "dtype": "uint8",
        "shape": [1, 8, 8],
        "statistics": None,
    }
    assert content["fields"]["label"] == {"dtype": "int64", "shape": []}
    assert content["spec"]["source"] == {"kind": "sklearn", "name": "digits"}
    assert content["record"].keys() == {
        "versions",
        "git",
        "host",
        "started",
        "wall_seconds",
        "code_digest",
        "source_digest",
    }
    assert sum(split["count"] for split in content["splits"].values()) == 1797
    for name, split in content["splits"].items():
        assert split.keys() == {"count", "arrays", "class_counts"}
        labels = prepared_digits.arrays(name)["label"]
        assert np.bincount(labels, minlength=10).tolist() == split["class_counts"]
        assert split["arrays"]["image"]["shape"] == [split["count"], 1, 8, 8]
        assert split["arrays"]["image"]["file"] == f"arrays/{name}_image.npy"


def test_the_manifest_of_a_series_says_what_is_there(prepared_sunspots):
    content = json.loads(prepared_sunspots.path.read_text())
    assert content["provides"] == "a time series"
    assert "classes" not in content
    value = content["fields"]["value"]
    assert (value["dtype"], value["shape"], value["names"]) == ("float32", [1], ["SUNACTIVITY"])
    assert content["fields"]["time"] == {"dtype": "float64", "shape": [], "unit": "year"}
    assert [content["splits"][name]["start"] for name in SPLITS] == [0, 216, 247]
    assert [content["splits"][name]["count"] for name in SPLITS] == [216, 31, 62]


def test_no_future_leaks_into_the_past(prepared_sunspots):
    times = [prepared_sunspots.arrays(name)["time"] for name in SPLITS]
    assert times[0].max() < times[1].min()
    assert times[1].max() < times[2].min()
    assert np.array_equal(np.concatenate(times), np.arange(1700, 2009))


def test_image_statistics_are_of_the_training_split_alone(prepared_digits):
    train = prepared_digits.arrays("train")["image"] / 255
    everything = np.concatenate([prepared_digits.arrays(name)["image"] for name in SPLITS]) / 255
    statistics = prepared_digits.fields["image"]["statistics"]
    assert statistics["mean"] == pytest.approx([train.mean()], rel=1e-12)
    assert statistics["std"] == pytest.approx([train.std()], rel=1e-12)
    assert statistics["mean"] != pytest.approx([everything.mean()], rel=1e-6)


def test_series_statistics_are_of_the_training_split_alone(prepared_sunspots):
    train = prepared_sunspots.arrays("train")["value"].astype(np.float64)
    statistics = prepared_sunspots.fields["value"]["statistics"]
    assert statistics["mean"] == pytest.approx(train.mean(axis=0), rel=1e-12)
    assert statistics["std"] == pytest.approx(train.std(axis=0), rel=1e-12)


def test_the_test_split_does_not_touch_the_statistics(dataset, give, series):
    values = np.arange(20.0)
    give(series(values))
    before = dataset.prepare("sunspots", SMALL).fields["value"]["statistics"]
    give(series(np.where(values >= 12, 1000 + values, values)))
    assert dataset.prepare("sunspots", SMALL).fields["value"]["statistics"] == before


def test_statistics_are_of_each_channel():
    pixels = np.zeros((2, 3, 1, 1), np.uint8)
    pixels[1] = np.array([255, 51, 102])[:, None, None]
    assert pixel_statistics(pixels)["mean"] == pytest.approx([0.5, 0.1, 0.2])
    assert pixel_statistics(pixels)["std"] == pytest.approx([0.5, 0.1, 0.2])
    values = np.array([[0, 10], [2, 30]], np.float32)
    assert channel_statistics(values) == {"mean": [1, 20], "std": [1, 10]}


def test_a_channel_that_does_not_change_is_kept_with_a_deviation_to_divide_by(dataset, give, images, series):
    raw = images(channels=3)
    raw.reader.samples[:, 1] = 51
    give(raw)
    found = dataset.prepare("digits", SMALL)
    assert found.fields["image"]["statistics"]["mean"][1] == pytest.approx(0.2)
    assert [std == 1 for std in found.fields["image"]["statistics"]["std"]] == [False, True, False]
    assert "constant channel" in [finding["check"] for finding in found.report["findings"]]
    give(series(np.arange(20.0), np.full(20, 7.0)))
    found = dataset.prepare("sunspots", SMALL)
    assert (found.fields["value"]["statistics"]["mean"][1], found.fields["value"]["statistics"]["std"][1]) == (7, 1)
    (finding,) = [finding for finding in found.report["findings"] if finding["check"] == "constant channel"]
    assert finding["examples"][0] == "train: b is 7"


@pytest.mark.parametrize(("source", "options"), [("digits", {"size": [6, 10], "channels": 3}), ("sunspots", {})])
def test_the_same_spec_gives_the_same_bytes(dataset, source, options):
    digest = dataset.prepare(source, options=options).digest
    first = dataset.files()
    assert dataset.prepare(source, options=options).digest == digest
    second = dataset.files()
    del first["manifest.json"], second["manifest.json"]  # has the time of day
    assert first == second


def test_another_seed_gives_another_digest(dataset):
    digest = dataset.prepare("digits", {"seed": 0}).digest
    assert dataset.prepare("digits", {"seed": 1}).digest != digest


def test_samples_keep_their_labels_and_their_order(dataset, give, images):
    raw = images(per_class=20)
    give(raw)
    manifest = dataset.prepare("digits", SMALL)
    for name in SPLITS:
        arrays = manifest.arrays(name)
        rows = [int(np.flatnonzero((raw.reader.samples == image).all(axis=(1, 2, 3)))[0]) for image in arrays["image"]]
        assert rows == sorted(rows)
        assert np.array_equal(arrays["label"], raw.labels[rows])


def test_a_split_without_a_class_is_reported(dataset, give, images, caplog):
    raw = images(per_class=5, classes=[str(index) for index in range(30)])
    give(raw)
    dataset.prepare("digits", {"val": 0.01, "test": 0.5, "stratify": False})
    assert "val has no sample of class" in caplog.text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([[5.0] * 20], "'a' is 5 all through the training split"),
        ([list(range(20)), [1e300] * 20], r"'b' is 1e\+300 at row 0"),
        ([[1.0, float("nan"), *range(18)]], "values are missing: a: 1 of 20"),
        ([[1.0, 2.0]], "2 samples give 1 for train"),
    ],
)
def test_a_series_that_cannot_be_used_is_refused_with_the_name_of_the_dataset(dataset, give, series, columns, message):
    give(series(*columns))
    with pytest.raises(DataError, match=f"dataset 'some': {message}"):
        dataset.prepare("sunspots", SMALL)
    assert dataset.files() == {}


def test_images_that_are_all_alike_are_refused(dataset, give, images):
    raw = images()
    raw.reader.samples[:] = 7
    give(raw)
    with pytest.raises(DataError, match="all pixels of the training split are 7;"):
        dataset.prepare("digits", SMALL)


@pytest.mark.parametrize("step", ["resolve", "write", "draw"])
def test_a_failure_leaves_the_earlier_dataset_untouched(dataset, monkeypatch, step):
    dataset.prepare("digits")
    before = dataset.files()
    calls = []

    def fail(*arguments, **named):
        calls.append(arguments)
        if step == "write" and len(calls) < 3:  # two files are written, then the disk is full
            return write(*arguments)
        raise OSError("no space left on device")

    write = Store.write
    target = {
        "resolve": "snaketorch.data.prepare.resolve",
        "write": "snaketorch.data.store.Store.write",
        "draw": "snaketorch.data.images.draw_images",
    }
    monkeypatch.setattr(target[step], fail)
    with pytest.raises(OSError, match="no space left"):
        dataset.prepare("digits", {"seed": 5})
    assert calls
    assert dataset.files() == before
    Manifest.load(dataset.folder / "manifest.json").verify()


def test_an_old_manifest_never_stands_beside_new_arrays(dataset, monkeypatch):
    dataset.prepare("digits")

    def die(path, value):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare_module, "write_json", die)
    with pytest.raises(KeyboardInterrupt):
        dataset.prepare("digits", {"seed": 5})
    assert not (dataset.folder / "manifest.json").exists()


def test_what_was_in_the_folder_is_replaced(dataset):
    arrays = dataset.folder / "arrays"
    arrays.mkdir(parents=True)
    manifest = dataset.prepare("sunspots")  # onto an empty folder, as Snakemake leaves it
    (arrays / "stale.npy").write_bytes(b"old")
    dead = dataset.folder / ".arrays.tmp-12345"  # of a job that was killed
    dead.mkdir()
    (dead / "train_value.npy").write_bytes(b"half")
    manifest = dataset.prepare("sunspots")
    manifest.verify()
    names = {f"{split}_{field}.npy" for split in SPLITS for field in ("value", "time")}
    assert {path.name for path in arrays.iterdir()} == names
    assert {path.name for path in dataset.folder.iterdir()} == {"manifest.json", "preview.png", "arrays"}


def test_a_link_to_another_disk_is_replaced_and_what_it_leads_to_stays(dataset, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep.txt").write_text("mine")
    dataset.folder.mkdir()
    (dataset.folder / "arrays").symlink_to(elsewhere)
    dataset.prepare("sunspots").verify()
    assert not (dataset.folder / "arrays").is_symlink()
    assert (elsewhere / "keep.txt").read_text() == "mine"


def test_others_may_read_what_was_prepared(dataset):
    before = os.umask(0o022)
    try:
        dataset.prepare("sunspots")
    finally:
        os.umask(before)
    assert (dataset.folder / "arrays").stat().st_mode & 0o777 == 0o755
