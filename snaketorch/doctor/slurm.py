"""What Slurm says of itself: version, partitions, GPUs by its names for them, and the user's accounts."""

import getpass
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from snaketorch.doctor.finding import Finding, fail, ok, warn
from snaketorch.doctor.programs import ask

OLDEST = (20, 11)
"""The first version whose `srun --overlap` the plugin and the launcher use."""
_GPU = re.compile(r"(?:^|,)gpu(?::([\w.-]+))?:(\d+)(?=[(,]|$)")
_TIME = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)")


@dataclass
class Partition:
    """A set of nodes, and what a job may ask of one of them."""

    name: str
    is_default: bool
    is_up: bool
    minutes: int | None
    """Longest time of a job; None when there is no limit."""
    nodes: int = 0
    cpus: int = 0
    memory_mb: int = 0
    gpus: int = 0
    """In the node that has most."""
    gpu_models: dict[str, None] = field(default_factory=dict)
    """As Slurm names them, in the order met; empty where it gives them no names."""

    def __str__(self) -> str:
        models = f" ({', '.join(self.gpu_models)})" if self.gpu_models else ""
        gpus = f", {self.gpus} GPUs{models}" if self.gpus else ""
        limit = "no time limit" if self.minutes is None else in_words(self.minutes)
        mark, down = "*" if self.is_default else "", "" if self.is_up else ", not up"
        each = f"{self.cpus} CPUs, {self.memory_mb / 1024:.0f} GiB{gpus}"
        return f"{self.name}{mark} ({self.nodes} nodes with up to {each}; {limit}{down})"


@dataclass
class Cluster:
    """What there is for this user."""

    partitions: Sequence[Partition] = ()
    accounts: Sequence[str] = ()
    """The default one first."""


def look_at_slurm(cluster: Cluster) -> Iterator[Finding]:
    """Findings about Slurm; what a profile needs is put into ``cluster``."""
    version = ask("sinfo", "--version")
    if version is None:
        yield ok("Slurm", "not installed here: nothing to look at")
        return
    if version.code:
        advice = "nothing to do on a workstation; on a cluster's login node tell who runs it"
        yield warn("Slurm", f"sinfo fails: {version.why}", advice)
        return
    yield _version(version.text.strip())
    answer = ask("sinfo", "--noheader", "--exact", "-o", "%P|%a|%l|%D|%c|%m|%G")
    if answer is None or answer.code:
        advice = "nothing can be submitted from here: try again, or from a login node (is slurmctld running?)"
        yield warn("partitions", f"sinfo fails: {answer.why if answer else 'gone'}", advice)
        return
    cluster.partitions = partitions_of(answer.text)
    yield _partitions(cluster.partitions)
    yield _gpus(cluster.partitions)
    yield from _accounts(cluster)
    yield _status_command()


def partitions_of(text: str) -> list[Partition]:
    """The partitions that sinfo lists, one line for each kind of node."""
    found: dict[str, Partition] = {}
    for line in text.splitlines():
        words = line.strip().split("|")
        if len(words) != 7:
            continue
        name, state, limit, nodes, cpus, memory, gres = words
        plain = name.removesuffix("*")
        partition = found.setdefault(plain, Partition(plain, name.endswith("*"), state == "up", _minutes(limit)))
        partition.nodes += _number(nodes)
        partition.cpus = max(partition.cpus, _number(cpus))
        partition.memory_mb = max(partition.memory_mb, _number(memory))
        models = _GPU.findall(gres)
        partition.gpus = max(partition.gpus, sum(int(count) for _, count in models))
        partition.gpu_models |= {model: None for model, _ in models if model}
    return list(found.values())


def in_words(minutes: int) -> str:
    """A time limit for people."""
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _version(text: str) -> Finding:
    numbers = tuple(map(int, re.findall(r"\d+", text)[:2]))
    if numbers < OLDEST:
        needed = ".".join(map(str, OLDEST))
        return fail("Slurm", f"{text}; needed: {needed} or newer", "ask for a newer one; `srun --overlap` is missing")
    return ok("Slurm", text)


def _partitions(partitions: Sequence[Partition]) -> Finding:
    if not any(partition.is_up for partition in partitions):
        found = "; ".join(map(str, partitions)) or "none"
        return fail("partitions", found, "there is no partition that takes jobs: ask who runs the cluster")
    return ok("partitions", "; ".join(map(str, partitions)))


def _gpus(partitions: Sequence[Partition]) -> Finding:
    having = [partition for partition in partitions if partition.gpus]
    if not having:
        return warn("GPUs", "Slurm knows of none", "jobs with `resources.gpus` would be refused or wait for ever")
    models = ", ".join(dict.fromkeys(model for partition in having for model in partition.gpu_models))
    where = ", ".join(partition.name for partition in having)
    return ok("GPUs", f"in {where}; " + (f"`resources.gpu_model`: {models}" if models else "Slurm gives them no names"))


def _accounts(cluster: Cluster) -> Iterator[Finding]:
    user = getpass.getuser()
    answer = ask("sacctmgr", "-nP", "show", "associations", f"user={user}", "format=account")
    if answer is None or answer.code:
        found = f"sacctmgr fails: {answer.why}" if answer else "there is no sacctmgr"
        yield warn("accounts", found, "set `slurm_account` if sbatch asks for one, else `slurm-no-account: true`")
        return
    default = ask("sacctmgr", "-nP", "show", "user", user, "format=defaultaccount")
    first = default.text.split() if default and not default.code else []
    cluster.accounts = list(dict.fromkeys([*first[:1], *answer.text.split()]))
    if not cluster.accounts:
        advice = "where accounts are enforced sbatch refuses every job: ask who runs the cluster for one"
        yield warn("accounts", f"none for {user}", advice)
    else:
        yield ok("accounts", ", ".join(cluster.accounts))


def _status_command() -> Finding:
    answer = ask("sacct", "--noheader", "-X", "--starttime", "now")
    if answer is None or answer.code or "disabled" in answer.error:
        why = answer.why if answer else "there is none"
        return warn("sacct", why, "put `slurm-status-command: squeue` into profiles/slurm/config.yaml")
    return ok("sacct", "answers")


def _minutes(limit: str) -> int | None:
    found = _TIME.fullmatch(limit)
    if found is None:  # infinite, n/a
        return None
    days, hours, minutes, _ = (int(part or 0) for part in found.groups())
    return days * 1440 + hours * 60 + minutes


def _number(text: str) -> int:
    found = re.match(r"\d+", text)  # "64+": at least
    return int(found[0]) if found else 0
