"""The figures of a sweep: how it went, what it tried, and what mattered."""

from collections.abc import Sequence
from pathlib import Path

from snaketorch.config.space import Space
from snaketorch.figures.style import save
from snaketorch.figures.sweep_curves import sweep_curves_figure
from snaketorch.figures.sweep_history import sweep_history_figure
from snaketorch.figures.sweep_importance import no_importance_figure, sweep_importance_figure
from snaketorch.figures.sweep_parallel import sweep_parallel_figure
from snaketorch.figures.sweep_slices import sweep_slices_figure
from snaketorch.figures.sweep_trials import SweepTrial, TunedKey
from snaketorch.tuning.importance import Importance, importance_of
from snaketorch.tuning.trial import GOOD, Trial


def draw_figures(folder: Path, trials: list[Trial], space: Space, metric: str, mode: str) -> None:
    """Writes ``history.svg``, ``parallel.svg``, ``importance.svg``, ``slices.svg`` and ``curves.svg``."""
    shown = [_shown(trial, mode) for trial in trials]
    found = importance_of([trial for trial in trials if trial.status in GOOD and trial.best(mode)], space, mode)
    keys = _keys(space, found)
    if isinstance(found, Importance):
        importance = sweep_importance_figure(found.keys, found.explained, found.trials, metric)
    else:
        importance = no_importance_figure(found)
    figures = {
        "history": sweep_history_figure(shown, metric, mode),
        "parallel": sweep_parallel_figure(shown, keys, metric, mode),
        "importance": importance,
        "slices": sweep_slices_figure(shown, keys, metric, mode),
        "curves": sweep_curves_figure(shown, metric, mode),
    }
    for stem, figure in figures.items():
        save(figure, folder / f"{stem}.svg", f"sweep-{stem}")


def _shown(trial: Trial, mode: str) -> SweepTrial:
    best = trial.best(mode)
    return SweepTrial(trial.number, trial.values, trial.status, trial.curve, best and best[1])


def _keys(space: Space, found: Importance | str) -> Sequence[TunedKey]:
    """Those that matter first, where that is known: a figure has no room for more than some."""
    paths = list(space.domains)
    if isinstance(found, Importance):
        paths.sort(key=lambda path: -found.keys.get(path, (0.0, 0.0))[0])
    return [_key(space, path) for path in paths]


def _key(space: Space, path: str) -> TunedKey:
    domain = space.domains[path]
    if domain.options is not None:
        return TunedKey(path, options=domain.options)
    low, high = (None if isinstance(end, str) else end for end in (domain.low, domain.high))
    return TunedKey(path, log=domain.log, low=low, high=high)
