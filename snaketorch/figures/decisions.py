"""What a yes or no would cost at every threshold: ROC and precision against recall."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from snaketorch.figures.style import DATA_COLOURS, MUTED, WIDTH, house_style, legend_above, new_figure, shortened

MOST_CURVES = len(DATA_COLOURS)


class Curves(Protocol):
    """Of one question, see ``snaketorch.evaluation.decisions.Decisions``."""

    recall: np.ndarray
    false_alarms: np.ndarray
    precision: np.ndarray
    share: float


@house_style
def decisions_figure(found: Mapping[str, Curves]) -> Figure:
    """Two panels with a curve for each of ``found``, by name, of which the first few are drawn.

    Broken lines say what chance would give.
    """
    figure = new_figure("Found against false alarms, and precision against recall, at every threshold", WIDTH, 3.9)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for (name, curves), colour in zip(found.items(), DATA_COLOURS, strict=False):
        left.plot(curves.false_alarms, curves.recall, color=colour, label=shortened(name, 18))
        right.plot(curves.recall, curves.precision, color=colour)
        right.axhline(curves.share, color=colour, linewidth=1, linestyle=(0, (4, 3)))
    left.set(title="ROC", xlabel="false alarms", ylabel="found (recall)")
    right.set(title="Precision and recall", xlabel="found (recall)", ylabel="right of those said (precision)")
    for axes in (left, right):
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    legend_above(figure, left)
    return figure
