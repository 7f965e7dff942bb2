"""Begins trainings, or a sweep, anew: what they have done so far is put aside, not thrown away."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from pathlib import Path

from snaketorch.errors import UserError
from snaketorch.state.lock import sole_writer

TRAIN, TUNE, ASIDE = "train", "tune", "set-aside"
WAIT_SECONDS = 0.0  # who runs is not waited for


def start_over(
    experiment: str, seed: int | None, configured: Mapping[str, Iterable[int]], root: Path = Path("state")
) -> list[tuple[str, Path]]:
    """Puts the state of an experiment's unfinished trainings aside, under a name with the time.

    Args:
        experiment: Its name.
        seed: Of one training; all of the experiment's when None.
        configured: The seeds of each experiment of the configuration; what has state besides is known too.
        root: The folder of all live state.

    Returns:
        Each training, ``EXPERIMENT/seed-N``, and where its state is now.

    Raises:
        UserError: there is no such experiment or seed, or nothing to put aside.
        InUse: the training runs.
    """
    with_state = _with_state(root)
    _check(f"there is no experiment {experiment!r}", experiment, {*with_state, *configured})
    if seed is not None:
        seeds = {*with_state.get(experiment, ()), *configured.get(experiment, ())}
        _check(f"{experiment} has no seed {seed}", str(seed), {str(number) for number in seeds})
    wanted = f"seed-{seed}" if seed is not None else "seed-*"
    folders = sorted(
        path for path in (root / TRAIN / experiment).glob(f"{wanted}/*") if path.is_dir() and path.name[0] != "."
    )
    if not folders:
        which = experiment if seed is None else f"{experiment} with seed {seed}"
        raise UserError(
            f"{which} has no unfinished training to put aside; a finished one is trained again when its results "
            f"under results/experiments/{experiment} are deleted"
        )
    now = _now()
    names = [folder.relative_to(root / TRAIN) for folder in folders]
    with _all_held(folders):
        return [
            (name.parent.as_posix(), _put_aside(folder, root / ASIDE / name, now))
            for name, folder in zip(names, folders, strict=True)
        ]


def sweep_over(experiment: str, configured: Iterable[str], root: Path = Path("state")) -> list[Path]:
    """Puts all trials of an experiment's sweeps aside, under a name with the time: those that are done too.

    Args:
        experiment: Its name.
        configured: The experiments that have a sweep; what has state besides is known too.
        root: The folder of all live state.

    Returns:
        Where the state of each sweep is now.

    Raises:
        UserError: there is no such sweep, or nothing to put aside.
        InUse: the sweep runs.
    """
    with_state = {path.parent.parent.name for path in (root / TUNE).glob("*/*/trials.jsonl")}
    _check(f"there is no sweep of an experiment {experiment!r}", experiment, {*with_state, *configured})
    folders = sorted(path.parent for path in (root / TUNE / experiment).glob("*/trials.jsonl"))
    if not folders:
        raise UserError(f"the sweep of {experiment} has not begun: there is nothing to put aside")
    now = _now()
    with _all_held([root / TUNE / experiment, *folders]):
        return [_put_aside(folder, root / ASIDE / experiment / f"sweep-{folder.name}", now) for folder in folders]


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")


@contextmanager
def _all_held(folders: Iterable[Path]) -> Iterator[None]:
    """Holds all before any is touched: who is refused for one of them finds the others as they were."""
    with ExitStack() as held:
        for folder in folders:
            held.enter_context(sole_writer(folder, WAIT_SECONDS))
        yield


def _put_aside(folder: Path, place: Path, now: str) -> Path:
    place = place.with_name(f"{place.name}-{now}")
    place.parent.mkdir(parents=True, exist_ok=True)
    return folder.rename(place)


def _check(wrong: str, name: str, allowed: Set[str]) -> None:
    if name not in allowed:
        raise UserError(f"{wrong}; allowed: {', '.join(sorted(allowed)) or 'none yet'}")


def _with_state(root: Path) -> dict[str, list[int]]:
    """The seeds of each experiment that has a training's state."""
    found: dict[str, list[int]] = {}
    for folder in sorted((root / TRAIN).glob("*/seed-*")):
        number = folder.name.removeprefix("seed-")
        if number.isdigit():
            found.setdefault(folder.parent.name, []).append(int(number))
    return found
