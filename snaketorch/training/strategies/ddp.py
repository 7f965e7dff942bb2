"""Data parallelism: each process has the whole network and a part of each batch, and gradients are averaged."""

from typing import Any

from pytorch_lightning.strategies import DDPStrategy
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from snaketorch.config.specs import TrainSpec
from snaketorch.config.transfer import GradualUnfreezing
from snaketorch.tasks.base import TaskModule


class SameBuckets(DistributedDataParallel):
    """Sends gradients in the same buckets in every step, those of the last layers first.

    torch would make other buckets of them after the first step. More than two processes add up numbers in an order
    that depends on their places in a bucket, so a training that goes on would round otherwise than one that was never
    interrupted.
    """

    def __init__(self, module: nn.Module, **options: Any):
        super().__init__(module, **options)
        if not self.find_unused_parameters:  # with it they stay as they are
            self.reducer._push_all_rebuilt_params()
            self.reducer._rebuild_buckets()

    def _build_params_for_reducer(self) -> tuple[list[nn.Parameter], list[bool]]:
        weights, are_sparse = super()._build_params_for_reducer()
        return (weights, are_sparse) if self.find_unused_parameters else (weights[::-1], are_sparse[::-1])


class Ddp(DDPStrategy):
    """Data-parallel training of the weights that learn at some time; buffers are left to ``SameBuffers``."""

    def __init__(self, learnable: list[nn.Parameter], **options: Any):
        super().__init__(broadcast_buffers=False, gradient_as_bucket_view=True, **options)
        self.learnable = learnable

    def _setup_model(self, model: nn.Module) -> DistributedDataParallel:
        # it takes up those weights alone that learn now, and blocks may be unfrozen later
        learn_now = [weight.requires_grad for weight in self.learnable]
        for weight in self.learnable:
            weight.requires_grad_(True)
        wrapped = SameBuckets(model, device_ids=self.determine_ddp_device_ids(), **self._ddp_kwargs)
        for weight, learns in zip(self.learnable, learn_now, strict=True):
            weight.requires_grad_(learns)
        return wrapped


def ddp(spec: TrainSpec, task: TaskModule, learnable: list[nn.Parameter]) -> Ddp:
    """Data parallelism as ``spec`` asks for it.

    Which weights get gradients is looked up in each step only where some may get none: where two networks take turns,
    where blocks are unfrozen, and in networks of the user's own. torch's static graph would save nothing elsewhere, it
    fails where several batches make a step, and where a batch is computed in parts its processes drift apart unsaid.
    """
    some_idle = (
        not task.automatic_optimization
        or isinstance(spec.transfer, GradualUnfreezing)
        or hasattr(spec.model, "class_path")
    )
    return Ddp(learnable, find_unused_parameters=some_idle)
