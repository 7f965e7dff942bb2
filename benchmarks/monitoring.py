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
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import described
from monitored_pools import Pool, autoregressive, cancer, digits, names, sunspots
from monitored_shifts import SHIFTS
from scipy.stats import beta

from snaketorch.config.monitor import Thresholds
from snaketorch.monitoring.compare import Side, Statistic, compare
from snaketorch.monitoring.outputs import Outputs
from snaketorch.monitoring.profile import Profile

RESULT = Path(__file__).parent / "results" / "monitoring.md"
SIZES = (50, 100, 200, 500, 1000)
RATE = 0.05


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


if __name__ == "__main__":
    main()
