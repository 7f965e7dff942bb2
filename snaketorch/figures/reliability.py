"""Whether a classifier is as sure as it is right."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from snaketorch.figures.style import BLUE, GREEN, MUTED, VERMILION, house_style, legend_above, new_figure


@house_style
def reliability_figure(counts: np.ndarray, accuracy: np.ndarray, confidence: np.ndarray) -> Figure:
    """Accuracy against confidence over equal bins of confidence, and how many samples each bin holds.

    A bar is as high as the accuracy; where the classifier was too sure, what is missing stands above it.

    Args:
        counts: Samples in each bin from 0 to 1, shape (bins,).
        accuracy: Share of them that were right; anything where a bin is empty.
        confidence: Their mean confidence; likewise.
    """
    figure = new_figure("Reliability: accuracy at each confidence, and how often each confidence occurs", 4.6, 4.8)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges = np.linspace(0, 1, len(counts) + 1)
    centres, width, filled = (edges[:-1] + edges[1:]) / 2, 0.92 / len(counts), counts > 0
    right, sure = accuracy[filled], confidence[filled]
    top.bar(centres[filled], np.minimum(right, sure), width, color=BLUE, label="accuracy")
    for label, colour, low, high in (("too sure", VERMILION, right, sure), ("not sure enough", GREEN, sure, right)):
        top.bar(centres[filled], np.maximum(high - low, 0), width, low, color=colour, alpha=0.6, label=label)
    top.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfect", zorder=3)
    top.set(ylim=(0, 1.02), ylabel="accuracy")
    bottom.bar(centres, counts / max(counts.sum(), 1), width, color=BLUE)
    bottom.set(xlim=(0, 1), xlabel="confidence of the prediction", ylabel="samples")
    for axis in (top.yaxis, bottom.yaxis, bottom.xaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    legend_above(figure, top)
    return figure
