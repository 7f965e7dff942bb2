"""Memory of one device, from what a traced training allocates."""

from dataclasses import dataclass

from snaketorch.config.specs import TrainSpec
from snaketorch.planning.allocator import CachingAllocator
from snaketorch.planning.rnn_reserve import MARGIN as RESERVE_MARGIN
from snaketorch.planning.sharing import Shares, shares_of
from snaketorch.planning.trace import Trace
from snaketorch.planning.workspaces import cublas_bytes

MIB = 2**20
CONTEXT, CONTEXT_AT_MOST = 450 * MIB, 750 * MIB
"""Of CUDA on one device with the kernels that torch, cuDNN and cuBLAS load; more on newer architectures."""
TENSOR_MARGIN = 0.05
"""Of what tensors take, for the safe bound: operations that the trace does not see from inside, longer batches."""
FIXED_MARGIN = 64 * MIB
SCRATCH_MARGIN = 1.25
"""Factor of workspaces, for the safe bound. It can be small: where there is no room for the workspace of the algorithm
that cuDNN likes best, torch takes the next one."""


@dataclass(frozen=True)
class Memory:
    """Bytes on one device."""

    parameters: int
    """Weights and buffers of everything that is trained or used by it."""
    gradients: int
    optimizer: int
    """State of the optimizers, and an average of the weights where there is one."""
    activations: int
    """Peak of everything else that a step holds, beside the three above, the batch included."""
    workspace: int
    """Of cuDNN and cuBLAS, the reserve of recurrent layers included."""
    context: int
    """The CUDA context with the libraries' kernels."""
    peak: int
    """Point estimate of the whole, as the device's driver counts it: the parts, and what the allocator rounds up and
    keeps free between its blocks."""
    upper_bound: int
    """A device with as much free memory does not run out."""
    data: int = 0
    """All samples, where they lie on the device."""


def memory_of(spec: TrainSpec, trace: Trace, on_gpu: bool, data: int) -> Memory:
    """A point estimate with its parts, and a safe bound.

    Args:
        spec: The training.
        trace: Of it, on one device.
        on_gpu: Whether the device is one.
        data: Bytes of all samples, which lie on the device where it has the room.
    """
    whole = Shares(trace.parameters, trace.gradients, trace.optimizer)
    own = shares_of(spec, whole, trace.largest_block)
    saved = whole.whole - own.whole
    if not on_gpu:
        peak = max(own.whole, trace.peak - saved)
        bound = round(peak * (1 + TENSOR_MARGIN)) + FIXED_MARGIN
        return Memory(*_static(own), max(0, peak - own.whole), workspace=0, context=0, peak=peak, upper_bound=bound)
    cublas, cublas_at_most = (
        cublas_bytes(spec.trainer.deterministic, at_most) if trace.has_products else 0 for at_most in (False, True)
    )
    point, safe = (_reserved(trace, factor) for factor in (1.0, SCRATCH_MARGIN))
    need = CONTEXT + cublas + point + own.talk - saved
    bound = (
        CONTEXT_AT_MOST
        + cublas_at_most
        + round(safe * (1 + TENSOR_MARGIN))
        + round(trace.reserve * RESERVE_MARGIN)
        + FIXED_MARGIN
        + own.talk_at_most
        - saved
    )
    # where this is false, a device without the room for both leaves the samples to the host
    placed = data if is_placed(spec, data, bound + data) else 0
    return Memory(
        *_static(own),
        activations=max(0, trace.peak - whole.whole - trace.reserve) + own.talk,
        workspace=cublas + trace.scratch + trace.reserve,
        context=CONTEXT,
        data=placed,
        peak=need + placed,
        upper_bound=bound + placed,
    )


def _static(own: Shares) -> tuple[int, int, int]:
    return own.parameters, own.gradients, own.optimizer


def _reserved(trace: Trace, scratch_factor: float) -> int:
    allocator = CachingAllocator()
    allocator.play(trace.events, scratch_factor)
    return allocator.reserved


def is_placed(spec: TrainSpec, data: int, free: int) -> bool:
    """Whether samples of ``data`` bytes lie on a device with ``free`` bytes for the training and them.

    `auto` puts them there where they take at most a share of what is free.
    """
    loader = spec.data_loader
    return data <= loader.memory_share * free if loader.placement == "auto" else loader.placement == "device"
