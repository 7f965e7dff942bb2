"""What the trainings of an experiment took of their machine, and what its plan had said of that."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from snaketorch.config.gpu_at_hand import gpu_at_hand
from snaketorch.config.gpu_names import name_key
from snaketorch.config.gpus import built_in
from snaketorch.report import formats
from snaketorch.report.better_resources import Advice, advice
from snaketorch.report.plans import FILE
from snaketorch.report.results import Experiment

MIB, GIB_IN_MIB = 2**20, 1024
OF_A_PLAN = {"experiment", "seed", "site"}
"""Of a plan's spec, what no training depends on."""


@dataclass(frozen=True)
class Measurement:
    """A row of the table."""

    label: str
    measured: str
    planned: str
    difference: str
    """How much more was planned than measured."""


@dataclass(frozen=True)
class Usage:
    """What the trainings took."""

    rows: list[Measurement]
    device: str
    """What the plan's figures are of; empty where there is no plan to compare with."""
    advice: list[Advice]

    @property
    def is_compared(self) -> bool:
        return bool(self.device)


def usage(experiment: Experiment) -> Usage | None:
    """What the seeds' records tell; None where they are older than such records."""
    records = [seed.record for seed in experiment.seeds]
    if any(record.get("usage") is None for record in records):
        return None
    plan = _plan(experiment)
    device = _planned_device(plan, records[0])
    rows = [_row(*row) for row in _rows(records, plan, device)]
    compared = any(row.planned != formats.NOTHING for row in rows)
    name = str(device.get("name", "this machine")) if compared else ""
    return Usage([row for row in rows if row.measured != formats.NOTHING], name, advice(experiment))


def _rows(records: list[dict], plan: Mapping, device: Mapping) -> Iterable[tuple]:
    """Label, how it is written, what was measured, what was planned."""
    usages = [record["usage"] for record in records]
    memory = device.get("memory")
    on_gpu = _number(memory.get("peak")) if isinstance(memory, dict) else None
    if on_gpu is not None:  # what torch reserves is without the context
        on_gpu -= _number(memory.get("context")) or 0
    yield "Memory of the GPU", formats.mebibytes, _most(usages, "reserved_memory_mb"), _mib(on_gpu)
    yield (
        "Memory of the host",
        formats.mebibytes,
        _most(usages, "host_memory_mb"),
        _mib(_number(plan.get("host_bytes"))),
    )
    steps = [used["step_seconds"] for used in usages]
    planned_step = _number(device.get("seconds_per_step"))
    yield "Step, median", _step, _mean(steps, "median"), planned_step
    yield "Step, nine of ten within", _step, _mean(steps, "p90"), None
    yield "Waiting for data", _percent, _mean(usages, "data_wait_share"), None
    yield "Training", formats.duration, _mean(records, "wall_seconds"), _number(device.get("seconds"))
    yield "GPU busy", _percent, _mean(usages, "utilisation"), None
    yield "Power", _watts, _mean(usages, "power_w"), None
    yield "Energy", _watt_hours, _mean(usages, "energy_wh"), _number(device.get("energy_wh"))


def _row(
    label: str, written: Callable[[float | None], str], measured: float | None, planned: float | None
) -> Measurement:
    difference = _difference(planned / measured) if measured and planned is not None else formats.NOTHING
    return Measurement(label, written(measured), written(planned), difference)


def _difference(ratio: float) -> str:
    """What was planned for each that was measured: `+10 %`, `58 times`."""
    percent = round(100 * (ratio - 1))
    if percent >= 1000:
        return f"{ratio:,.0f} times"
    return f"{'+' if percent > 0 else '−' if percent < 0 else '±'}{abs(percent)} %"


def _plan(experiment: Experiment) -> Mapping[str, Any]:
    """The experiment's plan; empty where there is none, or one for other trainings than those that were made."""
    try:
        plan = json.loads((experiment.folder / FILE).read_text("utf-8"))
        planned = plan["record"].get("spec")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    trained = experiment.seeds[0].record["spec"]
    if isinstance(planned, dict) and any(
        planned[key] != trained[key] for key in (planned.keys() & trained.keys()) - OF_A_PLAN
    ):
        return {}
    return plan


def _planned_device(plan: Mapping[str, Any], record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the plan says of the device that was trained on; empty where the plan does not have it."""
    device = record["device"]
    if device["type"] != "cuda":
        on_cpu = plan.get("cpu")
        return {"name": "the CPU", **on_cpu} if isinstance(on_cpu, dict) else {}
    planned = plan.get("gpus")
    memory = record["usage"]["device_memory_mb"]
    known = gpu_at_hand(device["name"], memory and memory / GIB_IN_MIB, built_in())
    # the site may know it by a name of its own
    keys = {name_key(device["name"]), name_key(known.name) if known else ""} - {""}
    gpus = planned if isinstance(planned, list) else []
    return next((gpu for gpu in gpus if isinstance(gpu, dict) and name_key(str(gpu.get("name"))) in keys), {})


def _most(values: Iterable[Mapping[str, Any]], name: str) -> float | None:
    return max((value[name] for value in values if value[name] is not None), default=None)


def _mean(values: Iterable[Mapping[str, Any]], name: str) -> float | None:
    known = [value[name] for value in values if value[name] is not None]
    return fmean(known) if known else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _mib(size: float | None) -> float | None:
    return None if size is None else size / MIB


def _step(seconds: float | None) -> str:
    if seconds is None or seconds >= 10:
        return formats.duration(seconds)
    return formats.milliseconds(1000 * seconds)


def _percent(share: float | None) -> str:
    return formats.NOTHING if share is None else f"{share:.0%}".replace("%", " %")


def _watts(watts: float | None) -> str:
    return formats.NOTHING if watts is None else f"{watts:,.0f} W"


def _watt_hours(energy: float | None) -> str:
    if energy is None:
        return formats.NOTHING
    return f"{energy / 1000:,.2f} kWh" if energy >= 1000 else f"{formats.number(energy, 3)} Wh"
