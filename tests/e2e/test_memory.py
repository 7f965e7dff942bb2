"""Images that are larger, decoded, than the memory that a step may take: prepared by the command, in a process."""

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.e2e

COUNT, HEIGHT, WIDTH = 160, 1500, 2000
LIMIT = 440 * 2**20
"""Bytes of memory of its own that the step may have; up to half of it is Python and its libraries."""
PREPARE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
from snaketorch.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


def jpeg(label: int) -> bytes:
    """The content of a grey JPEG file that takes little room in its folder."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    stream = BytesIO()
    Image.fromarray(((rows + columns * (label + 1)) // 64).astype(np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


def write_folder(root: Path) -> dict[str, str]:
    for label in range(2):
        folder = root / "images" / str(label)
        folder.mkdir(parents=True)
        (folder / "0.jpg").write_bytes(jpeg(label))
        for row in range(1, COUNT // 2):
            os.link(folder / "0.jpg", folder / f"{row}.jpg")
    return {"kind": "image_folder", "path": "images"}


def write_hub(root: Path) -> dict[str, str]:
    files = [{"bytes": jpeg(label), "path": None} for label in range(2)]
    labels = [row % 2 for row in range(COUNT)]
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    datasets.disable_progress_bars()
    made = datasets.Dataset.from_dict({"image": [files[label] for label in labels], "label": labels}, features)
    made.save_to_disk(root / "images")
    return {"kind": "huggingface", "path": "images", "content": "images"}


@pytest.mark.parametrize("write", [write_folder, write_hub])
def test_images_that_do_not_fit_into_the_memory_are_prepared(tmp_path, write):
    assert COUNT * HEIGHT * WIDTH > LIMIT
    spec = {"dataset": "large", "source": write(tmp_path), "split": {"val": 0.2, "test": 0.2}, "prepare": {}}
    done = subprocess.run(
        [
            *(sys.executable, "-c", PREPARE, str(LIMIT), "prepare", "--spec", json.dumps(spec)),
            *("--code", "c0de", "--source", "none", "--threads", "2"),
            *("--manifest", "manifest.json", "--preview", "preview.png", "--arrays", "arrays"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        # Arrow's own pool sets a gigabyte of addresses aside
        env={**os.environ, "OMP_NUM_THREADS": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    splits = json.loads((tmp_path / "manifest.json").read_text())["splits"]
    written = [split["arrays"]["image"] for split in splits.values()]
    assert sum(entry["shape"][0] for entry in written) == COUNT
    assert all(entry["shape"][1:] == [1, HEIGHT, WIDTH] for entry in written)
