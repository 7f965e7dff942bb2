"""Datasets whose samples stand for new and for old data of one source."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.data.prepare import prepare
from snaketorch.monitoring.compare import Side
from snaketorch.monitoring.describe import Known, describe
from snaketorch.monitoring.outputs import of_classes
from snaketorch.monitoring.profile import Profile

FOLDS = 5
LANGUAGES = ("en", "fr", "de", "fi", "pl")


@dataclass
class Pool:
    """All samples of a dataset, and how they are described and predicted."""

    name: str
    raw: dict[str, np.ndarray]
    describe: Callable[[Mapping[str, np.ndarray]], Profile]
    classes: Sequence[str] = ()
    predict: Callable[[dict, np.ndarray], np.ndarray] | None = None
    """Probabilities of raw samples, by the fold of each."""
    fold: np.ndarray | None = None
    is_series: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.raw.values())))

    def side(self, raw: dict[str, np.ndarray], fold: np.ndarray | None, labelled: bool = True) -> Side:
        label = raw.get("label") if labelled else None
        outputs = None
        if self.predict is not None:
            outputs = of_classes(self.predict(raw, fold), self.classes, label)
        return Side(self.describe(raw), label, outputs)

    def whole(self) -> Side:
        return self.side(self.raw, self.fold)


def digits(folder: Path) -> Pool:
    """1,797 images of 8x8."""
    manifest = prepared(folder, "digits", {"kind": "sklearn", "name": "digits"})
    raw = pooled(manifest, ["image", "label"])
    known = Known.of(manifest)
    return classified(
        Pool("digits", raw, lambda raw: describe(manifest.provides, raw, known), manifest.classes),
        lambda raw: raw["image"].reshape(len(raw["image"]), -1) / 255,
    )


def cancer(folder: Path) -> Pool:
    """569 rows of 30 numbers."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame
    table["target"] = table["target"].map({0: "malignant", 1: "benign"})
    table.to_csv(folder / "cancer.csv", index=False)
    source = {"kind": "table", "path": str(folder / "cancer.csv"), "target": "target"}
    manifest = prepared(folder, "cancer", source)
    raw = pooled(manifest, ["number", "label"])
    known, columns = Known.of(manifest), manifest.fields["number"]["names"]
    median = np.median(raw["number"], 0)

    def filled(raw: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.where(np.isnan(raw["number"]), median, raw["number"]).astype(np.float32)

    def described_rows(raw: Mapping[str, np.ndarray]) -> Profile:
        missing = {f"missing {name}": np.isnan(raw["number"][:, i]) for i, name in enumerate(columns)}
        found = describe(manifest.provides, {"number": filled(raw), "label": raw["label"]}, known)
        return found.with_others(Profile(flags=missing))

    return classified(Pool("breast cancer", raw, described_rows, manifest.classes), filled)


def names(folder: Path) -> Pool:
    """What things are called in five languages, letter by letter: of the samples the vocabulary was not fitted to."""
    source = {"kind": "babel", "name": "names", "languages": list(LANGUAGES)}
    options = {"tokenizer": {"kind": "character"}, "max_length": 48}
    manifest = prepared(folder, "names", source, options)
    texts, labels = [], []
    for split in ("val", "test"):
        arrays = manifest.arrays(split)
        texts += np.split(np.asarray(arrays["token"]), arrays["token_start"][1:-1])
        labels.append(arrays["label"])
    raw = {"token": of_own_lengths(texts), "label": np.concatenate(labels)}
    known, size = Known.of(manifest), manifest.fields["token"]["vocabulary_size"]

    def letters(raw: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.stack([np.bincount(text, minlength=size) for text in raw["token"]])

    return classified(
        Pool("names", raw, lambda raw: describe(manifest.provides, raw, known), manifest.classes), letters
    )


def sunspots(folder: Path) -> Pool:
    """309 years."""
    manifest = prepared(folder, "sunspots", {"kind": "statsmodels", "name": "sunspots", "columns": ["SUNACTIVITY"]})
    raw = pooled(manifest, ["value"])
    known = Known.of(manifest)
    return Pool("sunspots", raw, lambda raw: describe(manifest.provides, raw, known), is_series=True)


def autoregressive(folder: Path) -> Pool:
    """3,000 steps of a made series that swings and whose source is known to stay: 1.6 x(t-1) - 0.8 x(t-2) + noise."""
    draw = np.random.default_rng(0)
    values = np.zeros((3200, 1), np.float32)
    for step in range(2, len(values)):
        values[step] = 1.6 * values[step - 1] - 0.8 * values[step - 2] + draw.normal()
    known = Known({"value": {"names": ["x"]}})
    return Pool("AR(2)", {"value": values[200:]}, lambda raw: describe("a time series", raw, known), is_series=True)


def prepared(folder: Path, name: str, source: dict, options: dict | None = None) -> Manifest:
    """A dataset as a study would prepare it."""
    values = {"dataset": name, "source": source, "split": {}, "prepare": options or {}}
    place = folder / name
    place.mkdir()
    prepare(
        PrepareSpec.model_validate(values),
        manifest=place / "manifest.json",
        preview=place / "preview.png",
        arrays=place / "arrays",
        code="",
        source="",
    )
    return Manifest.load(place / "manifest.json")


def pooled(manifest: Manifest, fields: Sequence[str]) -> dict[str, np.ndarray]:
    """All splits as one, in their order."""
    parts = [manifest.arrays(split) for split in SPLITS]
    return {field: np.concatenate([part[field] for part in parts]) for field in fields}


def classified(pool: Pool, features: Callable[[Mapping[str, np.ndarray]], np.ndarray]) -> Pool:
    """The same with a classifier for each fold that has not seen it."""
    inputs, labels = features(pool.raw), pool.raw["label"]
    fold = np.zeros(len(labels), np.int64)
    models = []
    for number, (train, rest) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(inputs, labels)):
        fold[rest] = number
        models.append(
            make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300)).fit(inputs[train], labels[train])
        )

    def predict(raw: dict, of_fold: np.ndarray) -> np.ndarray:
        given, found = features(raw), np.zeros((len(of_fold), len(pool.classes)))
        for number, model in enumerate(models):
            if (mine := of_fold == number).any():
                found[mine] = model.predict_proba(given[mine])
        return found

    return replace(pool, predict=predict, fold=fold)


def of_own_lengths(values: Sequence[np.ndarray]) -> np.ndarray:
    """(n,) arrays of lengths of their own, which can be chosen from as others are."""
    found = np.empty(len(values), object)
    found[:] = values
    return found
