"""Datasets that an experiment names beside its own, for its model to be used on."""

from collections.abc import Iterator, Sequence

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict, did_you_mean, listed
from snaketorch.config.rules import Datasets


def there_is(section: str, names: Sequence[str], datasets: Datasets) -> Iterator[Conflict]:
    """There are datasets of those names, which stand in ``section``.data."""
    for index, name in enumerate(names):
        if datasets and name not in datasets:
            yield (
                (section, "data", index),
                f"there is no dataset '{name}'; allowed: {listed(datasets)}{did_you_mean(name, datasets)}",
            )


def is_alike(
    section: str, names: Sequence[str], experiment: ExperimentConfig, datasets: Datasets
) -> Iterator[Conflict]:
    """They give what the model is trained on; of a GAN, which is given nothing, another rule speaks."""
    gives = datasets.get(experiment.data)
    if gives is None or experiment.task.kind == "gan":
        return
    for index, name in enumerate(names):
        other = datasets.get(name)
        if other not in (None, gives):
            alike = listed(known for known, what in datasets.items() if what == gives)
            yield (
                (section, "data", index),
                f"'{name}' gives {other}, but the model is trained on {gives} ('{experiment.data}'); allowed: {alike}",
            )
