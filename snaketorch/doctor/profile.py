"""The lines that a site fills in at the top of ``profiles/slurm/config.yaml``, as its Slurm speaks of itself."""

import re
import textwrap
from collections.abc import Sequence

from snaketorch.doctor.slurm import Cluster, Partition, in_words

PARTITIONS = "profiles/slurm/partitions.yaml"
MEMORY_MB, MINUTES = 2048, 30  # as in profiles/slurm/config.yaml
SPECIAL = re.compile(r"debug|test|interactive|devel|visual|jupyter", re.IGNORECASE)
"""Partitions that are for other things than a study, by their names; the plugin would send every short job there."""


def proposed_profile(cluster: Cluster) -> str | None:
    """YAML for the profile; None where Slurm has no partition that takes jobs.

    Of several partitions the plugin chooses one for each job, by a file that says what each is for.
    """
    up = [partition for partition in cluster.partitions if partition.is_up]
    usable = [partition for partition in up if not SPECIAL.search(partition.name)] or up
    if not usable:
        return None
    lines = ["default-resources:"]
    if cluster.accounts:
        others = f"   # yours, too: {', '.join(cluster.accounts[1:])}" if cluster.accounts[1:] else ""
        lines.append(f"  slurm_account: {_text(cluster.accounts[0])}{others}")
    if len(usable) == 1:
        lines.append(f"  slurm_partition: {_text(usable[0].name)}   # {_limit(usable[0])}{_gpus(usable[0])}")
    lines += [f"  mem_mb: {MEMORY_MB}", f"  runtime: {MINUTES}"]
    if len(usable) == 1:
        return "\n".join(lines) + "\n"
    lines += [f"slurm-partition-config: {PARTITIONS}   # each job goes where it fits best", ""]
    left_out = [partition.name for partition in up if partition not in usable]
    heading = f"# {PARTITIONS}: take out what you may not use"
    heading += f"; left out, by its name: {', '.join(left_out)}" if left_out else ""
    return "\n".join([*lines, heading, "partitions:", *_file(usable)]) + "\n"


def _file(partitions: Sequence[Partition]) -> list[str]:
    lines = []
    for partition in partitions:
        models = ", ".join(map(_word, partition.gpu_models))
        limits = {
            "max_runtime": partition.minutes,
            "max_threads": partition.cpus,
            "max_mem_mb": partition.memory_mb,
            "max_nodes": partition.nodes,
            "max_gpu": partition.gpus,
            "available_gpu_models": f"[{models}]" if models else None,
        }
        given = [f"{name}: {limit}" for name, limit in limits.items() if limit]
        comment = f"   # {_limit(partition)}{', the default' if partition.is_default else ''}"
        lines += [f"  {_word(partition.name)}:{comment}", textwrap.indent("\n".join(given), "    ")]
    return lines


def _text(name: str) -> str:
    """As a default resource, which Snakemake reads as Python first: `all` is a function there, and `0815` a number."""
    return f"\"'{name}'\""


def _word(name: str) -> str:
    """As YAML, where `3090` without quotes is a number."""
    return f'"{name}"'


def _limit(partition: Partition) -> str:
    return "no time limit" if partition.minutes is None else f"up to {in_words(partition.minutes)}"


def _gpus(partition: Partition) -> str:
    if not partition.gpus:
        return ""
    models = f", `resources.gpu_model`: {', '.join(partition.gpu_models)}" if partition.gpu_models else ""
    return f", {partition.gpus} GPUs a node{models}"
