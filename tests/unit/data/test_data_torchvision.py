import bz2
import inspect
import pickle
import tracemalloc
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


def large_pictures(root, count):
    """The images of Caltech101, of 6 MB each when they are decoded."""
    folder = root / "caltech101" / "101_ObjectCategories" / "ant"
    folder.mkdir(parents=True)
    Image.new("RGB", (2000, 1000)).save(folder / "image_0001.jpg")
    for number in range(2, count + 1):
        (folder / f"image_{number:04d}.jpg").hardlink_to(folder / "image_0001.jpg")
    (folder.parent / "BACKGROUND_Google").mkdir()
    (root / "caltech101" / "Annotations").mkdir()
    return load_set(root, "Caltech101")


def test_few_images_that_only_torchvision_reads_are_in_memory_at_once(tmp_path):
    rows = np.arange(40)
    reader = large_pictures(tmp_path, len(rows)).reader
    tracemalloc.start()
    try:
        assert [image.shape for part in reader.parts(rows) for image in part] == [(3, 1000, 2000)] * len(rows)
        unknown = tracemalloc.get_traced_memory()[1]
        assert list(reader.shapes(rows)) == [(3, 1000, 2000)] * len(rows)
        tracemalloc.reset_peak()
        assert sum(len(part) for part in reader.parts(rows)) == len(rows)
        known = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert unknown < 6e6 * 10
    assert known < 6e6 * 20, "64 MB, and what two threads are at"


def test_an_image_that_torchvision_cannot_read_is_bad(tmp_path):
    reader = large_pictures(tmp_path, 1).reader
    next(tmp_path.rglob("image_0001.jpg")).write_bytes(b"no image")
    for found in (*reader.shapes(np.array([0])), *next(reader.parts(np.array([0])))):
        assert isinstance(found, DataError)


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


def draw(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6, 3), grey, np.uint8)).save(path)


def write_dtd(root):
    for grey, part in enumerate(("train", "val", "test")):
        for name in ("dots", "grid"):
            draw(root / f"dtd/dtd/images/{name}/{part}.png", grey)
        (root / "dtd/dtd/labels").mkdir(exist_ok=True)
        (root / f"dtd/dtd/labels/{part}1.txt").write_text(f"grid/{part}.png\ndots/{part}.png\n")
    return ("dots", "grid"), [1, 0] * 3


def write_pets(root):
    for grey, part in enumerate(("trainval", "test")):
        lines = []
        for label, name in enumerate(("Bengal", "pug"), 1):
            draw(root / f"oxford-iiit-pet/images/{name}_{part}.jpg", grey)
            lines.append(f"{name}_{part} {label} {label} 1\n")
        (root / "oxford-iiit-pet/annotations").mkdir(exist_ok=True)
        (root / f"oxford-iiit-pet/annotations/{part}.txt").write_text("".join(lines))
    return ("Bengal", "Pug"), [0, 1] * 2


def write_reviews(root):
    for grey, part in enumerate(("train", "valid", "test")):
        for name in ("negative", "positive"):
            draw(root / f"rendered-sst2/{part}/{name}/1.png", grey)
    return ("negative", "positive"), [0, 1] * 3


def write_countries(root):
    for grey, part in enumerate(("train", "valid", "test")):
        for name in ("AD", "ZW"):
            draw(root / f"country211/{part}/{name}/1.jpg", grey)
    return ("AD", "ZW"), [0, 1] * 3


def write_letters(root, monkeypatch):
    monkeypatch.setattr(datasets.Omniglot, "_check_integrity", lambda self: True)
    for number in range(1, 4):
        draw(root / f"omniglot-py/images_background/Greek/character0{number}/1.png", 255)
    return ("0", "1", "2"), [0, 1, 2]


def write_tissue(root):
    h5py = pytest.importorskip("h5py")
    (root / "pcam").mkdir(parents=True)
    for grey, part in enumerate(("train", "valid", "test")):
        for key, values in (("x", np.full((2, 4, 6, 3), grey, np.uint8)), ("y", np.array([[[[0]]], [[[1]]]]))):
            with h5py.File(root / f"pcam/camelyonpatch_level_2_split_{part}_{key}.h5", "w") as file:
                file[key] = values
    return ("0", "1"), [0, 1] * 3


def write_cars(root):
    cars = root / "stanford_cars"
    for grey, part in enumerate(("train", "test")):
        for number in (1, 2):
            draw(cars / f"cars_{part}/{number}.jpg", grey)
    (cars / "devkit").mkdir()
    shape = [("fname", object), ("class", object)]
    rows = np.array([("1.jpg", 2), ("2.jpg", 1)], shape)
    for file in ("devkit/cars_train_annos.mat", "cars_test_annos_withlabels.mat"):
        scipy.io.savemat(cars / file, {"annotations": rows})
    scipy.io.savemat(cars / "devkit/cars_meta.mat", {"class_names": np.array(["Audi", "Fiat"], object)})
    return ("Audi", "Fiat"), [1, 0] * 2


def write_faces(root, monkeypatch):
    monkeypatch.setattr(datasets.fer2013, "check_integrity", lambda path, md5: True)
    (root / "fer2013").mkdir(parents=True)
    rows = [f"{label},{' '.join(['7'] * 48 * 48)},{use}\n" for use in ("Training", "PublicTest") for label in (0, 1)]
    (root / "fer2013/fer2013.csv").write_text(f"emotion,pixels,Usage\n{''.join(rows)}")
    return ("0", "1"), [0, 1] * 2


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("DTD", write_dtd),
        ("OxfordIIITPet", write_pets),
        ("RenderedSST2", write_reviews),
        ("Country211", write_countries),
        ("Omniglot", write_letters),
        ("PCAM", write_tissue),
        ("StanfordCars", write_cars),
        ("FER2013", write_faces),
    ],
)
def test_what_torchvision_keeps_to_itself_is_found(tmp_path, monkeypatch, name, write):
    patched = "monkeypatch" in inspect.signature(write).parameters
    classes, labels = write(tmp_path, monkeypatch) if patched else write(tmp_path)
    raw = load_set(tmp_path, name)
    assert (raw.classes, raw.labels.tolist()) == (classes, labels)
    assert sum(map(len, raw.given.values())) in (0, len(labels))
    pixels = pixels_of(raw, range(len(labels)))
    assert {image.shape[-2:] for image in pixels} in ({(4, 6)}, {(48, 48)})
    if len(raw.given) == 3:
        assert [int(image.max()) for image in pixels] == [0, 0, 1, 1, 2, 2]
