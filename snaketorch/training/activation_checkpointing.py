"""Less memory for activations: they are computed again when gradients need them (arXiv 1604.06174)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from snaketorch.errors import UserError
from snaketorch.models.blocks import blocks_of


def recompute_activations(network: nn.Module, run: Callable[[], object]) -> None:
    """Keeps only what goes into each block of ``network``; the same results, for about a third more time.

    The head, which is small, is left as it is. Random draws of a block, such as dropout, are repeated as they were,
    and batch normalisation counts a batch once.

    Args:
        network: Its blocks are changed in place.
        run: Calls the network once, to see which of its blocks are called.

    Raises:
        UserError: None of them is, so nothing would be computed again.
    """
    called = called_parts(blocks_of(network)[:-1], run)
    if not called:
        raise UserError(
            f"trainer.gradient_checkpointing: the forward of {type(network).__name__} calls no part of it before a "
            "`head`, so there is nothing to compute again; allowed: false, or a network of such parts"
        )
    for block in called:
        contexts = partial(_contexts, block)
        block.forward = partial(checkpoint, block.forward, use_reentrant=False, context_fn=contexts)


def called_parts(blocks: list[nn.Module], run: Callable[[], object]) -> list[nn.Module]:
    """Those of ``blocks`` that are called when ``run`` calls the network."""
    seen: set[nn.Module] = set()
    hooks = [block.register_forward_pre_hook(lambda block, _: seen.add(block)) for block in blocks]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return [block for block in blocks if block in seen]


def _contexts(block: nn.Module):
    """What the first and the second computation run in."""
    return nullcontext(), _running_statistics_kept(block)


@contextmanager
def _running_statistics_kept(block: nn.Module) -> Iterator[None]:
    norms = [layer for layer in block.modules() if getattr(layer, "track_running_stats", False)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        norm.num_batches_tracked -= 1
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
