"""CIFAR-10 from folders of JPEG files to the study page, as a user runs it: one `snakemake`, nothing prepared before.

The folder given holds ``train/CLASS/*.jpg`` (50,000) and ``test/CLASS/*.jpg`` (10,000).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from machine import described

from snaketorch import layout

REPO = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "cifar10.md"
NAME, LEAST_ACCURACY, MOST_MINUTES = "cifar10", 0.70, 10
EXPERIMENT = {
    "task": "image_classification",
    "data": NAME,
    "augment": {"horizontal_flip": 0.5, "pad_crop": 4},
    "model": {"kind": "cnn", "channels": [32, 64, 64], "hidden": 128, "dropout": 0.1},
    "optimizer": {"kind": "adamw", "lr": 4.0e-3, "weight_decay": 0.02},
    "lr_scheduler": {"kind": "one_cycle"},
    "trainer": {"max_epochs": 8, "precision": "auto"},
    "data_loader": {"batch_size": 256},
}


def study(folder: Path, images: Path, cores: int) -> None:
    """The three files that a user writes."""
    files = {
        "config.yaml": {"study": NAME, "tracking": {"enabled": False}},
        f"datasets/{NAME}.yaml": {"source": {"kind": "image_folder", "path": str(images)}, "split": {"val": 0.04}},
        f"experiments/{NAME}.yaml": {**EXPERIMENT, "resources": {"cpus": cores}},
    }
    for name, content in files.items():
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def measure(images: Path) -> str:
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        study(folder, images.resolve(), cores)
        began = time.perf_counter()
        command = [sys.executable, "-m", "snakemake", "-s", str(REPO / "Snakefile"), f"-c{cores}", "--quiet"]
        subprocess.run(command, cwd=folder, check=True)
        seconds = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = {"experiment": NAME, "seed": 0, "dataset": NAME}
        read = {
            name: json.loads((folder / path.format(**run)).read_text("utf-8"))
            for name, path in {"metrics": layout.METRICS, "record": layout.RECORD, "manifest": layout.MANIFEST}.items()
        }
    accuracy, record = read["metrics"]["metrics"]["test/accuracy"], read["record"]
    minutes = (used.ru_utime + used.ru_stime) / 60
    rows = {
        "test accuracy": f"{accuracy:.3f}",
        "CPU minutes, of all processes": f"{minutes:.1f}",
        "wall minutes": f"{seconds / 60:.1f}",
        "of these: preparation": f"{read['manifest']['record']['wall_seconds']:.0f} s",
        "of these: training": f"{record['wall_seconds']:.0f} s, {record['samples_per_second']:,.0f} images/s, "
        f"{record['precision']['used']}, {record['memory_format']}",
        "parameters": f"{record['parameters']:,}",
    }
    verdict = "met" if accuracy >= LEAST_ACCURACY and minutes <= MOST_MINUTES else "missed"
    lines = [
        "# CIFAR-10 from JPEG files",
        "",
        "60,000 files through `snakemake`: preparation, training, test, study page (see `benchmarks/cifar10.py`).",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
        "",
        f"Goal: at least {LEAST_ACCURACY:.0%} test accuracy within {MOST_MINUTES} CPU minutes: **{verdict}**.",
        "",
        described(["torch", "pytorch-lightning"]),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds train/CLASS/*.jpg and test/CLASS/*.jpg")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    text = measure(arguments.folder)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
