import bz2
import inspect
import pickle
from typing import get_args

import numpy as np
import pytest
import scipy.io
from PIL import Image
from torchvision import datasets

from snaketorch.config.sources import TorchvisionSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources.torchvision import SETS, load
from snaketorch.errors import DataError

DRAW = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no network in tests")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def load_set(root, name, download=False):
    source = {"kind": "torchvision", "name": name, "root": str(root), "download": download}
    return load(PrepareSpec.model_validate({"dataset": "some", "source": source, "split": {}, "prepare": {}}))


def pixels_of(raw, rows):
    return [image for part in raw.reader.parts(np.array(rows)) for image in part]


def test_every_name_is_in_the_table():
    assert set(get_args(TorchvisionSource.model_fields["name"].annotation)) == set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_torchvision_takes_the_arguments_of_the_table(name):
    known, maker = SETS[name], getattr(datasets, name)
    taken = set()
    for kind in maker.__mro__:
        signature = inspect.signature(kind.__init__)
        taken |= signature.parameters.keys()
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
            break  # what it does not take itself, the class above does
    for arguments in known.splits.values():
        assert arguments.keys() <= taken
    assert name in ("FER2013", "ImageNet", "StanfordCars") or known.can_download
    assert not known.can_download or "download" in taken


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(header + array.tobytes())


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
@pytest.mark.parametrize("download", [False, True])
def test_idx_files_that_are_there_need_no_network(tmp_path, name, download):
    images = DRAW.integers(0, 256, (30, 28, 28), dtype=np.uint8)
    labels = (np.arange(30) % 10).astype(np.uint8)
    for prefix, rows in (("train", slice(0, 20)), ("t10k", slice(20, 30))):
        write_idx(tmp_path / name / "raw" / f"{prefix}-images-idx3-ubyte", images[rows])
        write_idx(tmp_path / name / "raw" / f"{prefix}-labels-idx1-ubyte", labels[rows])
    raw = load_set(tmp_path, name, download)
    assert raw.labels.tolist() == labels.tolist()
    assert len(raw.classes) == 10
    assert raw.given["test"].tolist() == list(range(20, 30))
    assert np.array_equal(pixels_of(raw, [25, 3]), images[[25, 3], None])
    assert raw.names[25] == "test image 5"


def test_cifar_batches_come_with_the_names_of_their_classes(tmp_path, monkeypatch):
    # the checksums are those of the real files
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr(datasets.CIFAR10, "meta", {"filename": "batches.meta", "key": "label_names", "md5": None})
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    images = DRAW.integers(0, 256, (60, 3, 32, 32), dtype=np.uint8)
    for number, name in enumerate([*(f"data_batch_{index}" for index in range(1, 6)), "test_batch"]):
        part = images[number * 10 : number * 10 + 10]
        (folder / name).write_bytes(pickle.dumps({"data": part.reshape(10, -1), "labels": list(range(10))}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"kind{index}" for index in range(10)]}))
    raw = load_set(tmp_path, "CIFAR10")
    assert raw.classes[3] == "kind3"
    assert [len(raw.given[split]) for split in ("train", "test")] == [50, 10]
    assert np.array_equal(pixels_of(raw, [55]), images[[55]])


def test_svhn_is_read_from_its_mat_files(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.SVHN, "_check_integrity", lambda self: True)
    images = DRAW.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
    for name in ("train", "test"):
        labels = np.array([[10], *([label] for label in range(1, 10))] * 2)
        scipy.io.savemat(tmp_path / f"{name}_32x32.mat", {"X": images.transpose(2, 3, 1, 0), "y": labels})
    raw = load_set(tmp_path, "SVHN")
    assert raw.classes == tuple("0123456789")
    assert raw.labels[:3].tolist() == [0, 1, 2]
    assert np.array_equal(pixels_of(raw, [21]), images[[1]])


def test_usps_is_grey(tmp_path):
    line = " ".join(f"{index + 1}:{value:.2f}" for index, value in enumerate(np.linspace(-1, 1, 256)))
    for name in ("usps.bz2", "usps.t.bz2"):
        (tmp_path / name).write_bytes(bz2.compress("\n".join(f"{label + 1} {line}" for label in range(10)).encode()))
    raw = load_set(tmp_path, "USPS")
    assert pixels_of(raw, [12])[0].shape == (1, 16, 16)


def test_a_set_of_files_in_one_piece_is_left_to_be_split(tmp_path):
    for number, name in enumerate(["Forest", "River"]):
        folder = tmp_path / "eurosat" / "2750" / name
        folder.mkdir(parents=True)
        Image.fromarray(np.full((4, 6, 3), 50 * number, np.uint8)).save(folder / f"{name}_1.png")
    raw = load_set(tmp_path, "EuroSAT")
    assert (raw.classes, raw.given) == (("Forest", "River"), {})
    assert pixels_of(raw, [1])[0].shape == (3, 4, 6)


def test_images_that_only_torchvision_reads(tmp_path):
    base = tmp_path / "gtsrb" / "GTSRB"
    for label in range(2):
        folder = base / "Training" / f"{label:05d}"
        folder.mkdir(parents=True)
        Image.fromarray(np.full((3, 5, 3), label + 1, np.uint8)).save(folder / "0.ppm")
    (base / "Final_Test" / "Images").mkdir(parents=True)
    Image.fromarray(np.full((3, 5, 3), 9, np.uint8)).save(base / "Final_Test" / "Images" / "0.ppm")
    (base.parent / "GT-final_test.csv").write_text("Filename;ClassId\n0.ppm;1\n")
    raw = load_set(tmp_path, "GTSRB")
    assert (raw.classes, raw.labels.tolist()) == (("0", "1"), [0, 1, 1])
    assert [int(image[0, 0, 0]) for image in pixels_of(raw, [2, 0])] == [9, 1]


@pytest.mark.parametrize("name", ["MNIST", "CIFAR10", "SVHN", "Food101", "ImageNet", "FER2013", "StanfordCars"])
def test_what_is_not_there_is_asked_for_by_file(tmp_path, name):
    with pytest.raises(DataError) as caught:
        load_set(tmp_path, name)
    message = str(caught.value)
    assert str(tmp_path) in message
    assert SETS[name].files in message


def test_a_download_that_fails_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"no network in tests.*Put there: cifar-10-batches-py.*`download: false`"):
        load_set(tmp_path / "new", "CIFAR10", download=True)
