from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.data.raw.images import RawImages
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.readers import MemoryReader

SOURCES = {
    "digits": {"kind": "sklearn", "name": "digits"},
    "sunspots": {"kind": "statsmodels", "name": "sunspots"},
}


@dataclass
class Dataset:
    """A folder for one dataset, and how to prepare it."""

    folder: Path

    def prepare(self, source: str | dict, split: dict | None = None, options: dict | None = None) -> Manifest:
        source = SOURCES[source] if isinstance(source, str) else source
        spec = {"dataset": self.folder.name, "source": source, "split": split or {}, "prepare": options or {}}
        prepare(
            PrepareSpec.model_validate(spec),
            self.folder / "manifest.json",
            self.folder / "preview.png",
            self.folder / "arrays",
            "c0de",
            None,
        )
        return Manifest.load(self.folder / "manifest.json")

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }


@pytest.fixture
def dataset(tmp_path):
    return Dataset(tmp_path / "some")


@pytest.fixture(scope="module")
def prepared_digits(tmp_path_factory):
    """The digits as they come; not to be changed by a test."""
    return Dataset(tmp_path_factory.mktemp("module") / "digits").prepare("digits")


@pytest.fixture(scope="module")
def prepared_sunspots(tmp_path_factory):
    """The sunspots; not to be changed by a test."""
    return Dataset(tmp_path_factory.mktemp("module") / "sunspots").prepare("sunspots")


def raw_images(pixels, labels, classes) -> RawImages:
    names = [f"row {row}" for row in range(len(labels))]
    return RawImages(reader=MemoryReader(pixels), labels=labels, classes=classes, names=names)


@pytest.fixture
def images():
    """Makes random images: ``images(per_class, size, channels, classes)``."""

    def make(per_class=10, size=(4, 4), channels=1, classes=("a", "b")) -> RawImages:
        labels = np.tile(np.arange(len(classes), dtype=np.int64), per_class)
        pixels = np.random.default_rng(0).integers(0, 256, (len(labels), channels, *size), dtype=np.uint8)
        return raw_images(pixels, labels, tuple(classes))

    return make


@pytest.fixture
def series():
    """Makes a series of the given channels, one a year from 2000."""

    def make(*channels: list[float]) -> RawSeries:
        values = np.array(channels, np.float64).T
        names = tuple("abcdefghijklmnop"[: len(channels)])
        return RawSeries(values, names, ("m",) * len(names), 2000.0 + np.arange(len(values)), "year")

    return make
