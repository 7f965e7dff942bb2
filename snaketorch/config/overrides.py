"""``snakemake --config``: values put over the files, and checked like them.

``snakemake --config 'run=[digits_cnn]'`` sets a key of the study;
``snakemake --config 'experiments={digits_cnn: {optimizer: {lr: 1e-3}}}'`` one of an experiment.
"""

from collections.abc import Mapping
from typing import Any

from snaketorch.config.problems import Problem, did_you_mean
from snaketorch.config.yaml_loader import Document, KeyPath, parse_scalar

SHOWN_AS = "--config"


def apply(
    overrides: Mapping[str, Any],
    study: Document,
    datasets: dict[str, Document],
    experiments: dict[str, Document],
    problems: list[Problem],
) -> None:
    """Lays ``overrides`` over the documents in place; unknown names become problems."""
    own = {key: value for key, value in overrides.items() if key not in ("datasets", "experiments")}
    _put(study, own, (), problems)
    for part, documents in (("datasets", datasets), ("experiments", experiments)):
        values = overrides.get(part, {})
        if not isinstance(values, Mapping):
            problems.append(Problem(SHOWN_AS, 0, part, "must be a mapping from names to keys"))
            continue
        for name, value in values.items():
            if name not in documents:
                message = f"there is no file of that name; allowed: {', '.join(documents)}{did_you_mean(name, documents)}"
                problems.append(Problem(SHOWN_AS, 0, f"{part}.{name}", message))
            elif not isinstance(value, Mapping):
                problems.append(Problem(SHOWN_AS, 0, f"{part}.{name}", "must be a mapping of keys to values"))
            else:
                _put(documents[name], value, (), problems)


def _put(document: Document, values: Mapping[str, Any], path: KeyPath, problems: list[Problem]) -> None:
    target = document.data
    for key in path:
        target = target[key]
    if not isinstance(target, dict):
        return  # the file itself is reported
    for key, value in values.items():
        here = (*path, key)
        document.positions[here] = (SHOWN_AS, 0)
        if isinstance(value, Mapping) and isinstance(target.get(key), dict) and "kind" not in value:
            _put(document, value, here, problems)
        else:
            target[key] = _read(value, here, problems)


def _read(value: Any, path: KeyPath, problems: list[Problem]) -> Any:
    """``value`` with its texts read as YAML scalars: Snakemake passes nested values as text."""
    if isinstance(value, Mapping):
        return {key: _read(item, (*path, key), problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_read(item, (*path, index), problems) for index, item in enumerate(value)]
    if isinstance(value, str):
        try:
            return parse_scalar(value)
        except ValueError as error:
            problems.append(Problem(SHOWN_AS, 0, ".".join(map(str, path)), str(error)))
    return value
