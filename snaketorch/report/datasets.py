"""What the study page says of each dataset: what is in it, what was found in it, where it came from."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch.config import contents
from snaketorch.config.augment import Augment
from snaketorch.report.resolved_yaml import as_yaml
from snaketorch.report.results import Experiment

MAX_PICTURE_BYTES = 4_000_000
"""More than our own pictures take when they are all noise."""
CLASSES_SHOWN = 25
"""Classes in the table of counts; more are folded."""

CAPTIONS = {
    contents.IMAGES: "The first training images of each class as they were prepared, and its images in each split.",
    contents.CLIPS: "Frames of the first training clips of each class, left to right, and its clips in each split.",
    contents.SEQUENCES: "The first training sequences of each class, and its sequences in each split. Time runs from "
    "left to right; a channel has one colour and one scale.",
    contents.NUMBER_IMAGES: "The first training images by the range of their number as they were prepared, and the "
    "images in each split.",
    contents.NUMBER_SEQUENCES: "The first training sequences by the range of their number, and the sequences in each "
    "split. Time runs from left to right; a channel has one colour and one scale.",
    contents.TEXTS: "How the first training texts of each class begin, its texts in each split, and how long training "
    "texts are once they are cut.",
    contents.CORPUS: "How the text begins, and the tokens of each split.",
    contents.SERIES: "Each channel over time. The colour behind it says which steps are for training, validation and "
    "test.",
    contents.ROWS: "How often each value occurs in the training rows, the target first.",
    contents.NUMBER_ROWS: "How often each value occurs in the training rows, the target first.",
}
"""What the preview of each kind of content shows."""


@dataclass(frozen=True)
class Bar:
    """A class: its samples in each split, and how long their parts of its bar are."""

    name: str
    counts: list[int]
    widths: list[float]
    """Percent of the longest bar."""


@dataclass(frozen=True)
class Dataset:
    """A dataset and who used it."""

    name: str
    manifest: dict[str, Any]
    picture: str | None
    """A data URI."""
    users: list[str]

    @property
    def bars(self) -> list[Bar]:
        """One for each class, in the order of classes; empty when there are none."""
        counts = [part.get("class_counts") for part in self.manifest["splits"].values()]
        if not self.manifest.get("classes") or not all(counts):
            return []
        classes = list(zip(*counts, strict=True))
        most = max(map(sum, classes))
        return [
            Bar(name, list(found), [round(100 * count / most, 2) for count in found])
            for name, found in zip(self.manifest["classes"], classes, strict=True)
        ]

    @property
    def caption(self) -> str:
        """What the picture shows."""
        return CAPTIONS[self.manifest["provides"]]

    @property
    def counted(self) -> str:
        """What a split's count counts."""
        return {contents.SERIES: "Steps", contents.CORPUS: "Tokens"}.get(self.manifest["provides"], "Samples")

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Problems first, then hints."""
        return sorted(self._report.get("findings", []), key=lambda finding: finding["severity"] != "problem")

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is known of the samples as they came."""
        facts = self._report.get("facts", {}).items()
        return [
            (name, _say(value, " × " if "width" in name else ", ")) for name, value in facts if value not in (None, "")
        ]

    @property
    def skipped(self) -> list[dict[str, str]]:
        """Bad samples that were left out."""
        return self._report.get("skipped", [])

    @property
    def spec(self) -> str:
        """How it was prepared, YAML: the keys that have a meaning for its content."""
        spec = self.manifest.get("spec", {})
        content = contents.CONTENTS[self.manifest["provides"]]
        kept = {"split": content.split, "prepare": content.prepare}
        shown = {
            section: {key: value for key, value in spec[section].items() if key in kept.get(section, spec[section])}
            for section in ("source", "split", "prepare")
            if section in spec
        }
        return as_yaml(_without_none(shown))

    @property
    def _report(self) -> dict[str, Any]:
        return self.manifest.get("report", {})


def datasets(results: Path, experiments: Sequence[Experiment]) -> list[Dataset]:
    """The datasets of ``experiments``, in their order."""
    users: dict[str, list[str]] = {}
    for experiment in experiments:
        users.setdefault(experiment.summary["data"], []).append(experiment.name)
    manifests = {experiment.summary["data"]: experiment.manifest for experiment in experiments}
    return [
        Dataset(name, manifests[name], picture(results / "datasets" / name / "preview.png"), names)
        for name, names in users.items()
    ]


def augmentation(experiment: Experiment) -> str | None:
    """The picture of what the experiment's `augment` does, as a data URI; None where it has none."""
    augment = experiment.summary["record"]["spec"]["config"].get("augment")
    if not augment or not Augment.model_validate(augment).active:
        return None
    return picture(experiment.folder / "augmentation.png")


def picture(path: Path) -> str | None:
    """A PNG file as a data URI; None when there is none, or it is too large for a page."""
    if not path.exists() or path.stat().st_size > MAX_PICTURE_BYTES:
        return None
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _without_none(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_none(item) for key, item in value.items() if item is not None}


def _say(value: Any, between: str = ", ") -> str:
    """``value`` in words; ``between`` stands between the items of a list."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_say(item)}" for key, item in value.items())
    if isinstance(value, list):
        return between.join(map(_say, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
