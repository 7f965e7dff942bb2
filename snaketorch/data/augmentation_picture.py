"""The picture of what an experiment's `augment` does: training samples beside what the first epochs make of them."""

import json
import logging
import re
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from snaketorch.config import contents
from snaketorch.config.specs import AugmentationSpec, Windows
from snaketorch.data.answers import name_of
from snaketorch.data.augment import build_augmentation
from snaketorch.data.loading.samples import Batch, Samples, WindowSamples, as_tensor, samples_from, too_few_steps
from snaketorch.data.manifest import Manifest
from snaketorch.data.preview import style
from snaketorch.data.preview.augmented import draw_augmented_images, draw_augmented_lines, draw_augmented_texts
from snaketorch.data.tokenizers import load_tokenizer
from snaketorch.publish import whole_file

log = logging.getLogger(__name__)

ROWS = 6
PIXELS = (contents.IMAGES, contents.NUMBER_IMAGES, contents.CLIPS)
LINES = (contents.SEQUENCES, contents.NUMBER_SEQUENCES, contents.SERIES)
EPOCHS = dict.fromkeys(PIXELS, 6) | dict.fromkeys(LINES, 4)
EPOCHS_OF_A_TEXT = 3
"""Each takes a whole line."""
TOKENS = 96
"""Of a text that are drawn."""


def draw_augmentation(spec: AugmentationSpec, manifest: Path, figure: Path, code: str) -> None:
    """Draws some training samples as they are, and as they are in each of the first epochs of a training.

    Args:
        spec: The experiment's `augment`, and what else its draws depend on.
        manifest: Of its dataset.
        figure: PNG file to write.
        code: Digest of the code that does this; what is drawn depends on no more than that and ``spec``.
    """
    data = Manifest.load(manifest)
    samples, rows = _samples(data, spec.windows)
    augmentation = build_augmentation(spec.augment, data.provides, data.fields, spec.seed)
    originals = samples.batch(rows)
    draws = []
    for epoch in range(EPOCHS.get(data.provides, EPOCHS_OF_A_TEXT)):
        batch = samples.batch(augmentation.fetch(rows, epoch, len(samples)))
        draws.append(augmentation(batch, epoch))
    if data.provides in PIXELS:
        drawn = _images(spec, data, originals, draws)
    elif data.provides in LINES:
        drawn = _lines(spec, data, originals, draws)
    else:
        drawn = _texts(spec, data, originals, draws)
    with whole_file(figure) as path:
        style.save(drawn, path)
    log.info("%s shows what augment does in %s (code %s)", figure, spec.experiment, code)


def _samples(data: Manifest, windows: Windows | None) -> tuple[Samples, torch.Tensor]:
    """The training samples, numbered as the training numbers them, and which of them to draw.

    Of several classes, or of numbers from low to high.
    """
    arrays = data.arrays("train")
    if data.provides == contents.SERIES:
        window, horizon, steps = windows.window, windows.horizon, len(arrays["value"])
        if steps < window + horizon:
            raise too_few_steps(data.dataset, "train", steps, window, horizon)
        samples = WindowSamples(as_tensor(arrays["value"]).float(), window, horizon, stride=windows.stride)
        return samples, torch.linspace(0, len(samples) - 1, min(ROWS, len(samples))).long().unique()
    if data.provides == contents.CORPUS:
        length = min(TOKENS, len(arrays["token"]))
        parts = len(arrays["token"]) // length
        tokens = arrays["token"][: parts * length].reshape(parts, length)
        return samples_from({"token": tokens}), torch.arange(min(ROWS, parts))
    if "target" in arrays:
        order = np.argsort(arrays["target"], kind="stable")
        evenly = np.linspace(0, len(order) - 1, min(ROWS, len(order))).round().astype(np.int64)
        return samples_from(arrays), torch.from_numpy(order[evenly])
    labels = np.asarray(arrays["label"])
    if labels.ndim == 2:
        return samples_from(arrays), torch.linspace(0, len(labels) - 1, min(ROWS, len(labels))).long().unique()
    # the first sample of each class, then the second of each, and so on
    order = np.argsort(labels, kind="stable")
    begins = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - begins
    chosen = np.lexsort((labels, rank))[:ROWS]
    return samples_from(arrays), torch.from_numpy(chosen[np.argsort(labels[chosen], kind="stable")])


def _sentences(spec: AugmentationSpec, what: str, *more: str) -> list[str]:
    """What a reader must know: what stands where, then the section of the configuration that did it."""
    active = spec.augment.active
    section = {name: value for name, value in spec.augment.model_dump(mode="json").items() if name in active}
    yaml = re.sub(r"\.0\b", "", json.dumps(section).replace('"', ""))
    seen = f"{what} as they are, and as the training with seed {spec.seed} sees them: changed anew in each epoch."
    return [" ".join([seen, *more]), f"augment: {yaml}"]


def _images(spec: AugmentationSpec, data: Manifest, originals: Batch, draws: list[Batch]) -> Figure:
    key = "clip" if data.provides == contents.CLIPS else "image"
    statistics = data.fields[key]["statistics"]
    mean, std = (np.array(statistics[name])[:, None, None] for name in ("mean", "std"))
    more, mixed = [], None
    if key == "clip":
        more.append("Each is the frame in the middle of a clip; all frames of a clip are changed alike.")
    if "mixed_label" in draws[0]:
        more.append("Below each is what its label says.")
        mixed = [[_label(data, draw, row) for row in range(len(draw["label"]))] for draw in draws]
    shown = [np.clip(_middle(draw[key]).float().numpy() * std + mean, 0, 1) for draw in draws]
    return draw_augmented_images(
        spec.experiment,
        _sentences(spec, f"Training {key}s", *more),
        _names(data, originals),
        _middle(originals[key]).numpy() / 255,
        shown,
        mixed,
    )


def _middle(samples: torch.Tensor) -> torch.Tensor:
    """The images (B, channels, height, width), or the frame in the middle of each clip."""
    return samples[:, samples.shape[1] // 2] if samples.ndim == 5 else samples


def _label(data: Manifest, draw: Batch, row: int) -> str:
    """A line for each class that a mixed label has a share of; shares that round to nothing are left out."""
    share = round(100 * float(draw["mixed_share"][row]))
    parts: dict[str, int] = {}
    for label, part in (("label", share), ("mixed_label", 100 - share)):
        name = name_of(draw[label][row], data.classes)
        parts[name] = parts.get(name, 0) + part
    return "\n".join(f"{part} % {style.shorten(style.plain_text(name), 12)}" for name, part in parts.items() if part)


def _lines(spec: AugmentationSpec, data: Manifest, originals: Batch, draws: list[Batch]) -> Figure:
    field, is_series = data.fields["value"], data.provides == contents.SERIES
    mean, std = (np.array(field["statistics"][name]) for name in ("mean", "std"))
    more, known = ["Grey lines behind are the originals."], None
    if is_series:
        known = spec.windows.window
        more.append(
            f"From a window of {known} steps those on grey ground, {spec.windows.horizon} in all, are to be forecast."
        )
    if len(mean) > 1:
        more.append("Values are in standard deviations of their channel.")
    samples = []
    for row in range(len(originals["sample"])):
        every = []
        for batch in (originals, *draws):
            values = torch.cat([batch["window"][row], batch["target"][row]]) if is_series else batch["value"][row]
            length = int(batch["length"][row]) if "length" in batch else len(values)
            # so that channels of different units share one panel
            every.append((values[:length].numpy() - mean) / std)
        samples.append(every)
    what = "Training windows" if is_series else "Training sequences"
    sentences = _sentences(spec, what, *more)
    return draw_augmented_lines(spec.experiment, sentences, _names(data, originals), samples, field["names"], known)


def _texts(spec: AugmentationSpec, data: Manifest, originals: Batch, draws: list[Batch]) -> Figure:
    entry = json.loads((data.path.parent / data.files["tokenizer"].file).read_text("utf-8"))
    tokenizer = load_tokenizer(entry)
    texts = []
    for row in range(len(originals["sample"])):
        every = []
        for batch in (originals, *draws):
            tokens = batch["token"][row]
            length = int(batch["length"][row]) if "length" in batch else len(tokens)
            every.append(tokenizer.decode(tokens[: min(length, TOKENS)].tolist()))
        texts.append(every)
    what = "Training texts" if data.provides == contents.TEXTS else "Stretches of the training text"
    more = ["\ufffd is a token that is unknown or masked."] if spec.augment.token_mask else []
    return draw_augmented_texts(spec.experiment, _sentences(spec, what, *more), _names(data, originals), texts)


def _names(data: Manifest, batch: Batch) -> list[str]:
    """The class of each sample, or its number; none where there is neither."""
    if "target" in batch and data.provides != contents.SERIES:
        return [f"{value:.4g}" for value in batch["target"].tolist()]
    return [name_of(label, data.classes) for label in batch["label"]] if "label" in batch else []
