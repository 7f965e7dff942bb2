"""Class folders of real image files, augmented: from the files to the study page, and again when a file changes."""

import base64
import json
import os
from pathlib import Path

import numpy as np
import pytest
import study_process as study
from matplotlib.image import imread
from PIL import Image

pytestmark = pytest.mark.e2e

FILES = {
    "config/config.yaml": "study: files\ntracking: {enabled: false}\n",
    "config/datasets/halves.yaml": """\
source: {kind: image_folder, path: data/halves}
split: {val: 0.2, test: 0.2}
prepare: {size: [16, 16], channels: 3, on_bad_sample: skip, max_bad_share: 0.05}
""",
    "config/experiments/tiny.yaml": """\
task: image_classification
data: halves
augment: {rotate: 10, translate: 0.1, brightness: 0.2, erase: 0.3}
model: {kind: cnn, channels: [8, 8], hidden: 16}
optimizer: {kind: adamw, lr: 5.0e-3}
trainer: {max_epochs: 4, precision: 32-true}
data_loader: {batch_size: 16}
resources: {cpus: 1}
""",
}
CLASSES = ("light_above", "light_below")
BROKEN = "light_above/broken.jpg"
EXIF_ORIENTATION = 0x0112
"""6 means that a picture is shown turned by a quarter clockwise."""
EVERYTHING = {
    "prepare_dataset": 1,
    "preview_augmentation": 1,
    "train_model": 1,
    "evaluate_model": 1,
    "summarise_experiment": 1,
    "report_study": 1,
    "all": 1,
}


def halves(random: np.random.Generator, label: int) -> Image.Image:
    """A coloured picture, 24 pixels wide and 18 high, whose upper or lower half is light."""
    light = np.arange(18) < 9 if label == 0 else np.arange(18) >= 9
    pixels = random.integers(0, 90, (18, 24, 3)) + 150 * light[:, None, None] * random.uniform(0.7, 1, 3)
    return Image.fromarray(pixels.astype(np.uint8))


def write_pictures(folder: Path) -> None:
    """25 pictures a class: plain ones, and in the first class one of every kind that is easily got wrong."""
    random = np.random.default_rng(0)
    for label, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            halves(random, label).save(folder / name / f"colour-{number:02}.jpg", quality=95)
        for number in range(5):
            halves(random, label).convert("L").save(folder / name / f"grey-{number}.jpg", quality=95)
    first = folder / CLASSES[0]
    halves(random, 0).convert("RGBA").save(first / "colour-00.png")
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    halves(random, 0).transpose(Image.Transpose.ROTATE_90).save(first / "turned.jpg", exif=exif, quality=95)
    (folder / BROKEN).write_bytes((first / "colour-01.jpg").read_bytes()[:60])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder in which such a study has run."""
    folder = tmp_path_factory.mktemp("files")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    write_pictures(folder / "data/halves")
    result = study.run(folder)
    assert result.returncode == 0, result.stdout
    assert study.jobs(result.stdout) == {"init_tracking": 1, **EVERYTHING}
    return folder


def manifest(folder: Path) -> dict:
    return json.loads((folder / "results/datasets/halves/manifest.json").read_text())


def embedded(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def test_every_kind_of_file_is_read_upright_and_the_unreadable_one_is_left_out(folder):
    found = manifest(folder)
    assert found["classes"] == list(CLASSES)
    assert sum(part["count"] for part in found["splits"].values()) == 52
    assert [sample["sample"] for sample in found["report"]["skipped"]] == [BROKEN]
    for split in found["splits"]:
        arrays = folder / "results/datasets/halves/arrays"
        images, labels = (np.load(arrays / f"{split}_{field}.npy") for field in ("image", "label"))
        upper, lower = images[:, :, :8].mean((1, 2, 3)), images[:, :, 8:].mean((1, 2, 3))
        assert np.array_equal(lower > upper, labels == 1)


def test_the_pictures_show_something_and_each_epoch_something_else(folder):
    preview = imread(folder / "results/datasets/halves/preview.png")[..., :3]
    drawn = imread(folder / "results/experiments/tiny/augmentation.png")[..., :3]
    for picture in (preview, drawn):
        assert picture.std() > 0.1 and (picture.max(2) - picture.min(2)).max() > 0.15, "blank, or without colour"
    # below the head, right of the names: seven cells in a row, each of other pixels
    row = drawn[200:320, 300:]
    cells = [row[:, at : at + 100] for at in range(0, row.shape[1] - 100, 150)]
    assert len({cell.tobytes() for cell in cells}) == len(cells) >= 5


def test_the_study_page_shows_the_data_and_what_was_left_out(folder):
    page = (folder / "results/report.html").read_text()
    assert embedded(folder / "results/datasets/halves/preview.png") in page
    assert embedded(folder / "results/experiments/tiny/augmentation.png") in page
    for words in (BROKEN, "Skipped samples: 1", "Splits and classes", "As it came", *CLASSES):
        assert words in page


def test_a_touched_file_prepares_and_trains_again_and_nothing_else_does(folder):
    assert "Nothing to be done" in study.run(folder, "-n").stdout
    before = manifest(folder)
    started = json.loads((folder / "results/experiments/tiny/seed-0/record.json").read_text())["started"]
    os.utime(folder / "data/halves/light_below/grey-0.jpg", (1e9, 1e9))

    assert study.jobs(study.run(folder, "-n").stdout) == EVERYTHING
    result = study.run(folder, "train")

    assert result.returncode == 0, result.stdout
    assert study.jobs(result.stdout) == {"prepare_dataset": 1, "train_model": 1, "train": 1}
    assert manifest(folder)["digest"] == before["digest"]
    assert manifest(folder)["record"]["started"] > before["record"]["started"]
    assert json.loads((folder / "results/experiments/tiny/seed-0/record.json").read_text())["started"] > started
