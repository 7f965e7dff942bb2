"""Trials a minute side by side against a plain loop over our own training, of the same trials on one core.

Both train the same 64 configurations (fewer of the larger networks) to the end, from the same weights, on the same
batches. The loop calls ``fit`` for one after the other in one process, which has imported everything: no processes to
start, no scheduler. Side by side, all that a sweep does is timed: the look whether it can be done, its ledger, its
journals, its checkpoints. Rounds of the two take turns; what counts are medians of wall time, and beside them the
processor's time, which a busy machine leaves alone.
"""

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from machine import described

from snaketorch.config.alike import train_spec
from snaketorch.config.space import Space
from snaketorch.config.specs import PrepareSpec, TuneSpec
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.journal import Run
from snaketorch.signals import Noted
from snaketorch.training.checkpointing.resume_points import BY_DEFAULT
from snaketorch.training.fit import fit
from snaketorch.training.session import Session
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.progress import Progress
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.room import Room
from snaketorch.tuning.runs import SweepRuns
from snaketorch.tuning.search import build_search
from snaketorch.tuning.trial import winner
from snaketorch.tuning.vectorised.probe import flaw_of
from snaketorch.tuning.vectorised.sweep import train_side_by_side

RESULT = Path(__file__).parent / "results" / "sweeps-vectorised.md"
EPOCHS = 9
GOAL = 4.0
SPACE = {
    "optimizer.lr": {"loguniform": [1.0e-4, 1.0e-1]},
    "optimizer.weight_decay": {"loguniform": [1.0e-5, 1.0e-1]},
    "model.dropout": {"uniform": [0.0, 0.3]},
}


class Case(NamedTuple):
    """What is trained."""

    model: dict
    trials: int


CASES = {
    "MLP 64-32-10": Case({"kind": "mlp", "hidden": [32]}, 64),
    "MLP 64-128-64-10": Case({"kind": "mlp"}, 32),
    "CNN 8-16-32": Case({"kind": "cnn", "channels": [8, 16], "hidden": 32, "batch_norm": False}, 16),
    "CNN 8-16-32, batch norm": Case({"kind": "cnn", "channels": [8, 16], "hidden": 32}, 16),
    "CNN 32-64-64": Case({"kind": "cnn", "channels": [32, 64], "hidden": 64}, 8),
}


class Took(NamedTuple):
    """One round."""

    wall: float
    processor: float
    best: float
    values: list[float]


def digits(folder: Path) -> Path:
    """The manifest of scikit-learn's digits, 8x8."""
    source = {"kind": "sklearn", "name": "digits"}
    split = {"val": 0.1, "test": 0.2, "seed": 0, "stratify": True}
    spec = {"dataset": "digits", "source": source, "split": split, "prepare": {}}
    paths = {"preview": folder / "preview.png", "arrays": folder / "arrays"}
    prepare(PrepareSpec.model_validate(spec), manifest=folder / "manifest.json", **paths, code="", source="")
    return folder / "manifest.json"


def sweep_of(case: Case, scheduler: dict) -> TuneSpec:
    tune = {"metric": "val/accuracy", "mode": "max", "num_samples": case.trials, "search_alg": {"kind": "random"}}
    return TuneSpec.model_validate(
        {
            **dict.fromkeys(("augment", "early_stopping", "weight_averaging", "transfer")),
            "experiment": "benchmark",
            "seed": 0,
            "data": "digits",
            "task": {"kind": "image_classification"},
            "model": case.model,
            "optimizer": {"kind": "adamw"},
            "lr_scheduler": {"kind": "cosine"},
            "trainer": {"max_epochs": EPOCHS, "accelerator": "cpu", "precision": "32-true"},
            "checkpoint": {"monitor": "val/accuracy"},
            "data_loader": {"batch_size": 64},
            "tune": {**tune, "scheduler": scheduler, "space": SPACE},
        }
    )


def timed(run: Callable[[], list[float]]) -> Took:
    wall, processor = time.perf_counter(), time.process_time()
    values = run()
    return Took(time.perf_counter() - wall, time.process_time() - processor, max(values), values)


def one_by_one(spec: TuneSpec, manifest: Path, folder: Path) -> list[float]:
    """The best validation of each trial."""
    dataset, space, found = Manifest.load(manifest), _space(spec), []
    search = build_search(spec.tune, space)
    for number in range(spec.tune.num_samples):
        state = folder / str(number)
        state.mkdir(parents=True)
        own = train_spec(spec, search.propose(number, 0))
        fitted = fit(own, dataset, {}, Session(state, folder / "choices", None))
        found.append(fitted.facts["best"]["value"])
    return found


def side_by_side(spec: TuneSpec, manifest: Path, folder: Path) -> list[float]:
    """The best validation of each trial."""
    folder.mkdir(parents=True)
    context = SweepContext(spec, manifest, {}, Path.cwd(), folder, "code", Room(cpus=1), BY_DEFAULT, None)
    options = spec.tune
    with closing(Ledger(folder)) as ledger:
        ends = Ends(ledger, Noted(), None, None, 0.5, options.num_samples)
        proposals = Proposals(ledger, build_search(options, _space(spec)), options.num_samples)
        progress = Progress(ledger, options.metric, options.mode, options.num_samples, None)
        run = Run(key="sweep", name="sweep", tags={"snaketorch.experiment": "benchmark"})
        runs = SweepRuns(folder / "journal", run, options.metric, options.mode, ledger.all)
        train_side_by_side(context, Diary(context, ledger, proposals, progress, runs), ends)
        assert winner(ledger.all, options.mode)
        return [trial.best(options.mode)[1] for trial in ledger.all]


def _space(spec: TuneSpec) -> Space:
    return Space(spec.tune.space, spec.model_dump(mode="json", exclude={"tune"}))


def measured(case: Case, manifest: Path, folder: Path, rounds: int) -> dict:
    fifo, asha = {"kind": "fifo"}, {"kind": "asha", "grace_period": 1, "reduction_factor": 3}
    ways = {
        "loop": lambda place: one_by_one(sweep_of(case, fifo), manifest, place),
        "rows": lambda place: side_by_side(sweep_of(case, fifo), manifest, place),
        "asha": lambda place: side_by_side(sweep_of(case, asha), manifest, place),
    }
    took: dict[str, list[Took]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            took[name].append(timed(lambda way=way, name=name, number=number: way(folder / f"{name}-{number}")))
    found = {
        name: {
            "wall": median(one.wall for one in rows),
            "processor": median(one.processor for one in rows),
            "best": rows[0].best,
        }
        for name, rows in took.items()
    }
    apart = [abs(one - other) for one, other in zip(took["loop"][0].values, took["rows"][0].values, strict=True)]
    flaw, work = flaw_of(train_spec(sweep_of(case, fifo), {}), Manifest.load(manifest), torch.device("cpu"))
    assert flaw is None
    return {**found, "trials": case.trials, "apart": median(apart), "work": work}


def row(name: str, found: dict) -> str:
    def a_minute(way: str, clock: str) -> float:
        return 60 * found["trials"] / found[way][clock]

    gain = found["loop"]["wall"] / found["rows"]["wall"]
    own = found["loop"]["processor"] / found["rows"]["processor"]
    cells = [
        f"{name}, {found['trials']} trials",
        f"{found['work'] / 1e6:.1f}",
        f"{a_minute('loop', 'wall'):.0f}",
        f"{a_minute('rows', 'wall'):.0f}",
        f"{a_minute('asha', 'wall'):.0f}",
        f"{gain:.1f}",
        f"{own:.1f}",
        f"{found['loop']['best']:.4f}",
        f"{found['rows']['best']:.4f}",
        f"{found['asha']['best']:.4f}",
        f"{found['apart']:.4f}",
    ]
    return f"| {' | '.join(cells)} |"


def write(path: Path, found: dict[str, dict], rounds: int) -> None:
    """The table of what there is so far."""
    lines = [
        "# Trials side by side",
        "",
        f"Trials a minute on one core, digits (8x8), batches of 64, {EPOCHS} epochs, medians of {rounds} "
        "rounds in turns (see `benchmarks/sweeps_vectorised.py`). "
        f"The goal is {GOAL} times the loop for 64 trials of the first.",
        "",
        "| trials | million operations a forward pass | loop over `fit` | side by side | side by side, ASHA "
        "| times the loop | in processor time "
        "| best, loop | best, side by side | best, ASHA | a trial's best apart, median |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(row(name, values) for name, values in found.items()),
        "",
        described(("snaketorch", "torch", "pytorch-lightning")),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=[*CASES])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    keep_freed_memory()
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        manifest = digits(Path(folder, "digits"))
        for name in options.cases:
            found[name] = measured(CASES[name], manifest, Path(folder, name.replace(" ", "-")), options.rounds)
            print(json.dumps({name: found[name]}), flush=True)
            write(options.result, found, options.rounds)


if __name__ == "__main__":
    main()
