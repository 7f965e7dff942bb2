"""Trials a minute of our sweep, against a plain loop over our training function, and against plain Ray Tune.

All contenders train the same trials, each of one thread, in a process of its own whose whole life counts: the imports,
the start of Ray, and its end. Ours is the command that the workflow runs, with everything that it does: its ledger,
checkpoints, journals and figures. The loop calls ``fit`` for one trial after the other, on one core; ours has the same
core, on which Ray runs too. Plain Ray Tune gets a function that calls ``fit`` and reports each epoch, and nothing but
its defaults, save the low priority of its processes. Rounds take turns. No trials are trained side by side here; for
those see ``benchmarks/sweeps_vectorised.py``.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from machine import described

RESULT = Path(__file__).parent / "results" / "sweeps.md"
TRAINED = "trained.jsonl"
"""What the loop and the function of plain Ray Tune tell: a line a trial."""


ENVIRONMENT = {
    "SNAKETORCH_TRACKING": "off",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # with Ray's own, 15, its trials wait for everything else on a busy machine
}


@dataclass(frozen=True)
class Case:
    """What is trained, and where."""

    epochs: int
    trials: int
    cores: int
    other: str
    """Whom ours is compared with."""
    goal: float
    """Times its trials a minute."""


CASES = {
    "short trials, two cores": Case(epochs=10, trials=20, cores=2, other="plain Ray Tune", goal=3.0),
    "long trials, one core": Case(epochs=240, trials=4, cores=1, other="loop", goal=0.8),
}


@dataclass(frozen=True)
class Round:
    """One contender's sweep."""

    wall: float
    """Seconds, of the whole process."""
    before: float
    """Of these, until the first trial began."""
    trial: float
    """Of a trial, median."""
    best: tuple[float, ...]
    """Of each trial, the best validation."""


def sweep_of(case: Case) -> dict[str, Any]:
    """The spec of the sweep, as JSON."""
    space = {"optimizer.lr": {"loguniform": [1.0e-4, 1.0e-1]}, "optimizer.weight_decay": {"loguniform": [1e-5, 1e-1]}}
    tune = {"metric": "val/loss", "mode": "min", "num_samples": case.trials, "space": space, "vectorise": False}
    return {
        **dict.fromkeys(("augment", "early_stopping", "weight_averaging", "transfer")),
        "experiment": "benchmark",
        "seed": 0,
        "data": "digits",
        "task": {"kind": "image_classification"},
        "model": {"kind": "mlp", "hidden": [512, 512]},
        "optimizer": {"kind": "adamw"},
        "lr_scheduler": {"kind": "cosine"},
        "trainer": {"max_epochs": case.epochs, "accelerator": "cpu", "precision": "32-true"},
        "checkpoint": {"monitor": "val/loss"},
        "data_loader": {"batch_size": 64},
        "tune": {**tune, "search_alg": {"kind": "random"}, "scheduler": {"kind": "fifo"}},
    }


def train_trial(values: Mapping[str, Any], spec: Any, manifest: Path, folder: Path, number: int, also: tuple) -> None:
    """Our training function on one trial; tells of it in ``folder``."""
    from snaketorch.config.alike import train_spec
    from snaketorch.data.manifest import Manifest
    from snaketorch.training.fit import fit
    from snaketorch.training.session import Session

    start = time.time()
    state = folder / str(number)
    state.mkdir()
    session = Session(state, folder / "choices", None, also=also)
    fitted = fit(train_spec(spec, values), Manifest.load(manifest), {}, session)
    line = {"number": number, "start": start, "end": time.time(), "best": fitted.facts["best"]["value"]}
    with (folder / TRAINED).open("a") as file:
        file.write(json.dumps(line) + "\n")


def loop(document: dict[str, Any], manifest: Path, folder: Path, _: int) -> None:
    """One trial after the other in this process."""
    import torch

    from snaketorch.config.space import Space
    from snaketorch.config.specs import TuneSpec
    from snaketorch.hardware.allocator import keep_freed_memory
    from snaketorch.tuning.search import build_search

    keep_freed_memory()
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    spec = TuneSpec.model_validate(document)
    search = build_search(spec.tune, Space(spec.tune.space, spec.model_dump(mode="json", exclude={"tune"})))
    for number in range(spec.tune.num_samples):
        train_trial(search.propose(number, 0), spec, manifest, folder, number, ())


def plain_ray(document: dict[str, Any], manifest: Path, folder: Path, cores: int) -> None:
    """The same through Ray Tune as it comes, but for its dashboard, which we do without as well."""
    import ray
    from ray import tune

    from snaketorch.config.space import Space
    from snaketorch.config.specs import TuneSpec
    from snaketorch.tuning.search import build_search

    spec = TuneSpec.model_validate(document)
    search = build_search(spec.tune, Space(spec.tune.space, spec.model_dump(mode="json", exclude={"tune"})))
    trials = [{"number": number, "values": search.propose(number, 0)} for number in range(spec.tune.num_samples)]

    def train(config: dict[str, Any]) -> None:
        from pytorch_lightning import Callback

        class Report(Callback):
            def on_train_epoch_end(self, trainer, pl_module):
                tune.report({"loss": float(trainer.callback_metrics["val/loss"])})

        trial = config["trial"]
        train_trial(trial["values"], spec, manifest, folder, trial["number"], (Report(),))

    short = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets must have short names
    try:
        ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False, _temp_dir=short)
        config = tune.RunConfig(storage_path=str(folder / "ray"))
        found = tune.Tuner(train, param_space={"trial": tune.grid_search(trials)}, run_config=config).fit()
        assert not found.errors, found.errors
    finally:
        ray.shutdown()
        shutil.rmtree(short, ignore_errors=True)


CONTENDERS: dict[str, Callable[..., None]] = {"loop": loop, "plain Ray Tune": plain_ray}


def run_contender(name: str, case: Case, manifest: Path, folder: Path) -> Round:
    """A whole process."""
    folder.mkdir(parents=True)
    spec = json.dumps(sweep_of(case))
    job = ["--spec", spec, "--manifest", str(manifest)]
    if name == "ours":
        outputs = ("best.yaml", "trials.csv", "curves.csv", "sweep.json", "figures")
        job += [f"--{Path(output).stem}={output}" for output in outputs]
        own = ["-m", "snaketorch", "tune", *job, "--state=state", f"--threads={case.cores}", "--cpu-per-trial=1"]
    else:
        own = [__file__, "--contender", name, *job, "--cores", str(case.cores)]
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[: case.cores]))
    start = time.time()
    with (folder / "log").open("w") as log:
        code = subprocess.run(
            ["taskset", "-c", cores, sys.executable, *own],
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, **ENVIRONMENT},
        ).returncode
    wall = time.time() - start
    if code:
        sys.exit(f"{name} ended with {code}:\n{(folder / 'log').read_text()[-3000:]}")
    first, trials = _told_by_ours(folder) if name == "ours" else _told(folder)
    assert len(trials) == case.trials, trials
    return Round(wall, first - start, median(seconds for seconds, _ in trials), tuple(best for _, best in trials))


def _told(folder: Path) -> tuple[float, list[tuple[float, float]]]:
    """When the first trial began; and of each its seconds and its best."""
    lines = [json.loads(line) for line in (folder / TRAINED).read_text().splitlines()]
    lines.sort(key=lambda line: line["number"])
    return min(line["start"] for line in lines), [(line["end"] - line["start"], line["best"]) for line in lines]


def _told_by_ours(folder: Path) -> tuple[float, list[tuple[float, float]]]:
    (ledger,) = folder.glob("state/*/trials.jsonl")
    events = [json.loads(line) for line in ledger.read_text().splitlines()]
    times = {(event["event"], event.get("number")): event["time"] for event in events if event["event"] != "points"}
    best: dict[int, float] = {}
    for event in events:
        for _, value in event["points"] if event["event"] == "points" else ():
            best[event["number"]] = min(value, best.get(event["number"], value))
    trials = [(times["ended", number] - times["started", number], best[number]) for number in sorted(best)]
    return min(when for (kind, _), when in times.items() if kind == "started"), trials


def measured(case: Case, manifest: Path, folder: Path, rounds: int) -> dict[str, list[Round]]:
    names = (case.other, "ours")
    found: dict[str, list[Round]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            found[name].append(run_contender(name, case, manifest, folder / f"{name}-{number}"))
            print(f"  {name}: {found[name][-1]}", flush=True)
    return found


def rows(name: str, case: Case, found: dict[str, list[Round]]) -> list[str]:
    """A line for each contender."""

    def a_minute(who: str) -> float:
        return 60 * case.trials / median(one.wall for one in found[who])

    gain, lines = a_minute("ours") / a_minute(case.other), []
    for who, took in found.items():
        verdict = f"{case.goal:g}: {'met' if gain >= case.goal else 'missed'}"
        apart = max(abs(a - b) for a, b in zip(took[0].best, found[case.other][0].best, strict=True))
        cells = [
            f"{name}: {case.trials} of {case.epochs} epochs" if who == case.other else "",
            who,
            f"{median(one.trial for one in took):.1f}",
            ", ".join(f"{one.wall:.1f}" for one in took),
            f"{median(one.before for one in took):.1f}",
            f"{a_minute(who):.1f}",
            *([f"**{gain:.2f}**", verdict] if who == "ours" else ["", ""]),
            "-" if who == case.other else f"{apart:.1g}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def write(path: Path, found: dict[str, dict[str, list[Round]]], rounds: int) -> None:
    lines = [
        "# Sweeps",
        "",
        "The same trials, an MLP 64-512-512-10 on digits (8x8) in batches of 64, by our sweep, by a plain loop over",
        f"our training function, and by plain Ray Tune with its defaults on it. Whole processes, {rounds} rounds",
        "in turns, medians (see `benchmarks/sweeps.py`). A trial has one thread and one core.",
        "",
        "| trials | contender | seconds of a trial | seconds in all, each round | until the first trial "
        "| trials a minute | times the other | goal | best validation loss of a trial apart, at most |",
        "|---|---|---:|---|---:|---:|---:|---|---:|",
        *(line for name, values in found.items() for line in rows(name, CASES[name], values)),
        "",
        described(("snaketorch", "torch", "pytorch-lightning", "ray")),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=[*CASES])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--result", type=Path, default=RESULT)
    for name in ("--contender", "--spec", "--manifest", "--cores"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        run = CONTENDERS[options.contender]
        run(json.loads(options.spec), Path(options.manifest), Path.cwd(), int(options.cores))
        return
    from sweeps_vectorised import digits

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        manifest = digits(Path(folder, "digits"))
        for name in options.cases:
            print(name, flush=True)
            found[name] = measured(CASES[name], manifest, Path(folder, name.replace(" ", "-")), options.rounds)
            write(options.result, found, options.rounds)
    print(options.result.read_text("utf-8"))


if __name__ == "__main__":
    main()
