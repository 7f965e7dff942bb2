"""What a training must know of its data, before the data are prepared.

The manifest says it where there is one. Else the configuration does, as far as it can: published sets have known
sizes, images and clips are counted and a few of their headers read, small files are read whole.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from snaketorch import layout
from snaketorch.config import contents
from snaketorch.config.contents import CONTENTS
from snaketorch.config.datasets import Prepare
from snaketorch.config.source_files import files_of
from snaketorch.config.sources import TorchvisionSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.chosen_classes import only_classes
from snaketorch.data.manifest import SPLITS, Manifest, SplitFiles
from snaketorch.data.raw.images import RawClips, RawImages
from snaketorch.data.readers import shapes_of
from snaketorch.data.split import split_samples
from snaketorch.data.store import Store
from snaketorch.errors import DataError, UserError
from snaketorch.implementation import resolve
from snaketorch.planning.known_sets import KNOWN_SETS, Shape
from snaketorch.planning.sketch import Sketch, bytes_of, sketched_array
from snaketorch.tasks import samples_of
from snaketorch.tasks.base import TaskModule

log = logging.getLogger(__name__)

READ_BYTES = 2**26
"""Files of rows, texts, series and sequences up to this size are read whole."""
HEADERS = 64
"""Images and clips whose headers are read, evenly over all."""

Origin = Literal["manifest", "files", "publication"]


@dataclass(frozen=True, eq=False)
class Counts:
    """How much there is of a dataset, and who says so."""

    manifest: Manifest
    """Of the prepared dataset, or a sketch of what it will be."""
    origin: Origin
    """The prepared dataset's own, the user's files, or what is published of a known set."""
    why: str
    """The same for people, with what is taken on trust."""

    @property
    def rows(self) -> dict[str, int]:
        """By split: samples, steps of a series, tokens of a running text."""
        return {split: files.count for split, files in self.manifest.splits.items()}

    @property
    def bytes(self) -> dict[str, int]:
        """By split: the prepared arrays, as files and in memory."""
        return {split: bytes_of(files) for split, files in self.manifest.splits.items()}

    def samples(self, task: TaskModule, split: str = "train") -> int:
        """Samples of a split as ``task`` cuts them: windows of a series or a text. DataError when there are none."""
        return len(samples_of(task, self.manifest, split))


def facts_of(spec: PrepareSpec, root: Path = Path()) -> tuple[dict[str, Any], Counts]:
    """The facts that a task and its network are built of (``Manifest.facts``), and how many samples there are.

    A manifest counts when it is of the same specification. Where there is none the values of statistics are
    stand-ins, shapes and counts are not.

    Args:
        spec: The dataset, as its preparation gets it.
        root: The folder that holds ``config/`` and ``results/``.

    Raises:
        UserError: nothing but a preparation can tell; the message says why, and the command.
    """
    counts = _prepared(spec, root) or _sketched(spec, root)
    log.info("dataset %s: %s", spec.dataset, counts.why)
    return counts.manifest.facts(), counts


def _prepared(spec: PrepareSpec, root: Path) -> Counts | None:
    path = root / layout.MANIFEST.format(dataset=spec.dataset)
    if not path.is_file():
        return None
    manifest = Manifest.load(path)
    if manifest.spec != spec.model_dump(mode="json"):
        return None  # of an earlier configuration
    return Counts(manifest, "manifest", f"as {path.relative_to(root)} says")


def _sketched(spec: PrepareSpec, root: Path) -> Counts:
    source = spec.source
    if isinstance(source, TorchvisionSource):
        return _published(spec)
    if source.kind == "custom" or (source.kind == "huggingface" and not (root / source.path).is_dir()):
        what = "your own class" if source.kind == "custom" else "the hub"
        raise _not_known(spec, f"only {what} knows what it holds")
    used = {key[1]: str(root / path) for key, path in files_of(source, root)}
    here = spec.model_copy(update={"source": source.model_copy(update=used)})
    try:
        if source.provides in (contents.IMAGES, contents.NUMBER_IMAGES, contents.CLIPS):
            return _of_pixels(here)
        size = sum(_size(Path(path)) for path in used.values())
        if size > READ_BYTES:
            named = " and ".join(f"'{path}'" for _, path in files_of(source, root))
            raise _not_known(spec, f"{named} would take long to read ({size / 2**20:,.0f} MiB)")
        return _of_a_trial(here)
    except DataError as error:
        raise DataError(f"dataset '{spec.dataset}': {error}") from error


def _not_known(spec: PrepareSpec, why: str) -> UserError:
    manifest = layout.MANIFEST.format(dataset=spec.dataset)
    return UserError(
        f"dataset '{spec.dataset}' is not prepared, and {why}; allowed: to prepare it first: `snakemake -c1 {manifest}`"
    )


def _size(path: Path) -> int:
    """Of a file, or of the files in a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def _published(spec: PrepareSpec) -> Counts:
    """Of one of torchvision's sets."""
    known, name = KNOWN_SETS[spec.source.name], spec.source.name
    if known.shape is None and spec.prepare.size is None:
        raise _not_known(spec, f"images of {name} differ in size, so that it needs prepare.size, their [H, W]")
    size = spec.prepare.size or known.shape[-2:]
    channels = spec.prepare.channels or (known.shape[0] if known.shape else 3)
    labels = np.concatenate([known.labels(part) for part in known.samples])
    classes = tuple(spec.split.classes or map(str, range(known.classes)))
    labels[labels >= len(classes)] = -1
    ends = np.cumsum([0, *known.samples.values()])
    given = {
        part: np.arange(start, end)
        for part, start, end in zip(known.samples, ends[:-1], ends[1:], strict=True)
        if part != "all"
    }
    rows = split_samples(labels, classes, given, spec.split)
    sketch = _pixels(spec, "image", (channels, *size), {part: labels[found] for part, found in rows.items()}, classes)
    return Counts(sketch, "publication", f"as {name} is published, with as many samples in every class")


def _of_pixels(spec: PrepareSpec) -> Counts:
    """Of images and clips: their files are listed, or their arrays opened, and none is decoded."""
    raw = only_classes(resolve(spec.source.implementation)(spec), spec.split.classes)
    rows = split_samples(raw.labels, raw.classes, raw.given, spec.split)
    field = "clip" if spec.source.provides == contents.CLIPS else "image"
    frames = (spec.prepare.frames,) if field == "clip" else ()
    answers = {split: raw.labels[members] for split, members in rows.items()}
    sketch = _pixels(spec, field, (*frames, *_shape(raw, spec.prepare)), answers, raw.classes, raw.target_name)
    return Counts(sketch, "files", f"as its {len(raw.labels):,} samples are now, if none is bad")


def _shape(raw: RawImages | RawClips, options: Prepare) -> Shape:
    """To which all are brought, as far as the headers of some tell."""
    if options.size and options.channels:
        return (options.channels, *options.size)
    rows = np.unique(np.linspace(0, len(raw.labels) - 1, HEADERS).astype(np.int64))
    found = [shape[-3:] for shape in shapes_of(raw.reader, rows) if not isinstance(shape, Exception)]
    if not found:
        raise DataError(f"none of {len(rows)} samples can be read, such as {raw.names[rows[0]]}")
    if not options.size and len({shape[-2:] for shape in found}) > 1:
        raise DataError("its samples differ in size; set `prepare: {size: [H, W]}`, their height and width in pixels")
    return (options.channels or max(shape[-3] for shape in found), *(options.size or found[0][-2:]))


def _pixels(
    spec: PrepareSpec,
    field: str,
    shape: tuple[int, ...],
    answers: Mapping[str, np.ndarray],
    classes: tuple[str, ...],
    target_name: str = "target",
) -> Sketch:
    """Images or clips of ``shape`` with the labels or numbers ``answers``."""
    splits = {}
    for split in SPLITS:
        times = 1 + (spec.prepare.copies if split == "train" else 0)
        found = answers[split]
        count, one = len(found) * times, found.shape[1:]
        kind = ("label", "int64") if classes else ("target", "float32")
        arrays = {
            field: sketched_array(split, field, (count, *shape), "uint8"),
            kind[0]: sketched_array(split, kind[0], (count, *one), kind[1]),
        }
        each = found.sum(0) if found.ndim == 2 else np.bincount(found, minlength=len(classes)) if classes else None
        splits[split] = SplitFiles(count, arrays, class_counts=None if each is None else tuple((times * each).tolist()))
    channels = shape[-3]
    statistics = {"mean": [0.5] * channels, "std": [0.25] * channels}
    fields: dict[str, Any] = {field: {"dtype": "uint8", "shape": list(shape), "statistics": statistics}}
    if classes:
        fields["label"] = {"dtype": "int64", "shape": list(answers["train"].shape[1:])}
    else:
        train = answers["train"]
        statistics = {"mean": float(train.mean()), "std": float(train.std()) or 1.0}
        fields["target"] = {"dtype": "float32", "shape": [], "name": target_name, "statistics": statistics}
    return _sketch(spec, fields, splits, classes=classes)


def _of_a_trial(spec: PrepareSpec) -> Counts:
    """Of what is small: prepared as it will be, in a folder that is thrown away."""
    raw = only_classes(resolve(spec.source.implementation)(spec), spec.split.classes)
    with TemporaryDirectory() as folder:
        store = Store(Path(folder), "arrays")
        prepared = resolve(CONTENTS[spec.source.provides].prepared_by)(raw, spec, store)
        starts = {
            split: {name: np.array(store.read(split, name)) for name in fields if name.endswith("_start")}
            for split, fields in store.arrays.items()
        }
        others = {name: json.loads((Path(folder) / f"{name}.json").read_text("utf-8")) for name in store.others}
    splits = {split: SplitFiles(arrays=store.arrays[split], **told) for split, told in prepared.splits.items()}
    sketch = _sketch(spec, prepared.fields, splits, classes=prepared.classes, contents=others, starts=starts)
    return Counts(sketch, "files", "as its files are now")


def _sketch(spec: PrepareSpec, fields: dict[str, Any], splits: dict[str, SplitFiles], **more: Any) -> Sketch:
    return Sketch(
        Path(layout.MANIFEST.format(dataset=spec.dataset)),
        spec.dataset,
        spec.source.provides,
        digest="",
        fields=fields,
        splits=splits,
        spec=spec.model_dump(mode="json"),
        **more,
    )
