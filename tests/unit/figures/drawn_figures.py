"""Every kind of figure, drawn from made-up data."""

from dataclasses import replace

import numpy as np
from made_up_sweeps import ALL_KEYS, KEYS, LONG, LR, MOMENTUM, OPTIMIZER, sweep

from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.curves import learning_curves
from snaketorch.figures.examples import Example, examples_figure
from snaketorch.figures.forecasts import COLOURS, Band, Line, Window, error_figure, timeline_figure, windows_figure
from snaketorch.figures.image_table import image_table
from snaketorch.figures.language_modelling import Passage, context_figure, passages_figure
from snaketorch.figures.regression import predicted_figure, residuals_figure
from snaketorch.figures.reliability import reliability_figure
from snaketorch.figures.sweep_curves import sweep_curves_figure
from snaketorch.figures.sweep_history import sweep_history_figure
from snaketorch.figures.sweep_importance import sweep_importance_figure
from snaketorch.figures.sweep_parallel import sweep_parallel_figure
from snaketorch.figures.sweep_slices import sweep_slices_figure


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
    guesses = {"persistence": np.zeros(steps), "seasonal_naive": np.ones(steps), "linear": np.full(steps, 0.3)}
    forecasts = {"model": np.full(steps, 0.5), **guesses}
    return Window("flow (m³)", f"{start:.0f}: off by 0.5", past, np.sin(past), time, np.sin(time), forecasts)


def line(channel, ahead, steps=60):
    time = 1900.0 + np.arange(steps)
    truth = np.sin(time)
    return Line(channel, ahead, time, truth, {"model": truth + 0.1, "persistence": np.roll(truth, 1)})


def with_band(shown):
    middle = shown.forecasts["model"]
    return replace(shown, band=Band("80% interval", middle - 1, middle + 1))


def numbers(count=40):
    truth = np.random.default_rng(0).normal(200, 50, count)
    return truth, truth + np.random.default_rng(1).normal(0, 20, count)


def example(predicted="a goldfish", true="a very long name of a class"):
    image = np.random.default_rng(0).integers(0, 256, (3, 16, 20), dtype=np.uint8)
    return Example(image, predicted, true, 0.99999)


def sequence_example(channels, predicted="walk"):
    sequence = np.random.default_rng(0).normal(size=(1200, channels)).cumsum(0)
    return Example(sequence.astype(np.float32), predicted, "run", 0.6)


def passage(text="The <cat> & the dog\n\tsat", surprise=3.0):
    return Passage(list(text), np.abs(np.random.default_rng(0).normal(surprise, 2.0, len(text))))


def images(rows, columns, channels=1):
    return np.random.default_rng(0).integers(0, 256, (rows, columns, channels, 10, 8), dtype=np.uint8)


SOME_KEYS = [LR, OPTIMIZER, MOMENTUM, LONG]

DRAW = {
    "table of images": lambda: image_table(images(2, 3, 3), "Images", ["one", "two"], ["a", "b", "a very long name"]),
    "passages": lambda: passages_figure([passage(), passage("é" * 200, 1), passage("  ", 0)], "Some passages"),
    "context": lambda: context_figure(5 / np.sqrt(np.arange(1, 130)) + 1, {"unigram": 4.5, "bigram": 3.4}),
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
    "errors of one step": lambda: error_figure(dict.fromkeys(COLOURS, np.ones(1)), "mean absolute error"),
    "errors of many steps": lambda: error_figure({"model": np.arange(30.0), "persistence": np.arange(30.0)}, "error"),
    "windows": lambda: windows_figure([window(100.0 * i) for i in range(1, 6)], "year", "Some windows"),
    "a window of one step": lambda: windows_figure([window(steps=1)], "year", "A window"),
    "intervals over time": lambda: timeline_figure([with_band(line("flow (m³)", 1))], "year"),
    "windows with intervals": lambda: windows_figure(
        [with_band(window()), with_band(window(steps=1))], "year", "Windows"
    ),
    "predicted numbers": lambda: predicted_figure(*numbers(), "price of a house (1000 €)"),
    "residuals": lambda: residuals_figure(*numbers(5000), "price"),
    "examples of numbers": lambda: examples_figure([Example("rooms 3, age 40", "21.5", "20.9")] * 3, "Some rows"),
    "history of a sweep": lambda: sweep_history_figure(sweep(40, failed=(4, 9), diverged=(12,)), "val/accuracy", "max"),
    "history of three trials": lambda: sweep_history_figure(sweep(3), "val/accuracy", "max"),
    "curves of a sweep": lambda: sweep_curves_figure(sweep(30, mode="min"), "val/loss", "min"),
    "trials side by side": lambda: sweep_parallel_figure(
        sweep(30, ALL_KEYS, failed=(4,)), ALL_KEYS, "val/f1_macro", "max"
    ),
    "trials of one key": lambda: sweep_parallel_figure(sweep(12, [LR]), [LR], "val/accuracy", "max"),
    "slices": lambda: sweep_slices_figure(sweep(30, SOME_KEYS, diverged=(3, 4)), SOME_KEYS, "val/accuracy", "max"),
    "importance": lambda: sweep_importance_figure(
        {key.path: (0.5 / place, 0.05) for place, key in enumerate(KEYS, start=1)}, 0.8, 24, "val/accuracy"
    ),
}
