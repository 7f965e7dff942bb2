"""What a sweep may make of its experiment: each value that it can give is tried before any job."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import combinations, islice
from typing import Any

from pydantic import ValidationError

from snaketorch.config.document import Document
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.explain import explain, shown
from snaketorch.config.problems import Conflict, did_you_mean, dotted, listed
from snaketorch.config.side_by_side import reason_against
from snaketorch.config.space import Space, value_at, with_values
from snaketorch.config.specs import TrainSpec, TuneSpec

PARTS = [name for name in TrainSpec.model_fields if name not in ("experiment", "seed", "data", "task")]
"""Sections of an experiment that a sweep may change."""

FIXED = {
    "model.pretrained": "is a file that the job waits for",
    **dict.fromkeys(("trainer.accelerator", "trainer.devices", "trainer.num_nodes"), "says what the job needs"),
    "trainer.strategy": "says what the job needs",
    "trainer.max_epochs": "is what the scheduler decides for each trial",
    "trainer.check_val_every_n_epoch": "is the clock by which trials are compared",
    "checkpoint.every_n_epochs": "changes no result",
    "checkpoint.every_n_minutes": "changes no result",
}
"""Keys of these sections that all trials have in common, and why."""

SAME_NETWORK = ("kind", "variant", "class_path")
"""Keys of `model` on which it depends whether trained weights fit."""

MOST_LISTED = 256
"""Whole numbers of a range that are all tried; of a longer one the ends."""
MOST_VALUES = 512
"""Combinations that are tried of one key and those that it depends on."""
MOST_PAIRS = 600
"""Combinations that are tried of any two keys, all pairs together."""

Conflicts = Callable[[ExperimentConfig], Iterator[Conflict]]


def sweep_conflicts(experiment: ExperimentConfig, conflicts: Conflicts) -> Iterator[Conflict]:
    """Every key of a sweep's space that the experiment does not have, or that may get a value that is wrong there.

    Args:
        experiment: An experiment without problems, but for its sweep.
        conflicts: What contradicts something else in an experiment.
    """
    if experiment.tune is None:
        return
    wrong = list(_wrong_names(experiment))
    yield from wrong
    if wrong:
        return
    full = _without_sweep(experiment, exclude_unset=False)
    try:
        space = Space(experiment.tune.space, full)
    except ValueError as error:
        yield ("tune", "space"), str(error)
        return
    trial = _Trial(experiment, conflicts)
    found = {path: problem for path in space.domains if (problem := _of_one(space, path, trial))}
    for path, problem in found.items():
        yield ("tune", "space", path), problem
    if found:
        return
    wrong = list(_of_two(space, trial))
    yield from wrong or _not_side_by_side(experiment)


def variants(experiment: ExperimentConfig) -> list[ExperimentConfig]:
    """The experiment with each value of each list of its sweep's space, and as it is: all sections it may run."""
    if experiment.tune is None:
        return [experiment]
    space = Space(experiment.tune.space, _without_sweep(experiment, exclude_unset=False))
    sparse = _without_sweep(experiment)
    found = [experiment]
    for path, domain in space.domains.items():
        if domain.options is not None:
            for values in islice(space.only([path]).every(corners=True, most=2), MOST_VALUES):
                found.append(ExperimentConfig.model_validate(with_values(sparse, values)))
    return found


class _Trial:
    """Tries values in an experiment."""

    def __init__(self, experiment: ExperimentConfig, conflicts: Conflicts):
        self.experiment, self.conflicts = experiment, conflicts
        self.document = _without_sweep(experiment)
        self._known: dict[str, str | None] = {}

    def problem(self, values: Mapping[str, Any], path: str) -> str | None:
        """What is wrong with a configuration, said of the key ``path``; None when nothing is."""
        document = with_values(self.document, values)
        try:
            variant = ExperimentConfig.model_validate(document)
        except ValidationError as error:
            first = min(explain(error, Document("", document), ExperimentConfig))
            same = first.key == path
            return self._said(values, path, first.message if same else f"{first.key}: {first.message}", same)
        if changed := _fixed_change(self.experiment, variant):
            key, why = changed
            return f"changes {key}, which {why}; allowed: {key} as it is in the experiment"
        for key, message in self.conflicts(variant):
            return self._said(values, path, f"{dotted(key)}: {message}")
        return None

    def _said(self, values: Mapping[str, Any], path: str, message: str, says_value: bool = False) -> str:
        others = [f"{name} {_short(value)}" for name, value in values.items() if name != path]
        own = [] if says_value else [f"may be {_short(values[path])}"]
        given = f"with {' and '.join(others)}" if others else ""
        head = " ".join(filter(None, [*own, given]))
        return f"{head}: {message}" if head else message


def _wrong_names(experiment: ExperimentConfig) -> Iterator[Conflict]:
    """Keys of the space, and those that it names, that cannot be tuned or are nowhere."""
    full = experiment.model_dump(mode="json")
    space = experiment.tune.space
    for path, domain in space.items():
        part = path.partition(".")[0]
        if why := FIXED.get(path):
            yield ("tune", "space", path), f"{why}; allowed: a key that only the training depends on"
        elif part not in PARTS:
            is_key = part in ExperimentConfig.model_fields
            why = "is the same for all trials" if is_key else "is no part of an experiment"
            hint = "" if is_key else did_you_mean(part, PARTS)
            yield ("tune", "space", path), f"{part} {why}; allowed: keys of {listed(PARTS)}{hint}"
        elif not all(path.split(".")):
            yield ("tune", "space", path), "is no path of a key; allowed: names with dots between, as optimizer.lr"
        for name in dict.fromkeys(domain.names):
            if not _is_there(name, full, space):
                where = ("when", name) if name in (domain.when or {}) else (domain.word,)
                yield (
                    ("tune", "space", path, *where),
                    f"names '{name}', which is neither a key of the experiment nor of the space; "
                    f"allowed: one of them{did_you_mean(name, {*_paths(full), *space} - {path})}",
                )


def _is_there(name: str, document: Mapping[str, Any], space: Collection[str]) -> bool:
    if any(f"{name}.".startswith(f"{path}.") or path == f"{name.rpartition('.')[0]}.kind" for path in space):
        return True
    try:
        value_at(document, name)
    except KeyError:
        return False
    return True


def _paths(section: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The path of every key."""
    for key, value in section.items():
        yield f"{before}{key}"
        if isinstance(value, dict):
            yield from _paths(value, f"{before}{key}.")


def _of_one(space: Space, path: str, trial: _Trial) -> str | None:
    """What is wrong with a value that ``path`` may get."""
    is_drawn = False
    walks = space.only([path]).every(corners=True, most=MOST_LISTED)
    try:
        for values in islice(walks, MOST_VALUES):
            if path in values:
                is_drawn = True
                if problem := trial.problem(values, path):
                    # the end of a range is better known than the number before it
                    return trial.problem({**values, path: _rounded(values[path])}, path) or problem
    except ValueError as error:
        return str(error).removeprefix(f"{path}: ") + "; allowed: bounds between which something lies"
    return None if is_drawn else "its `when` never holds; allowed: values that the other keys can have"


def _of_two(space: Space, trial: _Trial) -> Iterator[Conflict]:
    """Pairs of keys of which each is right with the experiment's own value of the other."""
    tried = 0
    for one, other in combinations(space.order, 2):
        for values in islice(space.only([one, other]).every(corners=True, most=2), MOST_VALUES):
            if tried >= MOST_PAIRS:
                return
            if one in values and other in values:
                tried += 1
                if problem := trial.problem(values, other):
                    yield ("tune", "space", other), problem
                    break


def _not_side_by_side(experiment: ExperimentConfig) -> Iterator[Conflict]:
    """What speaks against training trials in one process, where that is asked for."""
    if experiment.tune.vectorise is not True:
        return
    resolved = experiment.resolved()
    values = {**dict(resolved), "task": resolved.task.for_training, "experiment": "trial", "seed": resolved.tune.seed}
    chosen = TuneSpec.model_construct(**{name: values[name] for name in TuneSpec.model_fields})
    spec = TuneSpec.model_validate(chosen.model_dump(mode="json"))
    if reason := reason_against(spec, experiment.tune.num_nodes):
        yield (
            ("tune", "vectorise"),
            f"true, but trials cannot be trained side by side: {reason}; allowed: auto, or without that",
        )


def _fixed_change(experiment: ExperimentConfig, variant: ExperimentConfig) -> tuple[str, str] | None:
    """A key that all trials must have in common, and that a chosen section changes; and why."""
    fixed = dict(FIXED)
    if experiment.model.pretrained is not None:
        fixed |= {f"model.{key}": "the trained weights to start from must fit" for key in SAME_NETWORK}
    for path, why in fixed.items():
        section, _, key = path.partition(".")
        before, now = (getattr(getattr(one, section), key, None) for one in (experiment, variant))
        if before != now:
            return path, why
    return None


def _without_sweep(experiment: ExperimentConfig, exclude_unset: bool = True) -> dict[str, Any]:
    """As JSON; by default what was written, for the rules that ask what was."""
    return experiment.model_dump(mode="json", exclude={"tune", "matrix"}, exclude_unset=exclude_unset)


def _rounded(value: Any) -> Any:
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return f"{{kind: {value['kind']}, ...}}" if len(value) > 1 and "kind" in value else f"{value}".replace("'", "")
    return value if isinstance(value, str) else shown(value) if value is None or isinstance(value, bool) else f"{value}"
