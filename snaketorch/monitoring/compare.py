"""Two profiles compared, descriptor by descriptor, with one chance of a false alarm for all of them together.

With a hundred statistics at five per cent each, five alarms would be usual. So each is judged at the level of all
divided by how many there are (Bonferroni; Dunn, Multiple comparisons among means, JASA 56, 1961), which holds however
they depend on each other; Rabanser, Guennemann and Lipton (Failing loudly, NeurIPS 2019) found it to work best among
the ways to detect shifts, with Kolmogorov-Smirnov tests of a trained classifier's outputs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import nan

import numpy as np

from snaketorch.config.monitor import Thresholds
from snaketorch.monitoring.dependence import effective_size
from snaketorch.monitoring.ks import ks
from snaketorch.monitoring.measured import Measured
from snaketorch.monitoring.outputs import Outputs
from snaketorch.monitoring.profile import Profile
from snaketorch.monitoring.psi import psi_of_counts, psi_of_numbers
from snaketorch.monitoring.shares import rise_of_mean, rise_of_share

FEWEST_SAMPLES = 20
"""Of each side; fewer are not judged."""


@dataclass(frozen=True, eq=False)
class Side:
    """All that is known of some samples."""

    profile: Profile
    labels: np.ndarray | None = None
    """(n,) int, or (n, K) where a sample can be of several classes."""
    outputs: Outputs | None = None


@dataclass(frozen=True)
class Comparison:
    """A statistic that can be computed at any level."""

    test: str
    """Which threshold of the configuration it has, also how it is shown."""
    subject: str
    """The descriptor."""
    group: str
    """`input`, `label`, `prediction` or `metric`."""
    least: float
    """What matters, whatever chance is."""
    measure: Callable[[float], Measured]
    """By the level."""


@dataclass(frozen=True)
class Statistic:
    """What came out."""

    test: str
    subject: str
    group: str
    value: float
    threshold: float
    """The larger one of what matters and what chance explains."""
    chance: float
    """NaN where chance is not asked."""
    n: int
    reference_n: int
    """0 where there is nothing to compare with."""

    @property
    def alarm(self) -> bool:
        return self.value > self.threshold


def compare(
    reference: Side, new: Side, classes: Sequence[str], thresholds: Thresholds, false_alarm_rate: float
) -> list[Statistic]:
    """Everything that both sides know, judged as one."""
    comparisons = list(of_inputs(reference.profile, new.profile, thresholds))
    if reference.labels is not None and new.labels is not None:
        comparisons += of_labels(reference.labels, new.labels, classes, thresholds)
    if reference.outputs is not None and new.outputs is not None:
        comparisons += of_predictions(reference.outputs.profile, new.outputs.profile, thresholds)
        comparisons += of_truth(reference.outputs, new.outputs, thresholds)
    return judged(comparisons, false_alarm_rate)


def judged(comparisons: Sequence[Comparison], false_alarm_rate: float) -> list[Statistic]:
    """All statistics, at a level that keeps the rate for the whole of them."""
    found = []
    for each in comparisons:
        measured = each.measure(false_alarm_rate / len(comparisons))
        threshold = max(each.least, measured.chance)
        found.append(Statistic(each.test, each.subject, each.group, *_numbers(measured, threshold)))
    return found


def _numbers(measured: Measured, threshold: float) -> tuple[float, float, float, int, int]:
    return float(measured.value), float(threshold), float(measured.chance), measured.n, measured.reference_n


def of_inputs(reference: Profile, new: Profile, thresholds: Thresholds) -> Iterator[Comparison]:
    """Every descriptor of the samples themselves."""
    yield from of_numbers(reference, new, thresholds, "input")
    for name, before in reference.categories.items():
        if name in new.categories and min(len(before), len(new.categories[name])) >= FEWEST_SAMPLES:
            counts = partial(_counts_compared, before, new.categories[name], len(reference.names[name]))
            yield Comparison("psi", name, "input", thresholds.psi, counts)
    for name in reference.flags:
        if name in new.flags and len(reference.flags[name]):
            yield Comparison(
                "missing",
                name,
                "input",
                thresholds.missing,
                partial(_flags_compared, reference.flags[name], new.flags[name]),
            )


def of_numbers(
    reference: Profile, new: Profile, thresholds: Thresholds, group: str, index: bool = True
) -> Iterator[Comparison]:
    """Each number's Kolmogorov-Smirnov statistic and, where asked for, its stability index."""
    for name in reference.numbers:
        if name not in new.numbers:
            continue
        before, now = (part.numbers[name][np.isfinite(part.numbers[name])] for part in (reference, new))
        if min(len(before), len(now)) < FEWEST_SAMPLES or before.min() == before.max() == now.min() == now.max():
            continue
        sizes = None
        if reference.follow_each_other or new.follow_each_other:
            sizes = effective_size(before), effective_size(now)
        yield Comparison("ks", name, group, thresholds.ks, partial(ks, before, now, sizes=sizes))
        if index:
            yield Comparison("psi", name, group, thresholds.psi, partial(psi_of_numbers, before, now, sizes=sizes))


def of_labels(
    reference: np.ndarray, new: np.ndarray, classes: Sequence[str], thresholds: Thresholds
) -> Iterator[Comparison]:
    """How many there are of each class, as the labels say; (n,) int, or (n, K) where a sample can be of several."""
    if min(len(reference), len(new)) >= FEWEST_SAMPLES:
        measure = partial(_counts_compared, reference, new, len(classes))
        yield Comparison("class_shift", "classes", "label", thresholds.class_shift, measure)


def of_predictions(reference: Profile, new: Profile, thresholds: Thresholds) -> Iterator[Comparison]:
    """Which classes are predicted, how surely, and with which probabilities; or which numbers."""
    yield from of_numbers(reference, new, thresholds, "prediction", index=False)
    for name, before in reference.categories.items():
        measure = partial(_counts_compared, before, new.categories[name], len(reference.names[name]))
        if min(len(reference), len(new)) >= FEWEST_SAMPLES:
            yield Comparison("prediction_shift", name, "prediction", thresholds.prediction_shift, measure)


def of_truth(reference: Outputs, new: Outputs, thresholds: Thresholds) -> Iterator[Comparison]:
    """How often the model is wrong, or how far from the truth, beside its test."""
    if reference.wrong is not None and new.wrong is not None and len(new.wrong) >= FEWEST_SAMPLES:
        measure = partial(_flags_compared, reference.wrong, new.wrong)
        yield Comparison("metric_drop", new.error_name, "metric", thresholds.metric_drop, measure)
    elif reference.error is not None and new.error is not None and len(new.error) >= FEWEST_SAMPLES:
        sizes = None
        if reference.profile.follow_each_other:
            sizes = effective_size(reference.error), effective_size(new.error)
        measure = partial(rise_of_mean, reference.error, new.error, sizes=sizes)
        yield Comparison("metric_drop", new.error_name, "metric", thresholds.metric_drop, measure)


def of_bad_rows(bad: int, rows: int, most: float) -> Statistic:
    """The share of rows that the model cannot read, beside the ``most`` that may be, whatever chance is.

    It is what the configuration calls an error, and no test: it takes nothing of the others' rate.
    """
    return Statistic("bad_rows", "bad rows", "input", bad / rows, most, nan, rows, 0)


def counts_of(values: np.ndarray, classes: int) -> np.ndarray:
    """(K,) samples of each class."""
    return values.astype(bool).sum(0) if values.ndim == 2 else np.bincount(values, minlength=classes)


def _counts_compared(reference: np.ndarray, new: np.ndarray, classes: int, level: float) -> Measured:
    sizes = (len(reference), len(new)) if reference.ndim == 2 else None
    if new.ndim == 1:  # a class that the model does not know is one more
        classes = max(classes, int(new.max(initial=0)) + 1)
    measured = psi_of_counts(counts_of(reference, classes), counts_of(new, classes), level, sizes)
    return measured._replace(n=len(new), reference_n=len(reference))


def _flags_compared(reference: np.ndarray, new: np.ndarray, level: float) -> Measured:
    return rise_of_share(int(reference.sum()), len(reference), int(new.sum()), len(new), level)
