"""What a sweep gains is measured against its experiment without it: the sibling."""

from collections.abc import Iterable, Mapping
from typing import Any

from snaketorch.config.derived_names import derived_name
from snaketorch.config.experiment import AFTER_THE_SUMMARY, ExperimentConfig
from snaketorch.config.problems import Conflict
from snaketorch.config.trainer import KeptWeights

SUFFIX = "default"
SAYS_NOTHING = {"description", "extends", "abstract", "tune", "matrix", "resources", *AFTER_THE_SUMMARY}
"""Keys on which no result depends, or that the sibling has not."""


def siblings_of(
    chosen: Iterable[str], experiments: Mapping[str, ExperimentConfig]
) -> tuple[dict[str, str], dict[str, ExperimentConfig], dict[str, Conflict]]:
    """The experiment that each sweep is compared with.

    Args:
        chosen: The experiments that run.
        experiments: All of the study that could run, resolved.

    Returns:
        The sibling of each of ``chosen`` that has a sweep and a baseline; the siblings that are none of
        ``experiments`` and have to be added; and what stands in the way of one, by experiment.
    """
    chosen = list(chosen)
    found: dict[str, str] = {}
    new: dict[str, ExperimentConfig] = {}
    wrong: dict[str, Conflict] = {}
    for name in chosen:
        experiment = experiments[name]
        if experiment.tune is None or not experiment.tune.baseline:
            continue
        alike = [other for other, config in {**experiments, **new}.items() if _is_default(config, experiment)]
        if alike:
            found[name] = min(alike, key=lambda other: (other not in chosen and other not in new, other))
            continue
        made = derived_name(name, SUFFIX, [name, SUFFIX])
        if made in experiments:
            what = f"the experiment without its sweep is called '{made}', and another one is; allowed: another name"
            wrong[name] = (("tune", "baseline"), f"{what} of one of the two, or baseline: false")
            continue
        found[name] = made
        update = {"tune": None, "extends": None, "description": f"{name} without its sweep"}
        new[made] = experiment.until_summary.model_copy(update=update)
    return found, new, wrong


def _is_default(other: ExperimentConfig, experiment: ExperimentConfig) -> bool:
    return other.tune is None and _that_counts(other) == _that_counts(experiment)


def _that_counts(experiment: ExperimentConfig) -> dict[str, Any]:
    content = experiment.model_dump(mode="json", exclude=SAYS_NOTHING)
    kept = KeptWeights.model_fields  # how often state is saved changes no result
    return content | {"checkpoint": {key: content["checkpoint"][key] for key in kept}}
