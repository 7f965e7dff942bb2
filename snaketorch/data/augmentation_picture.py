"""The picture of what an experiment's `augment` does: training samples beside what the first epochs make of them."""

import json
import logging
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from snaketorch.config import contents
from snaketorch.config.specs import AugmentationSpec
from snaketorch.data.augment import build_augmentation
from snaketorch.data.loading.samples import Batch, Samples, WindowSamples, as_tensor, samples_from
from snaketorch.data.manifest import Manifest
from snaketorch.data.preview import style
from snaketorch.data.tokenizers import load_tokenizer
from snaketorch.publish import whole_file

log = logging.getLogger(__name__)

ROWS = 8
EPOCHS = 7
WINDOW = 64
"""Steps of a series that are drawn; a task has windows of its own."""
TOKENS = 48
"""Tokens of a text that are drawn."""
LINES = 3
"""Draws of a text; each takes a whole line."""
MOST_CHANNELS = 3
TOP = 0.95
"""Inches above the samples."""


def draw_augmentation(spec: AugmentationSpec, manifest: Path, figure: Path, code: str) -> None:
    """Draws some training samples as they are, and as they are in each of the first epochs of a training.

    Args:
        spec: The experiment's `augment`, and the seed that its draws depend on.
        manifest: Of its dataset.
        figure: PNG file to write.
        code: Digest of the code that does this; what is drawn depends on no more than that and ``spec``.
    """
    data = Manifest.load(manifest)
    samples, rows = _samples(data)
    augmentation = build_augmentation(spec.augment, data.provides, data.fields, spec.seed)
    originals = samples.batch(rows)
    draws = []
    for epoch in range(EPOCHS):
        batch = samples.batch(augmentation.fetch(rows, epoch, len(samples)))
        draws.append(augmentation(batch, epoch))
    if data.provides in (contents.IMAGES, contents.CLIPS):
        drawn = _images(data, originals, draws)
    elif data.provides in (contents.SEQUENCES, contents.SERIES):
        drawn = _lines(data, originals, draws)
    else:
        drawn = _texts(data, originals, draws)
    keys = ", ".join(sorted(spec.augment.active)).replace("_", " ")
    style.head(drawn, spec.experiment, style.shorten(f"training samples and what augment makes of them: {keys}", 100))
    with whole_file(figure) as path:
        style.save(drawn, path)
    log.info("%s shows what augment does in %s (code %s)", figure, spec.experiment, code)


def _samples(data: Manifest) -> tuple[Samples, torch.Tensor]:
    """The training samples, and which of them to draw: of as many classes as there is room for."""
    arrays = data.arrays("train")
    if data.provides == contents.SERIES:
        steps = min(WINDOW, len(arrays["value"]) - 1)
        windows = WindowSamples(as_tensor(arrays["value"]), steps, 1)
        return windows, torch.linspace(0, len(windows) - 1, min(ROWS, len(windows))).long().unique()
    if data.provides == contents.CORPUS:
        length = min(TOKENS, len(arrays["token"]))
        parts = len(arrays["token"]) // length
        tokens = arrays["token"][: parts * length].reshape(parts, length)
        return samples_from({"token": tokens}), torch.arange(min(ROWS, parts))
    labels = np.asarray(arrays["label"])
    # the first sample of each class, then the second of each, and so on
    order = np.argsort(labels, kind="stable")
    begins = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - begins
    return samples_from(arrays), torch.from_numpy(np.lexsort((labels, rank))[:ROWS])


def _grid(rows: int, cell: tuple[float, float], left: float) -> tuple[Figure, np.ndarray]:
    """Axes for a column of originals and one for each epoch, with a gap after the first; cell: inches."""
    gap, bottom = 0.15, 0.15
    width, height = left + gap + cell[0] * (1 + EPOCHS) + 0.2, TOP + cell[1] * rows + bottom
    figure = style.blank(width, height)
    grid = np.empty((rows, 1 + EPOCHS), object)
    for row, column in np.ndindex(grid.shape):
        x, y = left + column * cell[0] + gap * (column > 0), height - TOP - (row + 1) * cell[1]
        size = ((cell[0] - 0.06) / width, (cell[1] - 0.06) / height)
        axes = grid[row, column] = figure.add_axes((x / width, (y + 0.03) / height, *size))
        axes.set_axis_off()
        if row == 0:
            head = "original" if column == 0 else f"epoch {column}"
            axes.set_title(head, size=8.5, color=style.FAINT, pad=4)
    return figure, grid


def _images(data: Manifest, originals: Batch, draws: list[Batch]) -> Figure:
    key = "image" if data.provides == contents.IMAGES else "clip"
    statistics = data.fields[key]["statistics"]
    mean, std = (np.array(statistics[name])[:, None, None] for name in ("mean", "std"))
    labels, mixed = originals["label"].numpy(), "mixed_label" in draws[0]
    height, width = originals[key].shape[-2:]
    side = (float(np.clip(width / height, 0.5, 2)), 1 + 0.22 * mixed)
    figure, grid = _grid(len(labels), side, _name_width(data, labels))
    for row, label in enumerate(labels):
        _name(grid[row, 0], data, label)
        for column, axes in enumerate(grid[row]):
            if column == 0:
                pixels = _middle(originals[key][row]).numpy() / 255
            else:
                changed = _middle(draws[column - 1][key][row]).float().numpy()
                pixels = np.clip(changed * std + mean, 0, 1)
            pixels = np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
            axes.imshow(pixels, interpolation="nearest" if height < 100 else "antialiased")
            if mixed and column:
                draw = draws[column - 1]
                share = float(draw["mixed_share"][row])
                parts = [(data.classes[label], share), (data.classes[int(draw["mixed_label"][row])], 1 - share)]
                text = " + ".join(f"{style.shorten(style.plain_text(name), 6)}: {part:.1f}" for name, part in parts)
                axes.text(
                    0.5, -0.04, text, transform=axes.transAxes, ha="center", va="top", size=5.5, color=style.FAINT
                )
    return figure


def _middle(sample: torch.Tensor) -> torch.Tensor:
    """The image itself (channels, height, width), or the frame in the middle of a clip."""
    return sample[len(sample) // 2] if sample.ndim == 4 else sample


def _lines(data: Manifest, originals: Batch, draws: list[Batch]) -> Figure:
    key = "value" if data.provides == contents.SEQUENCES else "window"
    labels = originals["label"].numpy() if "label" in originals else None
    left = 0.2 if labels is None else _name_width(data, labels)
    count = len(originals[key])
    figure, grid = _grid(count, (1.3, 0.8), left)
    mean, std = (np.array(data.fields["value"]["statistics"][name])[:MOST_CHANNELS] for name in ("mean", "std"))
    colours = list(style.COLOURS.values())
    for row in range(count):
        if labels is not None:
            _name(grid[row, 0], data, labels[row])
        every = [batch[key][row].numpy() for batch in (originals, *draws)]
        length = int(originals["length"][row]) if "length" in originals else len(every[0])
        # in standard deviations, so that channels of different units share one panel
        scaled = [(values[:length, :MOST_CHANNELS] - mean) / std for values in every]
        low, high = (extreme(np.concatenate(scaled)) for extreme in (np.min, np.max))
        for axes, values in zip(grid[row], scaled, strict=True):
            for channel in range(values.shape[1]):
                axes.plot(scaled[0][:, channel], color="#c4c4c4", linewidth=0.8)
                axes.plot(values[:, channel], color=colours[channel], linewidth=0.9)
            margin = 0.05 * max(high - low, 1e-6)
            axes.set_ylim(low - margin, high + margin)
    return figure


def _texts(data: Manifest, originals: Batch, draws: list[Batch]) -> Figure:
    entry = json.loads((data.path.parent / data.files["tokenizer"].file).read_text("utf-8"))
    tokenizer = load_tokenizer(entry)
    labels = originals["label"].numpy() if "label" in originals else None
    left = 0.2 if labels is None else _name_width(data, labels)
    count, band, text_width = len(originals["token"]), 0.2 * (LINES + 1.6), 7.6
    width, height = left + 0.8 + text_width, TOP - 0.2 + band * count + 0.1
    figure = style.blank(width, height)
    for row in range(count):
        top = height - (TOP - 0.2) - band * row
        if labels is not None:
            name = style.shorten(style.plain_text(data.classes[labels[row]]))
            figure.text(0.2 / width, (top - 0.1) / height, name, va="center", color=style.INK)
        for line, batch in enumerate((originals, *draws[:LINES])):
            length = int(batch["length"][row]) if "length" in batch else batch["token"].shape[1]
            text = tokenizer.decode(batch["token"][row, : min(length, TOKENS)].tolist())
            y = (top - 0.1 - 0.2 * line) / height
            said = "original" if line == 0 else f"epoch {line}"
            figure.text(left / width, y, said, va="center", size=8.5, color=style.FAINT)
            figure.text(
                (left + 0.75) / width,
                y,
                style.shorten(style.plain_text(text), 92),
                va="center",
                size=8.5,
                family="DejaVu Sans Mono",
                color=style.INK,
            )
    return figure


def _name_width(data: Manifest, labels: np.ndarray) -> float:
    """Inches that the names of the classes take."""
    return 0.4 + 0.085 * max(min(24, len(data.classes[label])) for label in labels)


def _name(axes, data: Manifest, label: int) -> None:
    name = style.shorten(style.plain_text(data.classes[label]))
    axes.text(-0.1, 0.5, name, transform=axes.transAxes, ha="right", va="center", color=style.INK)
