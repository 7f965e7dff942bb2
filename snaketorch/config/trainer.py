"""How training runs: Lightning's `Trainer` keys by their own names, stopping, and the choice of weights."""

from typing import Annotated, Literal

from pydantic import Field

from snaketorch.config.base import Positive, Section


class Zero(Section):
    """What `deepspeed` shares out, and where it keeps it."""

    stage: Literal[2, 3] = 2
    """2: the optimizer's state and the gradients, and each device has all of the weights. 3: the weights as well."""
    offload_optimizer: bool = False
    """Keep the optimizer's state in the host's memory, and make its steps there: room for larger networks, slower
    steps."""


class Trainer(Section):
    """Keys of Lightning's `Trainer` by their own names; ours are `on_non_finite_loss` and the last three."""

    max_epochs: Positive
    """Passes over the training data, at most."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """`auto` takes a GPU when there is one."""
    devices: Annotated[int, Field(gt=0, le=1024)] = 1
    """Devices in each node, each with a process of its own: GPUs, or on the CPU processes that share its cores. A step
    is of `data_loader.batch_size` x `devices` x `num_nodes` samples, so that more devices make its batch larger; those
    that split layers (see `strategy`) count as one there."""
    num_nodes: Annotated[int, Field(gt=0, le=10_000)] = 1
    """Nodes, each with `devices`."""
    strategy: Literal["auto", "ddp", "fsdp", "tensor_parallel", "fsdp_tensor_parallel", "deepspeed"] = "auto"
    """How several devices share the work. `ddp`: each has the whole network and a part of each batch, and their
    gradients are averaged. `auto`: `ddp`. For networks that are too large for one device: `fsdp` does the same, but
    each keeps a part of the weights, gradients and optimizer's state, and fetches a block when it is its turn;
    `tensor_parallel` splits the layers of a transformer or MLP instead, and all work on the same samples, for devices
    with quick links between them; `fsdp_tensor_parallel` does both: on one node with a `tensor_parallel_size`.
    `deepspeed`: ZeRO, by the package of that name (see the key `deepspeed`). One device has nothing to share."""
    tensor_parallel_size: Positive | None = None
    """Devices that split each layer under `fsdp_tensor_parallel`, among all; `devices` when absent, so that layers are
    split within a node, and `fsdp` is between the nodes. On one node it must be said, and divide `devices` into two or
    more groups."""
    deepspeed: Zero | None = None
    """How `deepspeed` shares a training out; stage 2 when absent."""
    sync_batchnorm: bool = False
    """Batch normalisation over the samples of all devices, where each has few; else each device takes the statistics
    of its own samples, and those of the first are kept. Several GPUs and strategy `ddp` only; refused otherwise."""
    gradient_compression: Literal["none", "fp16", "bf16", "powersgd"] = "none"
    """How `ddp` makes the gradients smaller that devices send each other, where the network between them is slow.
    `fp16`, `bf16`: as numbers of 16 bits; `bf16` has the range of 32 bits, in `fp16` gradients above 65,504 overflow.
    `powersgd`: as products of matrices of rank 4, after the first tenth of the steps; what a step does not send is
    added to the next (arXiv 1905.13727), and kept in checkpoints for each device. Refused for one device,
    which sends nothing."""
    precision: Literal["auto", "64-true", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    """`auto`: what the device does well, found by a short probe and recorded. `16-mixed` is for GPUs."""
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
    on_non_finite_loss: Literal["stop", "skip", "restore"] = "stop"
    """When a loss of the training is infinite or not a number: `stop`, and say where it came from; `skip` the step, so
    that it changes nothing, also when a gradient is not finite (it still stops after more than 10 in a row, or more
    than 10 and 1 % of an epoch's steps); `restore` weights, optimizer and averages as they were after the last epoch
    and go on with the data that follow (it still stops after 3 times without an epoch between). The last two make a GPU
    wait for each step; `stop` looks every `log_every_n_steps`, and before each checkpoint."""
    deterministic: bool = True
    """Two runs with one seed on one machine give equal bits."""
    memory_format: Literal["auto", "contiguous", "channels_last"] = "auto"
    """How images lie in memory; `channels_last` often suits convolutions on a GPU. `auto`: what the probe of
    `precision: auto` finds faster, and `contiguous` where a precision is asked for."""
    compile: bool = False
    """Compile the network with `torch.compile`: slow first steps, then often faster ones on a GPU."""
    gradient_checkpointing: bool = False
    """Compute activations again for the gradients instead of keeping them: less memory, about a third more time."""

    @property
    def processes(self) -> int:
        """Processes that train together, one a device."""
        return self.devices * self.num_nodes

    @property
    def strategy_in_use(self) -> str | None:
        """How several processes share the work; None where there is one."""
        if self.processes == 1:
            return None
        return "ddp" if self.strategy == "auto" else self.strategy

    @property
    def processes_of_a_layer(self) -> int:
        """Processes that split each layer, and so work on the same samples."""
        match self.strategy:
            case "tensor_parallel":
                return self.processes
            case "fsdp_tensor_parallel":
                return self.tensor_parallel_size or self.devices
            case _:
                return 1

    @property
    def keeps_parts(self) -> bool:
        """Whether several processes each have a part of the weights, or of what trains them."""
        return self.processes > 1 and self.strategy not in ("auto", "ddp")


class EarlyStopping(Section):
    """End training when a metric stops improving."""

    monitor: str = "val/loss"
    """Metric that must improve."""
    patience: Positive = 5
    """Validations without improvement before the end."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """Smallest change that counts as an improvement."""


class KeptWeights(Section):
    """Which weights are the trained model."""

    save: Literal["best", "last"] = "best"
    """Those of the best validation, or those of the end."""
    monitor: str | None = None
    """Metric that decides what is best; the task's own when absent."""


class Checkpoint(KeptWeights):
    """Which weights are the trained model, and how often a training saves its state.

    A training that is killed goes on from its last checkpoint. How often there is one changes no result, so an edit of
    it trains nothing anew. Checkpoints never take more than 5 % of the time: where one takes long there are fewer.
    """

    every_n_epochs: Positive = 1
    """Epochs from one checkpoint to the next."""
    every_n_minutes: Annotated[float, Field(gt=0, le=1440)] = 1.0
    """Minutes from one checkpoint to the next, inside an epoch too."""


class DataLoader(Section):
    """How samples become batches."""

    batch_size: Positive = 64
    """Samples in each training step and device."""
    drop_last: bool = False
    """Leave out the last batch of an epoch when it is smaller. Without it a last batch of a single sample joins the
    batch before it."""
    placement: Literal["auto", "device", "host", "memory_map"] = "auto"
    """Where the samples lie in training: in the device's memory, in the host's, from where a thread brings pinned
    batches to a GPU, or on disk, read in blocks. `auto` takes the first of these that has room."""
    memory_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the free memory of the device, and of the host, that samples may take."""
