"""How much each key of a sweep mattered."""

from collections.abc import Mapping
from textwrap import fill

from matplotlib.figure import Figure

from snaketorch.figures.style import BLUE, INK, WIDTH, house_style, new_figure
from snaketorch.figures.sweep_trials import short_path

MOST_KEYS = 20


@house_style
def sweep_importance_figure(
    importance: Mapping[str, tuple[float, float]], explained: float, trials: int, metric: str
) -> Figure:
    """A bar a key, the longest first.

    Args:
        importance: For each key how much of the differences between trials a model cannot tell any more
            without it, as a share, and the standard deviation of that.
        explained: Share of the differences that the model tells with all keys, of trials that it was not fitted to.
        trials: How many there were.
        metric: What differs.
    """
    ordered = sorted(importance.items(), key=lambda item: item[1][0], reverse=True)[:MOST_KEYS]
    figure = new_figure(f"How much each tuned key matters for {metric}", WIDTH, 0.95 + 0.3 * len(ordered))
    axes = figure.add_subplot()
    for place, (_, (share, spread)) in enumerate(ordered):
        axes.barh(place, max(0.0, share), 0.62, color=BLUE)
        axes.plot([max(0.0, share - spread), max(0.0, share + spread)], [place] * 2, color=INK, linewidth=1.2)
        axes.text(max(0.0, share + spread), place, f" {max(0.0, share):.2f}", va="center", fontsize=8.5)
    axes.set_yticks(range(len(ordered)), [short_path(path, 40) for path, _ in ordered])
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    axes.set_xlim(0, max(0.1, 1.12 * max(share + spread for _, (share, spread) in ordered)))
    axes.set_xlabel(
        "share of the differences between trials that a random forest cannot tell without the key\n"
        f"with all keys it tells {explained:.0%} of them, of {trials} trials that it was not fitted to in turn"
    )
    if len(importance) > len(ordered):
        axes.set_title(f"The {len(ordered)} of {len(importance)} keys that matter most")
    axes.grid(axis="y", visible=False)
    return figure


@house_style
def no_importance_figure(why: str) -> Figure:
    """The same without bars: ``why`` there are none."""
    figure = new_figure(f"How much each tuned key matters: {why}", WIDTH, 0.8)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.text(0, 0.5, fill(why, 95), va="center", fontsize=9, color=INK)
    return figure
