"""Small datasets without problems, one of every kind: real files on disk, and the dataset file that names them.

Each builder writes files into the current folder and gives the content of the dataset file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from snaketorch.publish import write_text

COUNT = 20
LABELS = np.arange(COUNT) % 2
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8), np.uint8)
SEQUENCES = np.random.default_rng(1).normal(size=(COUNT, 12, 2)).astype(np.float32)
ROWS = np.random.default_rng(2).normal(size=(COUNT, 3))
SPLIT = {"val": 0.2, "test": 0.2}

MY_LAB = """\
import numpy as np

from snaketorch.data.raw.images import RawImages
from snaketorch.data.readers import MemoryReader


class Leaves:
    def __init__(self, count: int):
        self.count = count

    def load(self) -> RawImages:
        labels = np.arange(self.count) % 2
        pixels = np.random.default_rng(0).integers(0, 256, (self.count, 1, 8, 8), np.uint8)
        return RawImages(
            reader=MemoryReader(pixels),
            labels=labels,
            classes=("oak", "elm"),
            names=[f"leaf {row}" for row in range(self.count)],
        )
"""

BEATS = """\
# heart beats
@problemName beats
@timeStamps false
@univariate false
@dimensions 2
@equalLength true
@seriesLength 4
@classLabel true calm wild
@data
"""


def pictures() -> dict[str, Any]:
    _draw("pictures/dark", ".png")
    _draw("pictures/light", ".jpg")
    return {"source": {"kind": "image_folder", "path": "pictures"}, "split": SPLIT}


def parts() -> dict[str, Any]:
    for part in ("train", "test"):
        _draw(f"album/{part}/dark", ".webp")
        _draw(f"album/{part}/light", ".bmp")
    return {"source": {"kind": "image_folder", "path": "album"}, "split": SPLIT}


def _draw(folder: str, suffix: str) -> None:
    from PIL import Image

    Path(folder).mkdir(parents=True)
    for index in range(10):
        pixels = np.random.default_rng([index, *folder.encode()]).integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(Path(folder, f"{index}{suffix}"))


def clips() -> dict[str, Any]:
    import av

    for name, grey in (("falls", 60), ("rises", 180)):
        Path("clips", name).mkdir(parents=True)
        for number in range(5):
            with av.open(f"clips/{name}/{number}.mp4", "w") as container:
                stream = container.add_stream("mpeg4", rate=10)
                stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
                for index in range(4):
                    pixels = np.full((16, 32, 3), grey + 5 * number + 3 * index, np.uint8)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                container.mux(stream.encode())
    return {"source": {"kind": "video_folder", "path": "clips"}, "split": SPLIT, "prepare": {"frames": 3}}


def image_arrays() -> dict[str, Any]:
    np.savez("images.npz", pixels=IMAGES, labels=LABELS)
    source = {"kind": "arrays", "path": "images.npz", "content": "images", "samples": "pixels", "labels": "labels"}
    return {"source": {**source, "classes": ["even", "odd"]}, "split": SPLIT}


def row_arrays() -> dict[str, Any]:
    np.save("rows.npy", ROWS)
    np.save("labels.npy", LABELS)
    source = {"kind": "arrays", "path": "rows.npy", "labels_path": "labels.npy", "content": "rows"}
    return {"source": source, "split": SPLIT}


def sequence_tensors() -> dict[str, Any]:
    import torch

    torch.save({"x": torch.from_numpy(SEQUENCES), "y": torch.from_numpy(LABELS)}, "beats.pt")
    source = {"kind": "arrays", "path": "beats.pt", "content": "sequences", "samples": "x", "labels": "y"}
    return {"source": source, "split": SPLIT}


def hdf5_arrays() -> dict[str, Any]:
    import h5py

    with h5py.File("images.h5", "w") as file:
        file["pixels"], file["labels"] = IMAGES, LABELS
    source = {"kind": "arrays", "path": "images.h5", "content": "images", "samples": "pixels", "labels": "labels"}
    return {"source": source, "split": SPLIT}


def series_array() -> dict[str, Any]:
    np.save("tide.npy", np.sin(np.arange(60.0)))
    return {"source": {"kind": "arrays", "path": "tide.npy", "content": "series"}, "split": SPLIT}


def table() -> dict[str, Any]:
    rows = [f"{2 + row % 7}.5,{row},{('green', 'brown')[row % 3 > 0]},{('oak', 'elm')[row % 2]}" for row in range(24)]
    _write_lines("leaves.csv", "length,width,colour,tree", *rows)
    return {"source": {"kind": "table", "path": "leaves.csv", "target": "tree"}, "split": SPLIT}


def parquet_table() -> dict[str, Any]:
    import pyarrow as pa
    from pyarrow import parquet

    table = {"area": ROWS[:, 0], "rooms": np.arange(COUNT) % 5, "price": ROWS[:, 1]}
    parquet.write_table(pa.table(table), "houses.parquet")
    return {
        "source": {"kind": "table", "path": "houses.parquet", "target": "price", "predict": "number"},
        "split": SPLIT,
    }


def texts() -> dict[str, Any]:
    rows = [f'"{("good", "bad")[row % 2]} film, number {row}",{("up", "down")[row % 2]}' for row in range(COUNT)]
    _write_lines("films.csv", "text,label", *rows)
    return {"source": {"kind": "text", "path": "films.csv", "label": "label"}, "split": SPLIT}


def json_lines() -> dict[str, Any]:
    rows = [f'{{"body": "letter number {row}", "kind": "{("spam", "ham")[row % 2]}"}}' for row in range(COUNT)]
    _write_lines("letters.jsonl", *rows)
    return {"source": {"kind": "text", "path": "letters.jsonl", "text": "body", "label": "kind"}, "split": SPLIT}


def running_text() -> dict[str, Any]:
    Path("book").mkdir()
    for chapter in (1, 2):
        lines = [f"This is line {line} of chapter {chapter}, and it says little." for line in range(20)]
        _write_lines(f"book/{chapter}.txt", *lines)
    return {"source": {"kind": "text", "path": "book"}, "split": SPLIT}


def series() -> dict[str, Any]:
    days = [f"2024-{1 + day // 28:02}-{1 + day % 28:02},{day % 9}.5,{day % 4}" for day in range(56)]
    _write_lines("weather.csv", "day,warmth,rain", *days)
    return {"source": {"kind": "timeseries", "path": "weather.csv", "time": "day"}, "split": SPLIT}


def parquet_series() -> dict[str, Any]:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"second": np.arange(50.0), "volt": np.sin(np.arange(50.0))}), "volts.parquet")
    return {"source": {"kind": "timeseries", "path": "volts.parquet", "time": "second"}, "split": SPLIT}


def ts_files() -> dict[str, Any]:
    for part in ("train", "test"):
        cases = [f"{row}.5,1,2,3:4,5,6,{row}:{('calm', 'wild')[row % 2]}\n" for row in range(12)]
        write_text(Path(f"beats_{part}.ts"), BEATS + "".join(cases))
    source = {"kind": "timeseries", "path": "beats_train.ts", "test_path": "beats_test.ts"}
    return {"source": source, "split": SPLIT}


def hub_folder() -> dict[str, Any]:
    import datasets

    datasets.disable_progress_bars()
    kinds = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["news", "sport"])})
    rows = {"text": [f"headline {row}" for row in range(COUNT)], "label": LABELS.tolist()}
    datasets.Dataset.from_dict(rows, kinds).save_to_disk("headlines")
    return {"source": {"kind": "huggingface", "path": "headlines", "content": "texts"}, "split": SPLIT}


def hub_splits() -> dict[str, Any]:
    import datasets

    datasets.disable_progress_bars()
    rows = {"text": [f"headline {row}" for row in range(COUNT)], "label": [("news", "sport")[row] for row in LABELS]}
    train = datasets.Dataset.from_dict(rows)
    parts = {"train": train.cast_column("label", datasets.ClassLabel(names=["news", "sport"])), "test": train}
    datasets.DatasetDict(parts).save_to_disk("stories")
    return {"source": {"kind": "huggingface", "path": "stories", "content": "texts"}, "split": SPLIT}


def torchvision_files() -> dict[str, Any]:
    folder = Path("sets/MNIST/raw")
    folder.mkdir(parents=True)
    digits = np.random.default_rng(3).integers(0, 256, (60, 8, 8), np.uint8)
    for part in ("train", "t10k"):
        for name, array in (("images-idx3", digits), ("labels-idx1", np.arange(60, dtype=np.uint8) % 10)):
            header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{part}-{name}-ubyte").write_bytes(header + array.tobytes())
    return {"source": {"kind": "torchvision", "name": "MNIST", "root": "sets", "download": False}, "split": SPLIT}


def my_class() -> dict[str, Any]:
    Path("my_lab").mkdir()
    write_text(Path("my_lab/data.py"), MY_LAB)
    source = {"kind": "custom", "class_path": "my_lab.data.Leaves", "content": "images", "init_args": {"count": 20}}
    return {"source": source, "split": SPLIT}


def installed_images() -> dict[str, Any]:
    return {"source": {"kind": "sklearn", "name": "digits"}}


def installed_series() -> dict[str, Any]:
    return {"source": {"kind": "statsmodels", "name": "nile"}}


def installed_names() -> dict[str, Any]:
    return {"source": {"kind": "babel", "name": "names", "languages": ["fi", "pl"]}}


def installed_text() -> dict[str, Any]:
    return {"source": {"kind": "python", "name": "language_reference"}}


def _write_lines(path: str, *lines: str) -> None:
    write_text(Path(path), "".join(f"{line}\n" for line in lines))


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    build.__name__: build
    for build in (
        pictures, parts, clips, image_arrays, row_arrays, sequence_tensors, hdf5_arrays, series_array, table,
        parquet_table, texts, json_lines, running_text, series, parquet_series, ts_files, hub_folder, hub_splits,
        torchvision_files, my_class, installed_images, installed_series, installed_names,
        installed_text,
    )
}  # fmt: skip
"""By name; a case says which one it spoils."""
