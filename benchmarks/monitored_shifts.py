"""What may happen to new data, a little and more."""

from collections.abc import Callable

import numpy as np
from monitored_pools import of_own_lengths
from scipy.ndimage import gaussian_filter

Shift = Callable[[dict, np.random.Generator], dict]
"""Of the raw samples of a batch: arrays by name."""


def noisy(sigma: float) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        images = raw["image"] + draw.normal(0, sigma, raw["image"].shape)
        return {**raw, "image": images.clip(0, 255).astype(np.uint8)}

    return change


def blurred(sigma: float) -> Shift:
    return lambda raw, _: {
        **raw,
        "image": gaussian_filter(raw["image"].astype(float), (0, 0, sigma, sigma)).astype(np.uint8),
    }


def lighter(levels: int) -> Shift:
    return lambda raw, _: {**raw, "image": (raw["image"].astype(int) + levels).clip(0, 255).astype(np.uint8)}


def without(share: float, columns: int = 3) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        number = raw["number"].copy()
        number[:, :columns][draw.random((len(number), columns)) < share] = np.nan
        return {**raw, "number": number}

    return change


def scaled(factor: float, columns: int = 3) -> Shift:
    def change(raw: dict, _: np.random.Generator) -> dict:
        number = raw["number"].copy()
        number[:, :columns] *= factor
        return {**raw, "number": number}

    return change


def garbled(share: float) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        texts = [np.where(draw.random(len(text)) < share, 1, text) for text in raw["token"]]
        return {**raw, "token": of_own_lengths(texts)}

    return change


def of_language(*labels: int) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        rows = draw.choice(np.flatnonzero(np.isin(raw["label"], labels)), len(raw["label"]))
        return {name: values[rows] for name, values in raw.items()}

    return change


def risen(sigmas: float, spread: float) -> Shift:
    return lambda raw, _: {"value": raw["value"] + np.float32(sigmas * spread)}


def swinging(factor: float) -> Shift:
    return lambda raw, _: {"value": (raw["value"] - raw["value"].mean()) * np.float32(factor) + raw["value"].mean()}


def jittered(sigma: float) -> Shift:
    return lambda raw, draw: {"value": raw["value"] + draw.normal(0, sigma, raw["value"].shape).astype(np.float32)}


SHIFTS: dict[str, list[tuple[str, str, Shift | float]]] = {
    "digits": [
        *(("noise", f"σ {s} of 255", noisy(s)) for s in (5, 10, 20, 40)),
        *(("blur", f"σ {s} pixels", blurred(s)) for s in (0.3, 0.5, 0.8)),
        *(("brightness", f"{s:+d} of 255", lighter(s)) for s in (5, 10, 20, -20)),
        *(("class prior", f"{s:.0%} of the first five", s) for s in (0.6, 0.7, 0.8, 0.95)),
    ],
    "breast cancer": [
        *(("missing values", f"{s:.0%} of 3 columns", without(s)) for s in (0.05, 0.1, 0.2, 0.5)),
        *(("scale", f"3 columns x {s}", scaled(s)) for s in (1.05, 1.1, 1.3)),
        *(("class prior", f"{s:.0%} of the first", s) for s in (0.8, 0.9)),
    ],
    "names": [
        *(("unknown letters", f"{s:.0%}", garbled(s)) for s in (0.01, 0.05, 0.2)),
        ("languages", "three of five", of_language(0, 1, 2)),
        ("languages", "one of five", of_language(4)),
    ],
    "sunspots": [
        *(("level", f"+{s} standard deviations", risen(s, 40.0)) for s in (0.5, 1.0, 2.0)),
        *(("noise", f"σ {s}", jittered(s)) for s in (20.0, 60.0)),
    ],
    "AR(2)": [
        *(("level", f"+{s} standard deviations", risen(s, 3.7)) for s in (0.5, 1.0, 2.0)),
        *(("swing", f"x {s}", swinging(s)) for s in (1.5, 2.0)),
        *(("noise", f"σ {s}", jittered(s)) for s in (1.0, 3.0)),
    ],
}
