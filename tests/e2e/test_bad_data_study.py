"""A study of which three datasets are bad: the fourth is finished, and each of the three is told what is wrong."""

from pathlib import Path

import numpy as np
import pytest
import study_process as study
from PIL import Image

pytestmark = pytest.mark.e2e

CLASSIFY = """\
task: image_classification
data: {data}
model: {{kind: cnn, channels: [4], hidden: 8}}
optimizer: {{kind: adamw, lr: 1.0e-3}}
trainer: {{max_epochs: 1}}
"""
FORECAST = """\
task: {{kind: forecasting, window: 5, horizon: 1}}
data: {data}
model: {{kind: gru, hidden: 4}}
optimizer: {{kind: adamw, lr: 1.0e-3}}
trainer: {{max_epochs: 1}}
"""
DATASETS = {
    "fine": ("{kind: arrays, path: data/fine.npz, content: images, samples: x, labels: y}", CLASSIFY),
    "photos": ("{kind: image_folder, path: data/photos}", CLASSIFY),
    "scans": ("{kind: arrays, path: data/scans.npz, content: images, samples: x, labels: y}", CLASSIFY),
    "clock": ("{kind: timeseries, path: data/clock.csv, time: hour}", FORECAST),
}
SAID = {
    "photos": "dataset 'photos': dark/3.png: it is no JPEG, PNG, WebP or BMP image, whatever its name says.",
    "scans": "dataset 'scans': data/scans.npz: the file cannot be read: it is no archive of arrays; is it cut off?",
    "clock": "dataset 'clock': data/clock.csv:9: time does not go forwards",
}


def write_data(folder: Path) -> None:
    random, labels = np.random.default_rng(0), np.arange(60) % 2
    pixels = random.integers(0, 256, (60, 8, 8), np.uint8)
    folder.mkdir()
    for name in ("fine", "scans"):
        np.savez(folder / f"{name}.npz", x=pixels, y=labels)
    scans = (folder / "scans.npz").read_bytes()
    (folder / "scans.npz").write_bytes(scans[: len(scans) // 2])
    for index in range(20):
        path = folder / "photos" / ("dark", "light")[index % 2] / f"{index // 2}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[index]).save(path)
    (folder / "photos/dark/3.png").write_text("<html>404 Not found</html>")
    hours = [*range(7), 3, *range(8, 100)]
    (folder / "clock.csv").write_text("".join(["hour,value\n", *(f"{hour},{hour % 5}\n" for hour in hours)]))


@pytest.fixture
def folder(tmp_path) -> Path:
    write_data(tmp_path / "data")
    for part in ("datasets", "experiments"):
        (tmp_path / "config" / part).mkdir(parents=True)
    (tmp_path / "config/config.yaml").write_text("study: bad\ntracking: {enabled: false}\n")
    for name, (source, experiment) in DATASETS.items():
        (tmp_path / f"config/datasets/{name}.yaml").write_text(f"source: {source}\n")
        (tmp_path / f"config/experiments/of_{name}.yaml").write_text(experiment.format(data=name))
    return tmp_path


def written(folder: Path, *places: str) -> dict[str, tuple[bytes, int]]:
    """Content and time of each file below ``places``."""
    found = [path for place in places for path in (folder / place).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_bad_datasets_are_told_what_is_wrong_and_the_good_one_is_finished(folder):
    data = written(folder, "data")

    result = study.run(folder, "-k")

    assert result.returncode != 0
    for name, message in SAID.items():
        log = f"logs/prepare_dataset/{name}.log"
        assert log in result.stdout, "snakemake names the log"
        said = (folder / log).read_text()
        assert f"Error: {message}" in said
        assert "Traceback" not in said
        assert not list((folder / f"results/datasets/{name}").rglob("*")), "nothing half-done is left"
    assert written(folder, "data") == data
    assert (folder / "results/experiments/of_fine/summary.json").is_file()
    fine = written(folder, "results/datasets/fine", "results/experiments/of_fine")

    np.savez(folder / "data/scans.npz", **np.load(folder / "data/fine.npz"))
    result = study.run(folder, "-k", "prepare")

    assert result.returncode != 0
    assert (folder / "results/datasets/scans/manifest.json").is_file(), "what is mended is prepared"
    assert written(folder, "results/datasets/fine", "results/experiments/of_fine") == fine
    assert not study.processes(folder, "snaketorch")
