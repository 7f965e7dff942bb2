import h5py
import numpy as np
import pytest
import torch

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources.array_files import ArrayFile
from snaketorch.data.sources.arrays import load
from snaketorch.errors import DataError

DRAW = np.random.default_rng(0)
LABELS = np.arange(12) % 3
PIXELS = DRAW.integers(0, 256, (12, 4, 5, 3), dtype=np.uint8)


def load_arrays(path, content, **source):
    source = {"kind": "arrays", "path": str(path), "content": content, **source}
    return load(PrepareSpec.model_validate({"dataset": "some", "source": source, "split": {}, "prepare": {}}))


def write(path, **arrays):
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".pt":
        torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)
    else:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array
    return path


def pixels_of(raw, rows):
    return [image for part in raw.reader.parts(np.array(rows)) for image in part]


@pytest.mark.parametrize("suffix", [".npz", ".pt", ".h5", ".hdf5"])
def test_images_and_labels_come_out_of_every_format(tmp_path, suffix):
    path = write(tmp_path / f"some{suffix}", x=PIXELS, y=LABELS)
    raw = load_arrays(path, "images", samples="x", labels="y")
    assert raw.labels.tolist() == LABELS.tolist()
    assert raw.classes == ("0", "1", "2")
    assert list(raw.reader.shapes(np.arange(2))) == [(3, 4, 5)] * 2
    for rows in ([0, 1, 2], [11, 0, 5, 5]):
        assert all(
            np.array_equal(image, PIXELS[row].transpose(2, 0, 1))
            for image, row in zip(pixels_of(raw, rows), rows, strict=True)
        )


def test_a_file_of_one_array_needs_no_names(tmp_path):
    np.save(tmp_path / "x.npy", PIXELS)
    np.save(tmp_path / "y.npy", LABELS.astype(np.float32)[:, None])
    raw = load_arrays(tmp_path / "x.npy", "images", labels_path=str(tmp_path / "y.npy"), classes=["a", "b", "c"])
    assert (raw.labels.tolist(), raw.classes) == (LABELS.tolist(), ("a", "b", "c"))


def test_grey_bool_and_float_images_become_bytes(tmp_path):
    def first(samples, **source):
        np.savez(tmp_path / "some.npz", x=samples, y=LABELS)
        return pixels_of(load_arrays(tmp_path / "some.npz", "images", samples="x", labels="y", **source), [0])[0]

    assert first(PIXELS[..., 0]).shape == (1, 4, 5)
    assert set(np.unique(first(PIXELS[..., 0] > 100))) <= {0, 255}
    assert np.array_equal(first(PIXELS / 255), PIXELS[0].transpose(2, 0, 1))
    assert np.array_equal(first(PIXELS.transpose(0, 3, 1, 2), channels="first"), PIXELS[0].transpose(2, 0, 1))


@pytest.mark.parametrize("value", [1.5, -0.1, np.nan, np.inf])
def test_a_float_image_that_is_out_of_range_is_a_bad_sample(tmp_path, value):
    images = PIXELS[..., 0] / 255
    images[3, 2, 1] = value
    np.savez(tmp_path / "some.npz", x=images, y=LABELS)
    found = pixels_of(load_arrays(tmp_path / "some.npz", "images", samples="x", labels="y"), [2, 3])
    assert isinstance(found[0], np.ndarray)
    assert "the value at row 2, column 1, channel 0" in str(found[1])


def test_sequences_rows_numbers_and_a_series(tmp_path):
    values = DRAW.normal(size=(12, 7, 2)).astype(np.float32)
    targets = DRAW.normal(size=12)
    path = write(tmp_path / "some.npz", x=values, y=LABELS, z=targets)
    raw = load_arrays(path, "sequences", samples="x", labels="y")
    assert raw.channels == ("channel 0", "channel 1")
    assert np.array_equal(raw.values[3], values[3])
    assert raw.values[3].dtype == np.float32
    first = load_arrays(path, "sequences", samples="x", labels="y", channels="first")
    assert np.array_equal(first.values[3], values[3].T)

    table = values[:, :, 0].copy()
    table[4, 1] = np.nan
    path = write(tmp_path / "rows.npz", x=table, y=LABELS, z=targets)
    rows = load_arrays(path, "rows", samples="x", labels="y")
    assert (rows.table.num_columns, rows.table["column 1"].null_count, rows.classes) == (7, 1, ("0", "1", "2"))
    numbers = load_arrays(path, "number_rows", samples="x", labels="z")
    assert (numbers.classes, numbers.target.tolist()) == ((), targets.tolist())

    np.save(tmp_path / "series.npy", np.arange(8))
    series = load_arrays(tmp_path / "series.npy", "series")
    assert (series.values.shape, series.time.tolist(), series.time_unit) == ((8, 1), list(range(8)), "row")


@pytest.mark.parametrize(
    ("arrays", "content", "source", "message"),
    [
        ({"x": PIXELS, "y": LABELS}, "images", {"labels": "y"}, "2 arrays, so source.samples must say which; .*x, y"),
        ({"x": PIXELS, "y": LABELS}, "images", {"samples": "x"}, "there are no labels; .*the arrays of .* are x, y"),
        ({"x": PIXELS, "labels": LABELS}, "images", {"samples": "x", "labels": "label"}, "did you mean 'labels'"),
        ({"x": PIXELS, "y": LABELS[:5]}, "images", {}, r"labels have the shape \(5,\), the samples are 12"),
        ({"x": PIXELS.astype(np.uint16), "y": LABELS}, "images", {}, "the images are uint16; allowed: uint8"),
        ({"x": PIXELS.transpose(0, 3, 1, 2), "y": LABELS}, "images", {}, "5 channels; .*Set `channels: first`"),
        ({"x": PIXELS[:, 0, 0], "y": LABELS}, "images", {}, r"shape \(12, 3\); allowed: \(N, H, W\)"),
        ({"x": PIXELS, "y": LABELS + 0.5}, "images", {}, "label of row 0 is 0.5; .*`content: number_images`"),
        ({"x": PIXELS, "y": LABELS}, "images", {"classes": ["a", "b"]}, r"row 2 is 2 \(4 such"),
        ({"x": PIXELS, "y": LABELS}, "images", {"classes": ["a", "b", "c", "d"]}, "no sample is of class 'd'"),
        ({"x": PIXELS * 1j, "y": LABELS}, "images", {}, "the samples are complex128"),
        ({"x": np.where(np.eye(12)[:, 4:6] > 0, np.inf, 1), "y": LABELS}, "rows", {}, "row 4, column 0 is infinite"),
        ({"x": PIXELS[:, 0, :, 0], "y": LABELS * np.nan}, "number_rows", {}, "the number of row 0 is nan"),
        ({"x": PIXELS[:0], "y": LABELS[:0]}, "images", {}, "at least one value is needed"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, content, source, message):
    path = write(tmp_path / "some.npz", **arrays)
    names = {} if source.keys() & {"samples", "labels"} else {"samples": "x", "labels": "y"}
    with pytest.raises(DataError, match=message):
        load_arrays(path, content, **source, **names)


def test_labels_may_be_texts(tmp_path):
    np.savez(tmp_path / "some.npz", x=PIXELS, y=np.array(["cat", "dog"])[LABELS % 2])
    source = {"samples": "x", "labels": "y"}
    assert load_arrays(tmp_path / "some.npz", "images", **source).classes == ("cat", "dog")
    turned = load_arrays(tmp_path / "some.npz", "images", classes=["dog", "cat"], **source)
    assert turned.labels.tolist() == (1 - LABELS % 2).tolist()
    with pytest.raises(DataError, match=r"the label of row 1 is 'dog'; did you mean 'dgo'"):
        load_arrays(tmp_path / "some.npz", "images", classes=["dgo", "cat"], **source)


def test_labels_that_are_no_utf8_are_named_by_row(tmp_path):
    np.savez(tmp_path / "some.npz", x=PIXELS, y=np.array([b"elm", "chêne".encode("latin-1")] * 6))
    with pytest.raises(DataError, match=r"some.npz: the label of row 1 is b'ch\\xeane', which is no UTF-8"):
        load_arrays(tmp_path / "some.npz", "images", samples="x", labels="y")


def test_an_empty_array_of_hdf5_is_refused(tmp_path):
    with h5py.File(tmp_path / "some.h5", "w") as file:
        file["x"], file["y"] = h5py.Empty("f"), LABELS
    with pytest.raises(DataError, match=r"some.h5: the samples have the shape None; at least one value is needed"):
        load_arrays(tmp_path / "some.h5", "images", samples="x", labels="y")


def test_python_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1], [1, 2]], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=np.array([[1], [1, 2]], object), y=LABELS)
    torch.save({"x": torch.nn.Linear(1, 1)}, tmp_path / "x.pt")
    for suffix in (".npy", ".npz", ".pt"):
        with pytest.raises(DataError, match=r"Python objects, which are not loaded"):
            load_arrays(tmp_path / f"x{suffix}", "rows", samples=None if suffix == ".npy" else "x", labels="y")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pt", ".h5"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, suffix):
    path = tmp_path / f"some{suffix}"
    if suffix == ".npy":
        np.save(path, PIXELS)
    else:
        write(path, x=PIXELS, y=LABELS)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=f"some{suffix}: the file cannot be read"):
        load_arrays(path, "images", samples=None if suffix == ".npy" else "x", labels="y")


def test_an_archive_whose_packed_values_are_broken_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez_compressed(path, x=PIXELS, y=LABELS)
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"some.npz: the file cannot be read: .*; is it cut off\?"):
        load_arrays(path, "images", samples="x", labels="y")


def test_an_array_whose_header_is_broken_is_refused(tmp_path):
    path = tmp_path / "some.npy"
    np.save(path, PIXELS)
    path.write_bytes(path.read_bytes().replace(b"(12, 4, 5, 3), }", b"(12, 4, 5, 3(, }"))
    with pytest.raises(DataError, match=r"some.npy: the file cannot be read: "):
        load_arrays(path, "images", labels_path=str(path))


def test_unknown_files_are_refused(tmp_path):
    (tmp_path / "x.mat").write_bytes(b"")
    with pytest.raises(DataError, match=r"suffix '.mat' is not known; allowed: .npy, .npz, .pt, .h5, .hdf5"):
        load_arrays(tmp_path / "x.mat", "images")
    with pytest.raises(DataError, match=r"there is no such file"):
        load_arrays(tmp_path / "gone.npy", "images")


def test_what_is_not_compressed_in_an_archive_is_mapped_into_memory(tmp_path):
    fortran = np.asfortranarray(DRAW.random((12, 6)))
    for save, is_mapped in ((np.savez, True), (np.savez_compressed, False)):
        save(tmp_path / "some.npz", x=PIXELS, f=fortran, s=np.float32(3), none=np.empty((0, 4)))
        file = ArrayFile(tmp_path / "some.npz")
        assert list(file) == ["x", "f", "s", "none"]
        assert isinstance(file["x"], np.memmap) == is_mapped
        for name, array in (("x", PIXELS), ("f", fortran), ("s", np.float32(3)), ("none", np.empty((0, 4)))):
            assert np.array_equal(file[name], array) and file[name].dtype == array.dtype


@pytest.mark.parametrize(("content", "value_bytes"), [("number_rows", 40), ("series", 28)])
def test_arrays_that_do_not_fit_into_the_memory_are_refused_before_they_are_read(
    tmp_path, monkeypatch, content, value_bytes
):
    np.save(tmp_path / "x.npy", DRAW.random((12, 6)))
    np.save(tmp_path / "y.npy", np.arange(12.0))
    labels = {"labels_path": str(tmp_path / "y.npy")} if content == "number_rows" else {}
    monkeypatch.setattr("snaketorch.data.sources.memory.free_host_memory", lambda: 12 * 6 * value_bytes)
    load_arrays(tmp_path / "x.npy", content, **labels)
    monkeypatch.setattr("snaketorch.data.sources.memory.free_host_memory", lambda: 12 * 6 * value_bytes - 1)
    with pytest.raises(DataError, match=r"x.npy: 72 values need about .* Give the job more memory"):
        load_arrays(tmp_path / "x.npy", content, **labels)


def test_a_compressed_array_that_does_not_fit_into_the_memory_is_refused(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "some.npz", x=PIXELS)
    monkeypatch.setattr("snaketorch.data.sources.memory.free_host_memory", lambda: PIXELS.nbytes)
    with pytest.raises(DataError, match=r"some.npz: the values of 'x', which are compressed, need about"):
        ArrayFile(tmp_path / "some.npz")["x"]
