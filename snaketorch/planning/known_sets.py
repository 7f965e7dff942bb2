"""What is in torchvision's image sets: known without a download."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Shape = tuple[int, int, int]
"""Channels, height, width."""


@dataclass(frozen=True)
class KnownSet:
    """A set as it is published, and as ``snaketorch.data.sources.torchvision`` parts it."""

    classes: int
    samples: Mapping[str, int]
    """By the part that it sets apart; `all` where there is one alone."""
    shape: Shape | None
    """Of every image; None where they differ in size, and are in colour."""

    def labels(self, part: str) -> np.ndarray:
        """A label for each sample of a part, as if all classes had as many: true of most sets, nearly so of others."""
        return np.arange(self.samples[part]) % self.classes


def _parts(train: int, test: int, val: int | None = None) -> dict[str, int]:
    return {"train": train, **({} if val is None else {"val": val}), "test": test}


_GREY_28: Shape = (1, 28, 28)
_COLOUR_32: Shape = (3, 32, 32)

KNOWN_SETS: dict[str, KnownSet] = {
    "MNIST": KnownSet(10, _parts(60_000, 10_000), _GREY_28),
    "FashionMNIST": KnownSet(10, _parts(60_000, 10_000), _GREY_28),
    "KMNIST": KnownSet(10, _parts(60_000, 10_000), _GREY_28),
    "QMNIST": KnownSet(10, _parts(60_000, 60_000), _GREY_28),
    "EMNIST": KnownSet(47, _parts(112_800, 18_800), _GREY_28),
    "USPS": KnownSet(10, _parts(7_291, 2_007), (1, 16, 16)),
    "CIFAR10": KnownSet(10, _parts(50_000, 10_000), _COLOUR_32),
    "CIFAR100": KnownSet(100, _parts(50_000, 10_000), _COLOUR_32),
    "SVHN": KnownSet(10, _parts(73_257, 26_032), _COLOUR_32),
    "STL10": KnownSet(10, _parts(5_000, 8_000), (3, 96, 96)),
    "Caltech101": KnownSet(101, {"all": 8_677}, None),
    "Caltech256": KnownSet(257, {"all": 30_607}, None),
    "Country211": KnownSet(211, _parts(31_650, 21_100, 10_550), None),
    "DTD": KnownSet(47, _parts(1_880, 1_880, 1_880), None),
    "EuroSAT": KnownSet(10, {"all": 27_000}, (3, 64, 64)),
    "FER2013": KnownSet(7, _parts(28_709, 7_178), (1, 48, 48)),
    "FGVCAircraft": KnownSet(100, _parts(3_334, 3_333, 3_333), None),
    "Flowers102": KnownSet(102, _parts(1_020, 6_149, 1_020), None),
    "Food101": KnownSet(101, _parts(75_750, 25_250), None),
    "GTSRB": KnownSet(43, _parts(26_640, 12_630), None),
    "Imagenette": KnownSet(10, _parts(9_469, 3_925), None),
    "ImageNet": KnownSet(1_000, _parts(1_281_167, 50_000), None),
    "Omniglot": KnownSet(964, {"all": 19_280}, (1, 105, 105)),
    "OxfordIIITPet": KnownSet(37, _parts(3_680, 3_669), None),
    "PCAM": KnownSet(2, _parts(262_144, 32_768, 32_768), (3, 96, 96)),
    "Places365": KnownSet(365, _parts(1_803_460, 36_500), None),
    "RenderedSST2": KnownSet(2, _parts(6_920, 1_821, 872), (3, 448, 448)),
    "SEMEION": KnownSet(10, {"all": 1_593}, (1, 16, 16)),
    "StanfordCars": KnownSet(196, _parts(8_144, 8_041), None),
    "SUN397": KnownSet(397, {"all": 108_754}, None),
}
"""By torchvision's names; figures of their publications and of torchvision's documentation."""
