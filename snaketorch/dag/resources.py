"""What each job asks Snakemake for, and through it Slurm: its threads and resources, from the configuration."""

import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from snaketorch.config import sbatch_options
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.resources import PrepareResources, Resources, TrainResources
from snaketorch.dag.planned_resources import WAITS_FOR, settled

Value = int | str | None
"""Of a resource; None is none at all, as if the rule did not name it."""


class Default(Protocol):
    """A resource that a profile gives to every job."""

    value: Value

    def evaluate(self, *args: Any, **kwargs: Any) -> "Default": ...


@dataclass(frozen=True)
class Need:
    """What a job needs; ``cpus``, ``gpus`` and the memory of ``section`` in each of its nodes."""

    section: Resources | PrepareResources
    cpus: int
    gpus: int
    nodes: int = 1
    processes: int = 1
    """Of a node, that train together."""
    plan: Path | None = None
    """Says what ``section`` leaves to it."""

    def settled_for(self, name: str, inputs: Collection[str]) -> "Need":
        """The same with all numbers that the resource ``name`` of a job with these ``inputs`` needs."""
        if not isinstance(self.section, TrainResources):
            return self
        key = WAITS_FOR.get(name)
        waits = key in self.section.auto and not (key == "gpu_model" and not self.gpus)
        return replace(self, section=settled(self.section, self.plan if waits else None, inputs))


def of_preparation(dataset: DatasetConfig) -> Need:
    """Whatever reads the source, on one node."""
    return Need(dataset.resources, dataset.resources.cpus, dataset.resources.gpus)


def of_training(experiment: ExperimentConfig, plan: Path | None = None) -> Need:
    """Of an experiment that is resolved, and whose ``plan`` says what its resources leave to it."""
    section, trainer = experiment.resources, experiment.trainer
    return Need(section, section.cpus, section.gpus, trainer.num_nodes, trainer.devices, plan)


def of_sweep(experiment: ExperimentConfig) -> Need:
    """The whole job, of all trials; of an experiment that is resolved. In each node one process starts its trials."""
    tune = experiment.tune
    return Need(tune.resources, tune.resources.cpus, tune.resources.gpus, tune.num_nodes)


def of_test(experiment: ExperimentConfig, plan: Path | None = None) -> Need:
    """One process, whatever trained: the share of one device in a node's cores, and a GPU where GPUs trained."""
    section = experiment.resources
    return Need(section, section.cpus // experiment.trainer.devices, min(1, section.gpus), plan=plan)


def request(need: Need, attempt: int) -> dict[str, Value]:
    """The resources of a job by their names, which are those of Snakemake's Slurm plugin.

    A retry gets more memory and time, for the last attempt may have had too little of them. Several nodes
    take the plugin's way for MPI, on which it starts nothing by itself: the training does. On that way GPUs
    are counted for each node, by an option; ``gpu`` would be of all nodes together.
    """
    section = need.section
    is_one = need.nodes == 1
    several_nodes = {
        "nodes": need.nodes,
        "mpi": "srun",
        "tasks": need.nodes * need.processes,
        "cpus_per_task": need.cpus // need.processes,
    }
    # a job of one task is on one node by itself, but GPUs are taken where they are free; without GPUs
    # nothing is said of nodes, which Snakemake would add up over the jobs of a group
    one_node = dict.fromkeys(several_nodes) | {"nodes": 1 if need.gpus else None}
    return {
        "mem_mb": round(section.memory_gb * 1024 * attempt),
        "runtime": max(1, round(section.hours * 60 * attempt)),
        "gpu": need.gpus if is_one else 0,
        "gpu_model": section.gpu_model if is_one and need.gpus else None,
        **(one_node if is_one else several_nodes),
        "slurm_partition": section.partition,
        "constraint": section.constraint,
        "qos": section.qos,
        "slurm_extra": shlex.join(_options(need)) or None,
    }


def _options(need: Need) -> list[str]:
    """Options of sbatch that are no resources of the plugin."""
    options = sbatch_options.words(need.section.extra or [])
    if need.nodes > 1:
        options.append(f"--ntasks-per-node={need.processes}")
        if need.gpus:
            model = f"{need.section.gpu_model}:" if need.section.gpu_model else ""
            options.append(f"--gpus-per-node={model}{need.gpus}")
    return options


NAMES = tuple(request(Need(PrepareResources(), cpus=1, gpus=0), attempt=1))


class Requests:
    """The ``threads`` and ``resources`` of a rule, as functions of the job."""

    def __init__(self, need: Callable[[Any], Need], defaults: Mapping[str, Default]):
        """``need`` tells the need of a job by its wildcards, ``defaults`` are the profile's default-resources."""
        self._need, self._defaults = need, defaults
        self.resources = {name: partial(self._value, name) for name in NAMES}

    def threads(self, wildcards: Any) -> int:
        """CPU cores, of one node."""
        return self._need(wildcards).cpus

    def _value(self, name: str, wildcards: Any, attempt: int, **of_job: Any) -> Value:
        """What the job says itself, else what the profile says of every job: a rule's own resource hides that."""
        need = self._need(wildcards).settled_for(name, of_job.get("input", ()))
        own = request(need, attempt)[name]
        default = self._defaults.get(name)
        of_all = default.evaluate(wildcards, attempt=attempt, **of_job).value if default is not None else None
        if name == "slurm_extra":
            return " ".join(options for options in (of_all, own) if options) or None
        return of_all if own is None else own


def times_attempt(value: int) -> Callable[[Any, int], int]:
    """Memory or time of a step that needs little: a retry gets more of it too."""
    return lambda wildcards, attempt: value * attempt
