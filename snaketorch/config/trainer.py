"""How training runs: Lightning's `Trainer` keys by their own names, stopping, and the choice of weights."""

from typing import Annotated, Literal

from pydantic import Field

from snaketorch.config.base import Positive, Section


class Trainer(Section):
    """Keys of Lightning's `Trainer`, by their own names; `auto` is explained at each."""

    max_epochs: Positive
    """Passes over the training data, at most."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """`auto` takes a GPU when there is one."""
    devices: Annotated[int, Field(ge=1, le=1)] = 1
    """Devices in each node. This version trains on one."""
    num_nodes: Annotated[int, Field(ge=1, le=1)] = 1
    """Nodes. This version trains on one."""
    strategy: Literal["auto"] = "auto"
    """How devices share the work."""
    precision: Literal["auto", "64-true", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    """`auto`: what the device does well, found by a short probe and recorded."""
    gradient_clip_val: Annotated[float, Field(gt=0)] | None = None
    """Largest gradient norm (or value, see the next key); no clipping when absent."""
    gradient_clip_algorithm: Literal["norm", "value"] = "norm"
    """What `gradient_clip_val` bounds."""
    accumulate_grad_batches: Positive = 1
    """Batches whose gradients make one optimizer step."""
    check_val_every_n_epoch: Positive = 1
    """Epochs from one validation to the next."""
    log_every_n_steps: Positive = 50
    """Optimizer steps between two logged training losses; epochs are always logged."""
    deterministic: bool = True
    """Two runs with one seed on one machine give equal bits."""


class EarlyStopping(Section):
    """End training when a metric stops improving."""

    monitor: str = "val/loss"
    """Metric that must improve."""
    patience: Positive = 5
    """Validations without improvement before the end."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """Smallest change that counts as an improvement."""


class Checkpoint(Section):
    """Which weights are the trained model."""

    save: Literal["best", "last"] = "best"
    """Those of the best validation, or those of the end."""
    monitor: str | None = None
    """Metric that decides what is best; the task's own when absent."""


class DataLoader(Section):
    """How samples become batches."""

    batch_size: Positive = 64
    """Samples in each training step and device."""
    drop_last: bool = False
    """Leave out the last batch of an epoch when it is smaller."""
    placement: Literal["auto", "device", "host", "memory_map"] = "auto"
    """Where the samples lie in training: in the device's memory, in the host's (pinned for a GPU), or on disk, read in
    blocks. `auto` takes the first of these that has room."""
    memory_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the free memory of the device, and of the host, that samples may take."""


class Resources(Section):
    """What one training job needs; becomes Snakemake's resources and, on a cluster, the job's request."""

    gpus: Annotated[int, Field(ge=0, le=1)] = 0
    """GPUs. 0 does not forbid one: `trainer.accelerator: auto` takes what the job sees."""
    cpus: Positive = 1
    """CPU cores."""
    memory_gb: Annotated[float, Field(gt=0)] = 4.0
    """Host memory in GiB, of the first attempt."""
    hours: Annotated[float, Field(gt=0, le=720)] = 1.0
    """Wall time, of the first attempt."""
