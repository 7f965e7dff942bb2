"""False alarms and power of `monitor`: batches from the same source, and batches that were shifted a little and more.

The samples of a dataset are pooled and shuffled anew for each trial; the first n are the new batch and the others the
reference, so both have one source by construction. Predictions are those of a simple classifier that had not seen the
sample, from five folds; as in a study a fifth of the reference is the test whose predictions new ones are compared
with. Of a series, the batch is a stretch anywhere in it, and the reference what is around that. Then the same
batches, shifted.
"""

import argparse
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from machine import described
from scipy.ndimage import gaussian_filter
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from snaketorch.config.monitor import Thresholds
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.data.prepare import prepare
from snaketorch.monitoring.compare import Side, Statistic, compare
from snaketorch.monitoring.describe import Known, describe
from snaketorch.monitoring.outputs import Outputs, of_classes
from snaketorch.monitoring.profile import Profile

RESULT = Path(__file__).parent / "results" / "monitoring.md"
SIZES = (50, 100, 200, 500, 1000)
RATE = 0.05
FOLDS = 5
LANGUAGES = ("en", "fr", "de", "fi", "pl")

Shift = Callable[[dict, np.random.Generator], dict]
"""Of the raw samples of a batch: arrays by name."""


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


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--trials", type=int, default=500, help="same-source batches of each size (default: %(default)s)"
    )
    options.add_argument("--shifted", type=int, default=100, help="batches of each shift (default: %(default)s)")
    options.add_argument("--out", type=Path, default=RESULT)
    arguments = options.parse_args()
    logging.disable(logging.INFO)
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as folder:
        pools = [make(Path(folder)) for make in (digits, cancer, names, sunspots, autoregressive)]
        quiet = [row for pool in pools for row in false_alarms(pool, arguments.trials)]
        loud = [row for pool in pools for row in power(pool, arguments.shifted)]
    arguments.out.write_text(page(quiet, loud, arguments), encoding="utf-8")
    print(arguments.out.read_text("utf-8"))


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
    raw = {"token": _objects(texts), "label": np.concatenate(labels)}
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


def false_alarms(pool: Pool, trials: int) -> Iterator[dict]:
    """Alarms among same-source batches of each size that leaves a reference."""
    whole, draw = pool.whole(), np.random.default_rng(1)
    for size in SIZES:
        if size * 5 > len(pool) * 3:
            continue
        found = [any(s.alarm for s in judged(pool, whole, *split(pool, size, draw))) for _ in range(trials)]
        yield {"data": pool.name, "size": size, "alarms": sum(found), "trials": trials, "is_series": pool.is_series}


def split(pool: Pool, size: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which samples are the reference, and which are new."""
    if pool.is_series:
        first = int(draw.integers(0, len(pool) - size))
        places = np.arange(len(pool))
        new = (places >= first) & (places < first + size)
        return places[~new], places[new]
    places = draw.permutation(len(pool))
    return places[size:], places[:size]


def judged(pool: Pool, whole: Side, old: np.ndarray, new: np.ndarray, shifted: Side | None = None) -> list[Statistic]:
    """The comparison of some samples with others; ``shifted`` stands for the new ones."""
    if pool.is_series:  # whose description has one step less, which no change leads to
        count = len(whole.profile)
        old, new = old[old < count], new[new < count]
    reference = part(whole, old)
    tested = part(whole, old[: max(100, len(old) // 5)])
    reference = replace(reference, outputs=tested.outputs)
    return compare(reference, shifted or part(whole, new), pool.classes, Thresholds(), RATE)


def part(side: Side, places: np.ndarray) -> Side:
    """Some samples of it."""
    outputs = side.outputs
    if outputs is not None:
        outputs = Outputs(taken(outputs.profile, places), outputs.wrong[places], error_name=outputs.error_name)
    return Side(taken(side.profile, places), None if side.labels is None else side.labels[places], outputs)


def taken(profile: Profile, places: np.ndarray) -> Profile:
    """Some samples of it."""

    def of(kind: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: values[places] for name, values in kind.items()}

    return Profile(
        of(profile.numbers), of(profile.categories), profile.names, of(profile.flags), profile.follow_each_other
    )


def power(pool: Pool, trials: int) -> Iterator[dict]:
    """Alarms among shifted batches, with labels and without."""
    whole = pool.whole()
    for shift, grade, change in SHIFTS.get(pool.name, ()):
        row = {"data": pool.name, "shift": shift, "grade": grade}
        for size in (50, 100, 200) if len(pool) < 1000 else (50, 200, 500):
            draw = np.random.default_rng(2)
            alarms = 0
            for _ in range(trials):
                is_prior = isinstance(change, float)
                old, new = class_prior(pool, size, change, draw) if is_prior else split(pool, size, draw)
                raw = {name: values[new] for name, values in pool.raw.items()}
                raw = raw if is_prior else change(raw, draw)
                side = pool.side(raw, None if pool.fold is None else pool.fold[new], labelled=False)
                alarms += any(s.alarm for s in judged(pool, whole, old, new, side))
            row[size] = alarms / trials
        yield row


def class_prior(pool: Pool, size: int, share: float, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A half of the samples as the reference, and ``size`` others of which ``share`` are of the first classes."""
    places = draw.permutation(len(pool))
    old, rest = np.split(places, [len(places) // 2])
    is_first = pool.raw["label"][rest] < (len(pool.classes) + 1) // 2
    first = min(round(share * size), int(is_first.sum()))
    return old, np.concatenate([rest[is_first][:first], rest[~is_first][: size - first]])


def noisy(sigma: float) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        images = raw["image"] + draw.normal(0, sigma, raw["image"].shape)
        return {**raw, "image": images.clip(0, 255).astype(np.uint8)}

    return change


def blurred(sigma: float) -> Shift:
    return lambda raw, _: {
        **raw,
        "image": gaussian_filter(raw["image"].astype(float), (0, 0, sigma, sigma)).astype(np.uint8),
    }


def lighter(levels: int) -> Shift:
    return lambda raw, _: {**raw, "image": (raw["image"].astype(int) + levels).clip(0, 255).astype(np.uint8)}


def without(share: float, columns: int = 3) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        number = raw["number"].copy()
        number[:, :columns][draw.random((len(number), columns)) < share] = np.nan
        return {**raw, "number": number}

    return change


def scaled(factor: float, columns: int = 3) -> Shift:
    def change(raw: dict, _: np.random.Generator) -> dict:
        number = raw["number"].copy()
        number[:, :columns] *= factor
        return {**raw, "number": number}

    return change


def garbled(share: float) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        texts = [np.where(draw.random(len(text)) < share, 1, text) for text in raw["token"]]
        return {**raw, "token": _objects(texts)}

    return change


def of_language(*labels: int) -> Shift:
    def change(raw: dict, draw: np.random.Generator) -> dict:
        rows = draw.choice(np.flatnonzero(np.isin(raw["label"], labels)), len(raw["label"]))
        return {name: values[rows] for name, values in raw.items()}

    return change


def risen(sigmas: float, spread: float) -> Shift:
    return lambda raw, _: {"value": raw["value"] + np.float32(sigmas * spread)}


def swinging(factor: float) -> Shift:
    return lambda raw, _: {"value": (raw["value"] - raw["value"].mean()) * np.float32(factor) + raw["value"].mean()}


def jittered(sigma: float) -> Shift:
    return lambda raw, draw: {"value": raw["value"] + draw.normal(0, sigma, raw["value"].shape).astype(np.float32)}


SHIFTS: dict[str, list[tuple[str, str, Shift | float]]] = {
    "digits": [
        *(("noise", f"σ {s} of 255", noisy(s)) for s in (5, 10, 20, 40)),
        *(("blur", f"σ {s} pixels", blurred(s)) for s in (0.3, 0.5, 0.8)),
        *(("brightness", f"{s:+d} of 255", lighter(s)) for s in (5, 10, 20, -20)),
        *(("class prior", f"{s:.0%} of the first five", s) for s in (0.6, 0.7, 0.8, 0.95)),
    ],
    "breast cancer": [
        *(("missing values", f"{s:.0%} of 3 columns", without(s)) for s in (0.05, 0.1, 0.2, 0.5)),
        *(("scale", f"3 columns x {s}", scaled(s)) for s in (1.05, 1.1, 1.3)),
        *(("class prior", f"{s:.0%} of the first", s) for s in (0.8, 0.9)),
    ],
    "names": [
        *(("unknown letters", f"{s:.0%}", garbled(s)) for s in (0.01, 0.05, 0.2)),
        ("languages", "three of five", of_language(0, 1, 2)),
        ("languages", "one of five", of_language(4)),
    ],
    "sunspots": [
        *(("level", f"+{s} standard deviations", risen(s, 40.0)) for s in (0.5, 1.0, 2.0)),
        *(("noise", f"σ {s}", jittered(s)) for s in (20.0, 60.0)),
    ],
    "AR(2)": [
        *(("level", f"+{s} standard deviations", risen(s, 3.7)) for s in (0.5, 1.0, 2.0)),
        *(("swing", f"x {s}", swinging(s)) for s in (1.5, 2.0)),
        *(("noise", f"σ {s}", jittered(s)) for s in (1.0, 3.0)),
    ],
}


def page(quiet: list[dict], loud: list[dict], arguments: argparse.Namespace) -> str:
    """The tables."""
    lines = ["# Monitoring: false alarms and power", ""]
    lines += [
        f"Default thresholds, `false_alarm_rate: {RATE}`, see `benchmarks/monitoring.py`. A batch counts as an alarm "
        "when any of its statistics does. Intervals are 95 % (Clopper and Pearson). Stretches of one series overlap: "
        "its intervals are narrower than they should be, and it is not in the total.",
        "",
        f"## Batches from the same source, {arguments.trials} of each size; the goal is at most 5 %",
        "",
        "| data | samples of a batch | alarms | rate | interval |",
        "|---|---:|---:|---:|---|",
    ]
    for row in [*quiet, _total([row for row in quiet if not row["is_series"]])]:
        low, high = interval(row["alarms"], row["trials"])
        lines.append(
            f"| {row['data']} | {row['size']} | {row['alarms']} of {row['trials']} "
            f"| {row['alarms'] / row['trials']:.1%} | {low:.1%} to {high:.1%} |"
        )
    lines += ["", f"## Shifted batches without labels: share that is told, {arguments.shifted} of each", ""]
    for name in dict.fromkeys(row["data"] for row in loud):
        rows = [row for row in loud if row["data"] == name]
        sizes = [key for key in rows[0] if isinstance(key, int)]
        lines += [
            f"| {name} | grade | {' | '.join(f'{size} samples' for size in sizes)} |",
            f"|---|---|{'---:|' * len(sizes)}",
            *(f"| {row['shift']} | {row['grade']} | {' | '.join(f'{row[s]:.0%}' for s in sizes)} |" for row in rows),
            "",
        ]
    return "\n".join([*lines, described(["numpy", "scipy", "scikit-learn"]), ""])


def _total(rows: list[dict]) -> dict:
    return {
        "data": "**all but the series**",
        "size": "",
        "alarms": sum(row["alarms"] for row in rows),
        "trials": sum(row["trials"] for row in rows),
    }


def interval(count: int, trials: int) -> tuple[float, float]:
    """Of a share, 95 %."""
    low = beta.ppf(0.025, count, trials - count + 1) if count else 0.0
    high = beta.ppf(0.975, count + 1, trials - count) if count < trials else 1.0
    return float(low), float(high)


def _objects(values: Sequence[np.ndarray]) -> np.ndarray:
    """(n,) arrays of lengths of their own, which can be chosen from as others are."""
    found = np.empty(len(values), object)
    found[:] = values
    return found


if __name__ == "__main__":
    main()
