"""DeepSpeed's ZeRO: processes that share out the optimizer's state and gradients, in stage 3 the weights as well."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.strategies import DeepSpeedStrategy
from pytorch_lightning.strategies.strategy import Strategy
from torch import Tensor, nn
from torch.optim import Optimizer

from snaketorch.config.specs import TrainSpec
from snaketorch.config.trainer import Zero
from snaketorch.tasks.base import TaskModule
from snaketorch.tasks.peers import Peers
from snaketorch.training.strategies.parts import put_whole, whole_state

BUCKET = 200_000_000
"""Elements of the largest message, as Lightning has it."""
KEPT_WHOLE = 100_000
"""Elements of the largest weight that stage 3 leaves whole in each process, as DeepSpeed has it."""


class SharedOut(DeepSpeedStrategy):
    """Trains through DeepSpeed's engine, in float32 weights.

    A checkpoint is one file here too: whole weights, and beside them the optimizer's state as each process has it,
    which the first collects. DeepSpeed's own are folders.
    """

    def __init__(self, peers: Peers, config: dict[str, Any]):
        super().__init__(config=config)
        self._config_initialized = True  # Lightning would add to it: halved weights, accumulation of its own
        self.peers = peers

    def setup_environment(self) -> None:
        # that of Lightning's is for GPUs alone
        super(DeepSpeedStrategy, self).setup_environment()

    def setup_distributed(self) -> None:
        import deepspeed

        self.set_world_ranks()
        os.environ["LOCAL_RANK"] = str(self.local_rank)  # it is looked for
        if self.root_device.type == "cpu":
            # it would be compiled for some minutes, and is only quicker
            deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        deepspeed.init_distributed("gloo" if self.root_device.type == "cpu" else "nccl", dist_init_required=False)

    def setup(self, trainer: Trainer) -> None:
        if self.precision_plugin.precision == "bf16-mixed":  # its engine turns off what Lightning turns on
            self.config["torch_autocast"] = {"enabled": True, "dtype": "bfloat16"}
        super().setup(trainer)

    def _setup_model_and_optimizer(
        self, model: nn.Module, optimizer: Optimizer | None, lr_scheduler: Any = None
    ) -> tuple[Any, Any]:
        import deepspeed

        # that of Lightning's tells the number of a GPU, which a CPU has not
        engine, shared, *_ = deepspeed.initialize(
            model=model, optimizer=optimizer, lr_scheduler=lr_scheduler, config=self.config, dist_init_required=False
        )
        return engine, shared

    @property
    def handles_gradient_accumulation(self) -> bool:
        return False

    def block_backward_sync(self) -> AbstractContextManager[None]:
        return nullcontext()  # ``backward`` says which batches make a step

    def backward(self, closure_loss: Tensor, optimizer: Optimizer | None, *args: Any, **kwargs: Any) -> Tensor:
        self.pre_backward(closure_loss)
        loss = self.precision_plugin.pre_backward(closure_loss, self.lightning_module)
        # without an optimizer it is a part of a batch, and more follow
        is_last = optimizer is not None and not self.lightning_module.trainer.fit_loop._should_accumulate()
        self.deepspeed_engine.set_gradient_accumulation_boundary(is_last)
        self.deepspeed_engine.backward(loss)
        if optimizer is None:
            # as it does itself where the engine is called; else it would take the next part's gradients for all
            self.optimizers[0].clear_backward_seen_flag()
        loss = self.precision_plugin.post_backward(loss, self.lightning_module)
        self.post_backward(loss)
        return loss

    def optimizer_step(
        self, optimizer: Optimizer, closure: Callable[[], Any], model: LightningModule | None = None, **kwargs: Any
    ) -> Any:
        result = self.precision_plugin._wrap_closure(model or self.lightning_module, optimizer, closure)
        self.deepspeed_engine.step()
        return result

    def save_checkpoint(self, checkpoint: dict[str, Any], filepath: str | Path, storage_options: Any = None) -> None:
        Strategy.save_checkpoint(self, checkpoint, filepath, storage_options)

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        return torch.load(checkpoint_path, map_location="cpu", weights_only=True, mmap=True)

    def lightning_module_state_dict(self) -> dict[str, Any]:
        return whole_state(self.lightning_module, keeps=self.is_global_zero)

    def load_model_state_dict(self, checkpoint: dict[str, Any], strict: bool = True) -> None:
        put_whole(self.lightning_module, checkpoint["state_dict"])
        self.optimizers[0].refresh_fp32_params()  # it has copies of its part of them

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        inner = self.optimizers[0].optimizer
        groups = [{name: value for name, value in group.items() if name != "params"} for group in inner.param_groups]
        states = [
            {
                name: self.peers.at_first(value.cpu()) if isinstance(value, Tensor) else value
                for name, value in inner.state[part].items()
            }
            for part in self._own_parts()
        ]
        return {"groups": groups, "states_of_processes": states} if self.is_global_zero else {}

    def load_optimizer_state_dict(self, checkpoint: dict[str, Any]) -> None:
        inner = self.optimizers[0].optimizer
        (saved,) = checkpoint["optimizer_states"]
        for group, values in zip(inner.param_groups, saved["groups"], strict=True):
            group.update(values)
        for part, state in zip(self._own_parts(), saved["states_of_processes"], strict=True):
            inner.state[part] = {name: self._own(value, part) for name, value in state.items()}

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True

    def _own_parts(self) -> list[Tensor]:
        """The weights that this process updates, those of a group in one tensor."""
        zero = self.optimizers[0]
        return zero.fp32_partitioned_groups_flat if self.zero_stage_3 else zero.single_partition_of_fp32_groups

    def _own(self, value: Any, part: Tensor) -> Any:
        if not isinstance(value, Tensor):
            return value
        own = value[self.peers.rank].clone()
        return own.to(part.device) if own.ndim else own  # the count of steps stays on the host


def shared_out(spec: TrainSpec, task: TaskModule, learnable: list[nn.Parameter]) -> SharedOut:
    """DeepSpeed's strategy as ``spec`` asks for it."""
    trainer, options = spec.trainer, spec.trainer.deepspeed or Zero()
    if trainer.accelerator == "cpu" or not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # asked for as it is imported
    bucket = min(BUCKET, sum(weight.numel() for weight in learnable))  # it takes the room of all of it in each step
    zero: dict[str, Any] = {
        "stage": options.stage,
        "reduce_bucket_size": bucket,
        "allgather_bucket_size": bucket,
        "stage3_param_persistence_threshold": KEPT_WHOLE,
    }
    if options.offload_optimizer:
        zero["offload_optimizer"] = {"device": "cpu"}
    config = {
        "train_micro_batch_size_per_gpu": spec.data_loader.batch_size,
        "gradient_accumulation_steps": 1,  # ``backward`` tells it where a step ends
        "gradient_clipping": trainer.gradient_clip_val or 0.0,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,  # that has to be compiled
        "zero_optimization": zero,
    }
    return SharedOut(task.peers, config)
