"""The plan of an experiment: which GPUs its training fits, what each would take, what it should ask for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from snaketorch.config.gpu import Gpu
from snaketorch.config.specs import PlanSpec
from snaketorch.planning.advice import advice, of_hours, of_site, without_gpu
from snaketorch.planning.advised import Advised
from snaketorch.planning.choice import Choice, choose, request
from snaketorch.planning.duration import seconds_of
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.estimator import Estimator
from snaketorch.planning.fit import Fit, usable_bytes
from snaketorch.planning.precision_advice import can_scale_loss, precision_for
from snaketorch.planning.remedies import remedies
from snaketorch.planning.step_time import StepTime

FORMAT = 1


class Needs(NamedTuple):
    """What a training needs, whatever it runs on."""

    estimator: Estimator
    facts: Mapping[str, Any]
    """Of its dataset."""
    validated: float
    """Samples of a validation for each sample of an epoch."""
    host_bytes: int
    """Memory of a node."""
    disk_bytes: int


Paces = Callable[[Estimate, Gpu], StepTime]
"""How long an optimizer step takes on a GPU."""


def plan(
    spec: PlanSpec,
    needs: Needs,
    pace_on: Paces,
    cpu_pace: Callable[[Estimate], StepTime],
    known: Iterable[Gpu],
    free_gb: float | None = None,
) -> dict[str, Any]:
    """The content of ``plan.json`` but for its record.

    Args:
        spec: The training, and where it may run.
        needs: Of it.
        pace_on: How long an optimizer step of an estimate takes on a GPU.
        cpu_pace: How long it takes on the CPU cores that the job asks for.
        known: Every GPU there is, for what would hold a training that fits none of ``spec.site.gpus``.
        free_gb: GiB that are free on each GPU, where somebody knows.
    """
    fits = [_fit(spec, needs, gpu, pace_on, free_gb) for gpu in spec.site.gpus]
    on_cpu = _on_cpu(spec, needs, cpu_pace)
    chosen = choose(fits)
    if chosen.fit:
        tried = needs.estimator.largest_batch_size(chosen.fit.precision, chosen.fit.usable)
        fit = replace(chosen.fit, largest_batch_size=tried)
        fits[fits.index(chosen.fit)] = fit
        chosen = Choice(fit, chosen.rule)
    asked = request(spec.site, fits, chosen, on_cpu["seconds"] if on_cpu else None, needs.host_bytes)
    advised = [*_advice(spec, needs, chosen, on_cpu, known), *of_hours(asked["hours"])]
    estimate = chosen.fit.estimate if chosen.fit and spec.trainer.accelerator != "cpu" else _estimate(spec, needs)
    return {
        "format": FORMAT,
        "experiment": spec.experiment,
        "trainings": spec.site.trainings,
        "devices": spec.trainer.processes,
        "batch_size": spec.data_loader.batch_size,
        "currency": next((gpu.currency for gpu in spec.site.gpus if gpu.currency), None),
        "precision": estimate.precision,
        "gpus": [fit.to_json() for fit in fits],
        "cpu": on_cpu,
        "chosen": asked,
        "advice": [item._asdict() for item in advised],
        "host_bytes": needs.host_bytes,
        "disk_bytes": needs.disk_bytes,
        "estimate": estimate.to_json(),
    }


def _fit(spec: PlanSpec, needs: Needs, gpu: Gpu, pace_on: Paces, free_gb: float | None) -> Fit:
    precision, why = precision_for(gpu, spec.trainer.precision, can_scale_loss(spec))
    estimate = needs.estimator.estimate(precision)
    usable = usable_bytes(gpu, needs.host_bytes, free_gb)
    step = pace_on(estimate, gpu)
    return Fit(
        gpu=gpu,
        precision=precision,
        precision_why=why,
        estimate=estimate,
        usable=usable,
        largest_batch_size=needs.estimator.about_largest(precision, usable),
        step=step,
        seconds=seconds_of(spec, estimate, step.seconds, needs.validated),
        devices=spec.trainer.processes,
    )


def _estimate(spec: PlanSpec, needs: Needs) -> Estimate:
    """On the CPU, where `auto` is 32 bits on most machines."""
    precision = spec.trainer.precision
    return needs.estimator.estimate("32-true" if precision == "auto" else precision, on_gpu=False)


def _on_cpu(spec: PlanSpec, needs: Needs, cpu_pace: Callable[[Estimate], StepTime]) -> dict[str, Any] | None:
    """What the CPU would take; None where a GPU is asked for."""
    if spec.site.gpus_asked or spec.trainer.accelerator == "gpu":
        return None
    estimate = _estimate(spec, needs)
    step = cpu_pace(estimate)
    return {
        "cores": spec.site.cpus,
        "precision": estimate.precision,
        "seconds_per_step": step.seconds,
        "seconds": seconds_of(spec, estimate, step.seconds, needs.validated),
    }


def _advice(
    spec: PlanSpec, needs: Needs, chosen: Choice, on_cpu: Mapping[str, Any] | None, known: Iterable[Gpu]
) -> list[Advised]:
    site, fit = spec.site, chosen.fit
    if fit is None:
        return []
    if on_cpu:
        return list(without_gpu(spec, fit, on_cpu["seconds"]) if fit.fits else ())
    if not fit.fits:
        return list(remedies(spec, fit, needs.estimator, known, needs.host_bytes))
    knows_names = any(gpu.gpu_model or gpu.partition for gpu in site.gpus)
    return [*advice(spec, fit, needs.estimator, needs.facts), *of_site(site.gpu_model, knows_names)]
