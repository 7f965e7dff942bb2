"""Numbers that a model told against the true ones."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snaketorch.figures.style import BLUE, MUTED, WIDTH, house_style, new_figure, shortened

MOST_DOTS = 2000
"""Of more samples some are left out, evenly, so that a page stays small."""
BINS = 30


@house_style
def predicted_figure(truth: np.ndarray, predicted: np.ndarray, name: str) -> Figure:
    """Predicted against true numbers, (N,) each; on the line they would be equal. ``name`` says what they are."""
    figure = new_figure(f"Predicted against true {name}", 4.2, 4.2)
    axes = figure.add_subplot()
    ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
    axes.plot(ends, ends, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    _dots(axes, truth, predicted)
    axes.set(xlabel=f"true {shortened(name, 40)}", ylabel=f"predicted {shortened(name, 40)}", box_aspect=1)
    return figure


@house_style
def residuals_figure(predicted: np.ndarray, errors: np.ndarray, name: str) -> Figure:
    """Errors (N,), predicted less true, by what was predicted, and how often each occurs."""
    figure = new_figure(f"Errors by predicted {name}, and how often each occurs", WIDTH, 3.0)
    by_prediction, counts = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
    _dots(by_prediction, predicted, errors)
    by_prediction.set(xlabel=f"predicted {shortened(name, 40)}", ylabel="predicted less true")
    counts.hist(errors, bins=min(BINS, max(5, len(errors) // 4)), orientation="horizontal", color=BLUE, alpha=0.75)
    counts.set_xlabel("samples")
    for axes in (by_prediction, counts):
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    return figure


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    every = slice(None, None, -(-len(x) // MOST_DOTS))
    axes.plot(x[every], y[every], "o", color=BLUE, markersize=4, alpha=0.5, markeredgewidth=0)
