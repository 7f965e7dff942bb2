"""The kinds of failures: which are worth another attempt, and what a person can do about each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One way for a job to fail."""

    name: str
    retried: bool
    """Whether another attempt may end better. A bug or a wrong key is met again by every attempt."""
    what: str
    """What happened, in a few words."""
    advice: str
    """What to do; empty where the message of the failure itself says it."""


_KINDS = (
    Kind(
        "cuda_out_of_memory",
        True,
        "the GPU's memory is full",
        "look for other processes on the GPU (nvidia-smi); else a smaller model or data_loader.batch_size, "
        "trainer.precision: bf16-mixed, trainer.gradient_checkpointing: true, or a GPU with more memory",
    ),
    Kind(
        "host_memory",
        True,
        "the host's memory is full",
        "raise resources.memory_gb (each retry asks for more), run fewer jobs side by side, or close other programs",
    ),
    Kind("non_finite_loss", False, "the loss is not a number", ""),
    Kind(
        "disk_full",
        True,
        "the disk is full",
        "free some space (`du -xsh results/* state/*` shows what the study takes), or have the quota raised; "
        "then start snakemake again: nothing that was finished is lost",
    ),
    Kind("data_error", False, "the data cannot be used", ""),
    Kind("bad_configuration", False, "something is set wrongly", ""),
    Kind(
        "timeout",
        True,
        "the time was over",
        "start snakemake again, a training goes on from its last checkpoint; or raise resources.hours",
    ),
    Kind("interrupted", True, "the job was told to end", "start snakemake again when you like"),
    Kind(
        "lost_peer",
        True,
        "the connection to another process or machine broke",
        "look at what happened to the other one (its log, its machine); start snakemake again",
    ),
    Kind(
        "device_error",
        True,
        "the GPU failed",
        "look at the GPU's health (`nvidia-smi -q -d ECC`, `dmesg | grep Xid`) and leave its machine out if it is "
        "broken; start snakemake again",
    ),
    Kind(
        "input_output",
        True,
        "a file could not be read or written",
        "look at whether the file and its disk or network share are there; start snakemake again",
    ),
    Kind("in_use", True, "another process works on the same", ""),
    Kind(
        "killed",
        True,
        "the job was killed, or crashed",
        "start snakemake again, a training goes on from its last checkpoint; if it happens again and nobody killed it, "
        "raise resources.memory_gb",
    ),
    Kind("bug", False, "a bug", "see the log; it was not tried again, since every attempt would meet it"),
)

KINDS = {kind.name: kind for kind in _KINDS}
