"""Every kind of figure, drawn from made-up data."""

import numpy as np

from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.curves import learning_curves
from snaketorch.figures.examples import Example, examples_figure
from snaketorch.figures.forecasts import Line, Window, error_figure, timeline_figure, windows_figure
from snaketorch.figures.reliability import reliability_figure


def history(epochs=12, seed=0):
    noise = np.random.default_rng(seed).random(epochs)
    return [
        {
            "epoch": float(epoch),
            "train/loss": 2.0 / epoch,
            "val/loss": 2.2 / epoch + 0.1 * noise[epoch - 1],
            "train/accuracy": 1 - 0.9 / epoch,
            "val/accuracy": 0.95 - 0.8 / epoch,
        }
        for epoch in range(1, epochs + 1)
    ]


def window(start=100.0, steps=3):
    past, time = start + np.arange(12.0), start + 12 + np.arange(float(steps))
    forecasts = {"model": np.full(steps, 0.5), "persistence": np.zeros(steps), "seasonal_naive": np.ones(steps)}
    return Window("flow (m³)", f"{start:.0f}: off by 0.5", past, np.sin(past), time, np.sin(time), forecasts)


def line(channel, ahead, steps=60):
    time = 1900.0 + np.arange(steps)
    truth = np.sin(time)
    return Line(channel, ahead, time, truth, {"model": truth + 0.1, "persistence": np.roll(truth, 1)})


def example(predicted="a goldfish", true="a very long name of a class"):
    image = np.random.default_rng(0).integers(0, 256, (3, 16, 20), dtype=np.uint8)
    return Example(image, predicted, true, 0.99999)


def sequence_example(channels, predicted="walk"):
    sequence = np.random.default_rng(0).normal(size=(1200, channels)).cumsum(0)
    return Example(sequence.astype(np.float32), predicted, "run", 0.6)


DRAW = {
    "curves of one seed": lambda: learning_curves({0: history()}, ["loss", "accuracy"], {0: 9}),
    "curves of three seeds": lambda: learning_curves(
        {seed: history(12 - seed, seed) for seed in range(3)}, ["loss", "accuracy"], {0: 9, 1: 8, 2: 10}
    ),
    "confusion": lambda: confusion_figure(np.diag([30, 20, 9]) + 1, ["no", "yes", "a name of many characters"]),
    "confusion of many": lambda: confusion_figure(np.diag(np.arange(30)), [f"class {i}" for i in range(30)]),
    "reliability": lambda: reliability_figure(
        np.array([0, 3, 9, 40]), np.array([0, 0.5, 0.6, 0.99]), np.array([0, 0.4, 0.7, 0.98])
    ),
    "examples": lambda: examples_figure([example(), example("koi", "koi"), *[example()] * 6], "Some images"),
    "examples of sequences": lambda: examples_figure(
        [sequence_example(3), sequence_example(9, "run")], "Some sequences"
    ),
    "timeline": lambda: timeline_figure([line("flow (m³)", 1), line("flow (m³)", 3)], "year"),
    "errors": lambda: error_figure({"model": np.array([1, 2.0]), "persistence": np.array([2, 4.0])}, "error (m³)"),
    "errors of many steps": lambda: error_figure({"model": np.arange(30.0), "persistence": np.arange(30.0)}, "error"),
    "windows": lambda: windows_figure([window(100.0 * i) for i in range(1, 6)], "year", "Some windows"),
    "a window of one step": lambda: windows_figure([window(steps=1)], "year", "A window"),
}
