"""Image classification sets of torchvision, by name.

Sets that come with a validation split but no labelled test split (ImageNet, Imagenette, Places365) are tested on the
former, as papers do. Sets that come in one piece are split by shares.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from torchvision import datasets

from snaketorch.config.sources import TorchvisionSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.decoding.pool import BUDGET_VALUES, DecodingPool
from snaketorch.data.raw.images import Pixels, RawImages, Reader
from snaketorch.data.readers import FileReader, MemoryReader, Shape
from snaketorch.data.row_names import PlaceNames
from snaketorch.errors import DataError

_UNKNOWN = (BUDGET_VALUES // 4,)
"""Shape of an image of which nothing is known before it is decoded: so four are at once."""

_BY_TRAIN = {"train": {"train": True}, "test": {"train": False}}
_BY_SPLIT = {"train": {"split": "train"}, "test": {"split": "test"}}
_WITH_VAL = {"train": {"split": "train"}, "val": {"split": "val"}, "test": {"split": "test"}}
_VAL_AS_TEST = {"train": {"split": "train"}, "test": {"split": "val"}}
_WHOLE: dict[str, dict[str, Any]] = {"all": {}}


@dataclass(frozen=True)
class TorchvisionSet:
    """How one of torchvision's classes is asked, and where it keeps what it found."""

    files: str
    """What lies in `root`, for people."""
    splits: Mapping[str, Mapping[str, Any]]
    """Arguments of each part; `all` where there is one alone."""
    labels: Callable[[Any], Any]
    """The labels of an instance."""
    paths: Callable[[Any], list[Any]] | None = None
    """The image files of an instance, where they are of a format that is decoded here."""
    can_download: bool = True


def _of(attribute: str) -> Callable[[Any], Any]:
    return lambda made: getattr(made, attribute)


def _of_pairs(attribute: str, index: int) -> Callable[[Any], list[Any]]:
    return lambda made: [pair[index] for pair in getattr(made, attribute)]


def _idx(name: str, prefixes: tuple[str, str] = ("train", "t10k")) -> TorchvisionSet:
    files = ", ".join(f"{prefix}-{what}-ubyte" for prefix in prefixes for what in ("images-idx3", "labels-idx1"))
    return TorchvisionSet(f"{name}/raw/ with {files} (unpacked)", _BY_TRAIN, _of("targets"))


def _listed(files: str, splits: Mapping[str, Mapping[str, Any]], **more: Any) -> TorchvisionSet:
    return TorchvisionSet(files, splits, _of("_labels"), _of("_image_files"), **more)


def _paired(
    files: str, splits: Mapping[str, Mapping[str, Any]], pairs: str = "_samples", **more: Any
) -> TorchvisionSet:
    return TorchvisionSet(files, splits, _of_pairs(pairs, 1), _of_pairs(pairs, 0), **more)


SETS: dict[str, TorchvisionSet] = {
    "MNIST": _idx("MNIST"),
    "FashionMNIST": _idx("FashionMNIST"),
    "KMNIST": _idx("KMNIST"),
    "QMNIST": TorchvisionSet(
        "QMNIST/raw/ with qmnist-{train,test}-images-idx3-ubyte and qmnist-{train,test}-labels-idx2-int (unpacked)",
        _BY_TRAIN,
        lambda made: made.targets[:, 0],
    ),
    "EMNIST": TorchvisionSet(
        "EMNIST/raw/ with emnist-balanced-{train,test}-{images-idx3,labels-idx1}-ubyte (unpacked)",
        {part: {"split": "balanced", **arguments} for part, arguments in _BY_TRAIN.items()},
        _of("targets"),
    ),
    "USPS": TorchvisionSet("usps.bz2, usps.t.bz2", _BY_TRAIN, _of("targets")),
    "CIFAR10": TorchvisionSet("cifar-10-batches-py/ (from cifar-10-python.tar.gz)", _BY_TRAIN, _of("targets")),
    "CIFAR100": TorchvisionSet("cifar-100-python/ (from cifar-100-python.tar.gz)", _BY_TRAIN, _of("targets")),
    "SVHN": TorchvisionSet("train_32x32.mat, test_32x32.mat", _BY_SPLIT, _of("labels")),
    "STL10": TorchvisionSet("stl10_binary/ (from stl10_binary.tar.gz)", _BY_SPLIT, _of("labels")),
    "Caltech101": TorchvisionSet("caltech101/101_ObjectCategories/", _WHOLE, _of("y")),
    "Caltech256": TorchvisionSet("caltech256/256_ObjectCategories/", _WHOLE, _of("y")),
    "Country211": _paired(
        "country211/{train,valid,test}/",
        {"train": {"split": "train"}, "val": {"split": "valid"}, "test": {"split": "test"}},
        "samples",
    ),
    "DTD": _listed("dtd/dtd/{images,labels}/", _WITH_VAL),
    "EuroSAT": _paired("eurosat/2750/", _WHOLE, "samples"),
    "FER2013": TorchvisionSet(
        "fer2013/fer2013.csv or fer2013/icml_face_data.csv (from kaggle.com)",
        _BY_SPLIT,
        _of_pairs("_samples", 1),
        can_download=False,
    ),
    "FGVCAircraft": _listed("fgvc-aircraft-2013b/data/", _WITH_VAL),
    "Flowers102": _listed("flowers-102/ with jpg/, imagelabels.mat and setid.mat", _WITH_VAL),
    "Food101": _listed("food-101/ with meta/ and images/", _BY_SPLIT),
    # .ppm files, which the decoder for files does not take
    "GTSRB": TorchvisionSet("gtsrb/ with GTSRB/ and GT-final_test.csv", _BY_SPLIT, _of_pairs("_samples", 1)),
    "Imagenette": _paired("imagenette2/{train,val}/", _VAL_AS_TEST),
    "ImageNet": _paired(
        "ILSVRC2012_devkit_t12.tar.gz, ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar",
        _VAL_AS_TEST,
        "samples",
        can_download=False,
    ),
    "Omniglot": TorchvisionSet("omniglot-py/images_background/", _WHOLE, _of_pairs("_flat_character_images", 1)),
    "OxfordIIITPet": TorchvisionSet(
        "oxford-iiit-pet/{images,annotations}/",
        {"train": {"split": "trainval"}, "test": {"split": "test"}},
        _of("_labels"),
        _of("_images"),
    ),
    "PCAM": TorchvisionSet(
        "pcam/camelyonpatch_level_2_split_{train,valid,test}_{x,y}.h5",
        _WITH_VAL,
        lambda made: [made[index][1] for index in range(len(made))],
    ),
    "Places365": _paired(
        "categories_places365.txt, places365_train_standard.txt, places365_val.txt, data_large_standard/, val_large/",
        {"train": {"split": "train-standard"}, "test": {"split": "val"}},
        "imgs",
    ),
    "RenderedSST2": _paired("rendered-sst2/{train,valid,test}/", _WITH_VAL),
    "SEMEION": TorchvisionSet("semeion.data", _WHOLE, _of("labels")),
    "StanfordCars": _paired(
        "stanford_cars/ with devkit/, cars_train/, cars_test/ and cars_test_annos_withlabels.mat",
        _BY_SPLIT,
        can_download=False,
    ),
    "SUN397": _listed("SUN397/", _WHOLE),
}


def load(spec: PrepareSpec) -> RawImages:
    """The set that ``spec.source.name`` names; its own test (and validation) set is kept apart.

    DataError when it is not there and cannot be fetched; the message says which files belong where.
    """
    options = spec.source
    known = SETS[options.name]
    made = {split: _make(options, known, arguments) for split, arguments in known.splits.items()}
    labels = {split: _labels(options, known, part) for split, part in made.items()}
    ends = np.cumsum([0, *map(len, labels.values())])
    spans = {split: np.arange(start, end) for split, start, end in zip(made, ends[:-1], ends[1:], strict=True)}
    every = np.concatenate(list(labels.values()))
    return RawImages(
        reader=_reader(known, list(made.values())),
        labels=every,
        classes=_classes(next(iter(made.values())), int(every.max()) + 1),
        names=PlaceNames(*((f"{split} image", range(len(found))) for split, found in labels.items())),
        given={} if "all" in spans else spans,
    )


def _make(options: TorchvisionSource, known: TorchvisionSet, arguments: Mapping[str, Any]) -> Any:
    """An instance; what is in `root` is taken, and only what is not there is fetched."""
    maker = getattr(datasets, options.name)
    root = Path(options.root)
    # SEMEION would fetch by default
    offline = {"download": False} if known.can_download else {}
    # torchvision's readers raise whatever their formats' libraries do
    try:
        return maker(options.root, **arguments, **offline)
    except Exception as error:
        why = error
    if options.download and known.can_download:
        try:
            root.mkdir(parents=True, exist_ok=True)
            return maker(options.root, **arguments, download=True)
        except Exception as error:
            why = error
            hint = "Without a network, set `download: false`"
    elif known.can_download:
        hint = "Or set `download: true`, where there is a network"
    else:
        hint = "torchvision cannot fetch this set"
    said = " ".join(str(why).split()) or type(why).__name__
    raise DataError(
        f"{options.name} is not in '{root}', or not whole ({said[:200]}). Put there: {known.files}. {hint}"
    ) from why


def _labels(options: TorchvisionSource, known: TorchvisionSet, made: Any) -> np.ndarray:
    found = known.labels(made)
    if any(label is None for label in islice(found, 1)):
        raise DataError(f"{options.name} has no labels for its test set in these files. Needed: {known.files}")
    return np.asarray(found).astype(np.int64).reshape(-1)


def _classes(made: Any, count: int) -> tuple[str, ...]:
    """Names, numbers where torchvision has none; equal ones (ImageNet has two cranes) are told apart by number."""
    found = getattr(made, "classes", None) or getattr(made, "categories", None) or range(count)
    names = [", ".join(name) if isinstance(name, list | tuple) else str(name) for name in found]
    twice = {name for name, times in Counter(names).items() if times > 1}
    return tuple(f"{name} ({number})" if name in twice else name for number, name in enumerate(names))


def _reader(known: TorchvisionSet, made: list[Any]) -> Reader:
    if known.paths is not None:
        return FileReader([Path(path) for part in made for path in known.paths(part)])
    if hasattr(made[0], "data"):
        arrays = [_channels_first(np.asarray(part.data)) for part in made]
        return MemoryReader(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))
    return _Pictures(made)


def _channels_first(images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        return images[:, None]
    return images if images.shape[1] == 3 else images.transpose(0, 3, 1, 2)


class _Pictures:
    """Images that only torchvision can read, one by one: their shapes are known when they are decoded."""

    def __init__(self, made: list[Any]):
        self._made = made
        self._ends = np.cumsum([len(part) for part in made])
        self._pool = DecodingPool(self._read)
        self._known: dict[int, Shape | DataError] = {}

    def shapes(self, rows: np.ndarray) -> Iterator[Shape | DataError]:
        found = self._pool.map_in_order(self._shape, [row for row in rows.tolist() if row not in self._known])
        for row in rows.tolist():
            if row not in self._known:
                self._known[row] = next(found)
            yield self._known[row]

    def parts(self, rows: np.ndarray) -> Iterator[list[Pixels | DataError]]:
        begin = 0
        for part in self._pool.decode((row, self._known.get(row, _UNKNOWN)) for row in rows.tolist()):
            for row, found in zip(rows[begin : begin + len(part)].tolist(), part, strict=True):
                self._known[row] = found if isinstance(found, DataError) else found.shape
            begin += len(part)
            yield part

    def _shape(self, row: int) -> Shape | DataError:
        try:
            return self._read(row).shape
        except DataError as error:
            return error

    def _read(self, row: int) -> Pixels:
        part = int(np.searchsorted(self._ends, row, "right"))
        try:
            image, _ = self._made[part][row - (self._ends[part - 1] if part else 0)]
            pixels = np.asarray(image if image.mode == "L" else image.convert("L" if image.mode == "1" else "RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"it cannot be read: {error}") from None
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
