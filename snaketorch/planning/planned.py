"""A plan from what is known of a dataset: the estimates, the rates of GPUs and the host's part put together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snaketorch.config.gpu import Gpu
from snaketorch.config.specs import PlanSpec
from snaketorch.planning.cpu_time import seconds_per_step_on_cpu
from snaketorch.planning.efficiencies import efficiencies_of, operation_of
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.estimator import Traced
from snaketorch.planning.facts import Counts
from snaketorch.planning.host import disk_bytes, host_bytes, samples_bytes
from snaketorch.planning.plan import Needs, plan
from snaketorch.planning.precision_advice import can_scale_loss, precision_for
from snaketorch.planning.step_time import StepTime, seconds_per_step


def planned(
    spec: PlanSpec, counts: Counts, gpus: Mapping[str, Gpu], root: Path, free_gb: float | None = None
) -> dict[str, Any]:
    """The content of ``plan.json`` but for its record.

    Args:
        spec: The training, and where it may run.
        counts: Of its dataset.
        gpus: Every GPU there is.
        root: The folder that holds ``state/``, where measurements of devices are.
        free_gb: GiB that are free on each GPU, where somebody knows.
    """
    facts, rows = counts.manifest.facts(), counts.rows
    operation = operation_of(spec.model)

    def pace_on(estimate: Estimate, gpu: Gpu) -> StepTime:
        return seconds_per_step(estimate, gpu, efficiencies_of(gpu, root), operation)

    def cpu_pace(estimate: Estimate) -> StepTime:
        return seconds_per_step_on_cpu(estimate, spec.site.cpus, spec.trainer.devices)

    estimator, on_gpu = Traced(spec, facts, samples_bytes(counts)), bool(spec.site.gpus_asked)
    estimate = estimator.estimate(_precision(spec, on_gpu), on_gpu)
    needs = Needs(
        estimator,
        facts,
        validated=rows["val"] / max(1, rows["train"]),
        host_bytes=host_bytes(spec, estimate, counts, on_gpu=on_gpu),
        disk_bytes=disk_bytes(spec, estimate, counts, spec.site.trainings),
    )
    return plan(spec, needs, pace_on, cpu_pace, gpus.values(), free_gb)


def _precision(spec: PlanSpec, on_gpu: bool) -> str:
    """Of the estimate that tells what the host needs: one that is made anyway."""
    asked = spec.trainer.precision
    if on_gpu and spec.site.gpus:
        return precision_for(spec.site.gpus[0], asked, can_scale_loss(spec))[0]
    return "32-true" if asked == "auto" else asked
