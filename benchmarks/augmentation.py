"""Random changes of a batch of images, per sample, against torchvision on one image at a time and kornia on the batch.

All end with normalised float32 images. kornia is needed for this script alone.
"""

import argparse
import json
import time
from collections.abc import Callable
from statistics import median

import kornia.augmentation as K
import torch
from devices import add_arguments, result_file, shown, wait_for
from machine import described
from torch import Tensor
from torchvision.transforms import v2

from snaketorch.config.augment import Augment
from snaketorch.config.contents import IMAGES
from snaketorch.data.augment import build_augmentation

GOALS = {"torchvision, per image": 8.0, "kornia": 1.5}
BATCH, SIZE, PADDING = 256, 32, 4
MEAN, STD = [0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]
FIELDS = {"image": {"statistics": {"mean": MEAN, "std": STD}}}
LIGHT = "flip, pad-crop, normalise"
FULL = "flip, pad-crop, rotate, colour, normalise"
OURS = {
    LIGHT: Augment(horizontal_flip=0.5, pad_crop=PADDING),
    FULL: Augment(
        horizontal_flip=0.5, pad_crop=PADDING, rotate=15.0, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1
    ),
}
Run = Callable[[], Tensor]


def competitors(name: str, images: Tensor) -> dict[str, Run]:
    """What is timed, ours first."""
    full = name == FULL
    ours = build_augmentation(OURS[name], IMAGES, FIELDS, 0)
    batch = {"image": images, "sample": torch.arange(BATCH, device=images.device)}
    single = [v2.RandomHorizontalFlip(), v2.RandomCrop(SIZE, PADDING)]
    several = [K.RandomHorizontalFlip(), K.RandomCrop((SIZE, SIZE), PADDING)]
    if full:
        single += [v2.RandomRotation(15, v2.InterpolationMode.BILINEAR), v2.ColorJitter(0.4, 0.4, 0.4, 0.1)]
        several += [K.RandomRotation(15.0, p=1.0), K.ColorJiggle(0.4, 0.4, 0.4, 0.1, p=1.0)]
    one = v2.Compose([*single, v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    many = K.AugmentationSequential(*several, K.Normalize(torch.tensor(MEAN), torch.tensor(STD)), data_keys=["input"])
    runs = {
        "Snaketorch": lambda: ours(batch, 0)["image"],
        "torchvision, per image": lambda: torch.stack([one(image) for image in images]),
        "kornia": lambda: many(images.float() / 255),
    }
    if images.device.type == "cuda":
        compiled = torch.compile(many)
        runs["kornia, compiled"] = lambda: compiled(images.float() / 255)
    return runs


def measure(runs: dict[str, Run], device: torch.device, repeats: int) -> dict[str, float]:
    """Median seconds of each, taken in turn; two rounds to warm up are not counted."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 2):
        for name, run in runs.items():
            wait_for(device)
            began = time.perf_counter()
            run()
            wait_for(device)
            if turn > 1:
                times[name].append(time.perf_counter() - began)
    return {name: median(found) for name, found in times.items()}


def table(found: dict[str, dict[str, float]], device: str, repeats: int) -> str:
    lines = [
        "# Augmentation",
        "",
        f"{BATCH} images of 3x{SIZE}x{SIZE} bytes to normalised float32, {device}, {torch.get_num_threads()} threads, "
        f"medians of {repeats} in turn (see `benchmarks/augmentation.py`).",
        "",
        "| changes | with | ms a batch | images/s | times Snaketorch's time | goal |",
        "|---|---|---:|---:|---:|---|",
    ]
    for name, times in found.items():
        for who, seconds in times.items():
            ratio = seconds / times["Snaketorch"]
            goal = GOALS.get(who) if name == FULL else None
            verdict = "" if goal is None else f"at least {goal:g}: {'met' if ratio >= goal else 'missed'}"
            lines.append(f"| {name} | {who} | {seconds * 1e3:.2f} | {BATCH / seconds:,.0f} | {ratio:.1f} | {verdict} |")
        if "kornia, compiled" not in times:
            lines.append(f"| {name} | kornia, compiled, on a GPU | not measured | not measured | not measured | |")
    return "\n".join([*lines, "", described(["torch", "torchvision", "kornia"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    add_arguments(parser, "augmentation")
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)
    images = images.to(arguments.device)
    found = {name: measure(competitors(name, images), arguments.device, arguments.repeats) for name in OURS}
    text = table(found, shown(arguments.device), arguments.repeats)
    out = result_file(arguments, "augmentation")
    out.write_text(text, "utf-8")
    out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
