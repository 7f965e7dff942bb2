"""The data of an experiment."""

from collections.abc import Iterator

from snaketorch.config.augment import Augment
from snaketorch.config.contents import CONTENTS, IMAGES
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict, KeyPath, did_you_mean, listed
from snaketorch.config.rules import Datasets, companions


def dataset_exists(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """There is a dataset of that name."""
    name = experiment.data
    if datasets and name not in datasets:
        yield ("data",), f"there is no dataset '{name}'; allowed: {listed(datasets)}{did_you_mean(name, datasets)}"


def dataset_fits_task(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The task can learn from what the dataset gives."""
    name, task = experiment.data, experiment.task
    gives = datasets.get(name)
    if gives is not None and gives not in task.data:
        fitting = listed(other for other, what in datasets.items() if what in task.data) or "none yet"
        needs = " or ".join(task.data)
        yield ("data",), f"'{name}' gives {gives}, but task '{task.kind}' needs {needs}; allowed: {fitting}"


def augmentation_fits_data(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """Each key of `augment` has a meaning for the data."""
    content = datasets.get(experiment.data)
    if content is not None and experiment.augment is not None:
        yield from without_meaning(experiment.augment, content, ("augment",))


def images_are_read(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """How images are read is said of images alone."""
    content = datasets.get(experiment.data)
    if content not in (None, IMAGES) and "read" in experiment.task.model_fields_set:
        yield ("task", "read"), f"has no meaning for {content}; allowed: to leave it out"


def without_meaning(augment: Augment, content: str, section: KeyPath) -> Iterator[Conflict]:
    """Each key of ``augment`` that does nothing to ``content``, or nothing without another key."""
    meant = CONTENTS[content].augment
    for key in sorted(augment.model_fields_set - meant):
        yield (*section, key), f"has no meaning for {content}; allowed: {listed(sorted(meant), most=30) or 'nothing'}"
    for key, why in companions.without_companions(augment, companions.AUGMENT):
        if meant.issuperset(key):
            yield (*section, *key), why
