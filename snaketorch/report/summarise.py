"""An experiment over its seeds: ``summary.json``, the resolved configuration, and the parent run's journal."""

import logging
import statistics
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snaketorch.config.best import Best
from snaketorch.config.specs import SummariseSpec
from snaketorch.freshness import FORMAT
from snaketorch.journal import ROOT, Journal, Run, UsedDataset, flatten, read_run
from snaketorch.provenance import digest, file_sha256, git_state, host, versions
from snaketorch.publish import write_json, write_text
from snaketorch.report.interval import over_seeds
from snaketorch.report.metric_range import range_of
from snaketorch.report.resolved_yaml import resolved_yaml
from snaketorch.report.seeds import SeedResult, read_seeds

log = logging.getLogger(__name__)


def summarise(
    spec: SummariseSpec,
    *,
    metrics: list[Path],
    records: list[Path],
    summary: Path,
    config: Path,
    code: str,
    best: Path | None = None,
) -> None:
    """Writes ``summary`` and ``config`` from the ``metrics.json`` and ``record.json`` of every seed.

    ``best`` is the result of the experiment's sweep, with whose values it was trained.

    UserError when a result is missing, does not belong to the files beside it, or was made with another
    configuration: an old result never poses as a current one.
    """
    clock, started = time.monotonic(), datetime.now(UTC)
    seeds = read_seeds(spec, metrics, records, Best.read(best) if best else None)
    write_text(config, resolved_yaml(spec.experiment, spec.config))
    content = _summary(spec, seeds)
    content["record"] = {
        "spec": spec.model_dump(mode="json"),
        "spec_digest": digest(spec.model_dump(mode="json")),
        "code_digest": code,
        "outputs": {"config": file_sha256(config)},
        "versions": versions(["snaketorch", "pydantic", "pyyaml"]),
        "git": git_state(Path(__file__).parent),
        "host": host(),
        "started": started.isoformat(timespec="seconds"),
        "wall_seconds": round(time.monotonic() - clock, 3),
    }
    write_json(summary, content)
    _write_journal(spec, content, seeds[0], artifacts=[config, summary])
    goal = content["metrics"][content["goal"]]
    log.info("%s: %s, seeds: %d, mean %s", spec.experiment, content["goal"], goal["n"], _in_words(goal))


def _summary(spec: SummariseSpec, seeds: list[SeedResult]) -> dict[str, Any]:
    first = seeds[0].metrics
    return {
        "format": FORMAT,
        "study": spec.study,
        "experiment": spec.experiment,
        "description": spec.config.description,
        "task": spec.config.task.kind,
        "data": spec.config.data,
        "model": spec.config.model.kind,
        "seeds": [result.seed for result in seeds],
        "goal": first["goal"],
        "mode": first["modes"][first["goal"]],
        "metrics": {
            name: over_seeds({result.seed: result.metrics["metrics"][name] for result in seeds}, range_of(name))
            for name in first["metrics"]
        },
        "modes": first["modes"],
        "baselines": _baselines(seeds),
        "cost": _cost(seeds),
        "inputs": {str(result.seed): result.digests for result in seeds},
    }


def _baselines(seeds: list[SeedResult]) -> dict[str, dict[str, float | None]]:
    """The metrics of each baseline; of one with chance in it, such as fresh weights, the means over seeds."""
    return {
        name: {
            metric: _same_or_mean([result.metrics["baselines"][name][metric] for result in seeds]) for metric in metrics
        }
        for name, metrics in seeds[0].metrics["baselines"].items()
    }


def _same_or_mean(values: list[float | None]) -> float | None:
    if None in values:
        return None
    return values[0] if len(set(values)) == 1 else statistics.fmean(values)


def _cost(seeds: list[SeedResult]) -> dict[str, Any]:
    """What the trainings cost; the latency is that of one sample in the test."""
    seconds = [result.record["wall_seconds"] for result in seeds]
    return {
        "train_seconds": {"mean": statistics.fmean(seconds), "total": sum(seconds)},
        "peak_memory_mb": max(_known(result.record["peak_memory_mb"] for result in seeds), default=None),
        "parameters": seeds[0].record["parameters"],
        "samples_per_second": _mean(result.record["samples_per_second"] for result in seeds),
        "latency_ms": _mean(result.metrics["cost"]["latency_ms"] for result in seeds),
    }


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Iterable[float | None]) -> float | None:
    known = _known(values)
    return statistics.fmean(known) if known else None


def _write_journal(spec: SummariseSpec, content: dict[str, Any], first: SeedResult, artifacts: list[Path]) -> None:
    """The parent of the seeds' runs, which all name it as their group."""
    group_key = first.record["group_key"]
    run = Run(
        key=group_key,
        name=spec.experiment,
        params=flatten(spec.config.model_dump(mode="json", exclude_none=True)),
        tags={
            "snaketorch.experiment": spec.experiment,
            "snaketorch.seeds": ", ".join(map(str, content["seeds"])),
            "snaketorch.dataset": content["data"],
            "snaketorch.dataset_digest": first.record["inputs"]["manifest"]["digest"],
            "snaketorch.spec_digest": content["record"]["spec_digest"],
            "snaketorch.code_digest": content["record"]["code_digest"],
        },
        datasets=_datasets(first),
    )
    journal = Journal(ROOT / group_key, run)
    journal.log_metrics(dict(_journal_metrics(content["metrics"])), step=0)
    for path in artifacts:
        journal.add_artifact(path)
    journal.finish("FINISHED")


def _datasets(first: SeedResult) -> list[UsedDataset]:
    """Of a seed's own run; none where its journal is gone."""
    try:
        return read_run(Path(first.record["journal"])).datasets
    except FileNotFoundError:
        return []


def _journal_metrics(metrics: dict[str, Any]) -> Iterable[tuple[str, float]]:
    for name, found in metrics.items():
        if found["mean"] is not None:
            yield name, found["mean"]
        if found["ci95"]:
            yield f"{name}_ci95_low", found["ci95"][0]
            yield f"{name}_ci95_high", found["ci95"][1]


def _in_words(metric: dict[str, Any]) -> str:
    if metric["mean"] is None:
        return "not measured for every seed"
    if not metric["ci95"]:
        return f"{metric['mean']:.4g}"
    return f"{metric['mean']:.4g} (95 % interval {metric['ci95'][0]:.4g} to {metric['ci95'][1]:.4g})"
