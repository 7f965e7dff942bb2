"""Preview of running text."""

from collections.abc import Mapping
from pathlib import Path

from snaketorch.data.preview import style

CHARACTERS = 92
"""Of a line."""
MOST_LINES = 24
LINE = 0.2
"""Inches."""


def draw_corpus(path: Path, title: str, text: str, counts: Mapping[str, int]) -> None:
    """How the text begins, and how long each split is.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        text: Its beginning; some thousand characters are enough.
        counts: Tokens of each split.
    """
    lines = _wrapped(text)
    width, height = 9.0, 0.75 + LINE * len(lines) + 0.25
    figure = style.blank(width, height)
    style.split_legend(figure, counts)
    style.head(figure, title, f"running text, {sum(counts.values()):,} tokens; how it begins:")
    for number, line in enumerate(lines):
        y = 1 - (0.85 + LINE * number) / height
        figure.text(0.3 / width, y, line, va="center", size=8.5, family="DejaVu Sans Mono", color=style.INK)
    style.save(figure, path)


def _wrapped(text: str) -> list[str]:
    """The first lines, at most ``MOST_LINES``, broken where they are too wide; an ellipsis where it goes on."""
    lines = []
    for line in text[: 2 * CHARACTERS * MOST_LINES].splitlines():
        shown = style.drawable(line.expandtabs(4))
        lines += [shown[at : at + CHARACTERS] for at in range(0, max(len(shown), 1), CHARACTERS)]
        if len(lines) > MOST_LINES:
            return [*lines[: MOST_LINES - 1], "…"]
    return lines
