"""What each of several devices holds of a network that they train together."""

from dataclasses import dataclass

from snaketorch.config.specs import TrainSpec

MIB = 2**20
NCCL, NCCL_AT_MOST = 256 * MIB, 1024 * MIB
"""Buffers of the library that devices talk by; they grow with the number of devices and of groups."""
GATHERED = 2
"""Blocks of an `fsdp` network whose weights are together: the one that computes, and the next one, which comes."""


@dataclass(frozen=True)
class Shares:
    """Bytes on one device."""

    parameters: int
    gradients: int
    optimizer: int
    talk: int = 0
    """Buffers that are there because there are others."""
    talk_at_most: int = 0

    @property
    def whole(self) -> int:
        """Weights, gradients, and what the optimizer keeps of them."""
        return self.parameters + self.gradients + self.optimizer


def shares_of(spec: TrainSpec, whole: Shares, largest_block: int) -> Shares:
    """The part of one device under the strategy of ``spec``.

    Args:
        spec: The training.
        whole: What one device alone would hold.
        largest_block: Bytes of the weights of the network's largest block.
    """
    trainer = spec.trainer
    if trainer.strategy_in_use is None:
        return whole
    parameters, gradients, optimizer, gathered = whole.parameters, whole.gradients, whole.optimizer, 0
    match trainer.strategy_in_use:
        case "fsdp" | "tensor_parallel" | "fsdp_tensor_parallel":
            parameters, gradients, optimizer = (
                -(-size // trainer.processes) for size in (parameters, gradients, optimizer)
            )
            # a block's weights, and at their end its gradients before each device takes its part
            gathered = 2 * GATHERED * largest_block if trainer.strategy_in_use != "tensor_parallel" else 0
        case "deepspeed":
            zero = trainer.deepspeed
            gradients, optimizer = -(-gradients // trainer.processes), -(-optimizer // trainer.processes)
            if zero and zero.stage == 3:
                parameters, gathered = -(-parameters // trainer.processes), 2 * GATHERED * largest_block
            if zero and zero.offload_optimizer:
                optimizer = 0
    return Shares(parameters, gradients, optimizer, NCCL + gathered, NCCL_AT_MOST + gathered + gradients)
