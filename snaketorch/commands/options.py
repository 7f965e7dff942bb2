"""Options that several commands have."""

import argparse
from pathlib import Path


def gib(text: str) -> float:
    """Memory in GiB, zero included; a type of arguments."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no memory in GiB; allowed: a number of at least 0")
    return value


def count(text: str) -> int:
    """How many, at least one; a type of arguments."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not possible; allowed: a whole number above 0")


def add_uses(step: argparse.ArgumentParser) -> None:
    """``--uses``: trained models that the step starts from, as pairs of name and path."""
    step.add_argument(
        "--uses",
        type=_use,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a trained model, or weights, and what they are for; may be repeated",
    )


def _use(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)


def add_best(step: argparse.ArgumentParser) -> None:
    """``--best``: what a sweep found; Snakemake leaves the file out where there was none."""
    step.add_argument(
        "--best", type=Path, nargs="?", metavar="FILE", help="best.yaml of a sweep, whose values are taken"
    )


def add_checkpoints(step: argparse.ArgumentParser) -> None:
    """``--runtime`` and how often a training saves what it needs to go on."""
    step.add_argument("--runtime", type=float, metavar="MINUTES", help="end in time where a batch system would end it")
    step.add_argument("--checkpoint-epochs", type=int, default=1, metavar="N", help="epochs between checkpoints")
    step.add_argument("--checkpoint-seconds", type=float, default=60.0, metavar="S", help="seconds between them")
