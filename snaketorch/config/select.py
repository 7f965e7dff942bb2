"""``run:``: which experiments run."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from snaketorch.config.document import Document
from snaketorch.config.problems import Problem, did_you_mean, listed, shortened
from snaketorch.config.study import StudyConfig


def is_abstract(experiment: Document) -> bool:
    """Whether it is only there to be extended."""
    return bool(experiment.data) and experiment.data.get("abstract") is True


def select(
    study: Document,
    experiments: Mapping[str, Document],
    problems: list[Problem],
    families: Mapping[str, list[str]] | None = None,
) -> list[str]:
    """The experiments that ``run:`` of the study names; a pattern that names none is a problem.

    The name of one of ``families`` stands for all its members.
    """
    families = families or {}
    names = sorted([*(name for name, document in experiments.items() if not is_abstract(document)), *families])
    if experiments and not names:
        folder = next(iter(experiments.values())).file.rpartition("/")[0]
        problems.append(Problem(folder, 0, "", "holds only abstract experiments; allowed: at least one that can run"))
        return []
    selected: set[str] = set()
    for index, pattern in _patterns(study):
        matches = [name for name in names if fnmatchcase(name, pattern)]
        selected.update(member for name in matches for member in families.get(name, [name]))
        if not matches and names:
            path = ("run", index)
            problems.append(Problem.at(study.position(path), path, _no_match(pattern, names, experiments)))
    return sorted(selected)


def _patterns(study: Document) -> list[tuple[int, str]]:
    """The patterns that can be read, whatever else is wrong with the study."""
    run = (study.data or {}).get("run", StudyConfig.model_fields["run"].default)
    return [(index, item) for index, item in enumerate(run) if isinstance(item, str)] if isinstance(run, list) else []


def _no_match(pattern: str, names: list[str], experiments: Mapping[str, Document]) -> str:
    if pattern in experiments:
        return f"'{pattern}' is abstract, only there to be extended; allowed: {listed(names)}"
    hint = did_you_mean(pattern, names)
    verb = "matches" if any(sign in pattern for sign in "*?[") else "is called"
    return f"no experiment {verb} '{shortened(pattern)}'; allowed: {listed(names)}, or a pattern with '*'{hint}"
