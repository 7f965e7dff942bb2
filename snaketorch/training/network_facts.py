"""What a network is made of, and what a sample costs it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from snaketorch.data.loading.samples import Batch
from snaketorch.tasks.base import TaskModule


def network_facts(task: TaskModule, batch: Batch, learnable: Iterable[nn.Parameter]) -> dict[str, Any]:
    """Counts of weights and operations, for the record; the network, and torch's random state, stay as they are.

    ``flops`` are of one sample's prediction: two for each multiplication with an addition, as torch's counter has it,
    none for what is not a product of matrices or a convolution. ``layers`` are the modules with weights of their own.

    Args:
        task: With its network, on any device.
        batch: One training batch; its first sample is predicted.
        learnable: The weights that learn at some time, those that are frozen at first included.
    """
    network = task.network
    shapes: dict[str, list[int]] = {}

    def remember(name: str):
        def hook(layer: nn.Module, inputs: Any, output: Any) -> None:
            shapes.setdefault(name, _shape(output))

        return hook

    hooks = [layer.register_forward_hook(remember(name)) for name, layer in network.named_modules()]
    counter = FlopCounterMode(display=False, custom_mapping=RECURRENT)
    try:
        with counter:
            predict_one(task, batch)
    finally:
        for hook in hooks:
            hook.remove()
    # the counter names a layer from the outermost module that is called: the task, or its network
    counts: dict[str, int] = {}
    for place, found in counter.get_flop_counts().items():
        name = place.removeprefix(f"{type(task).__name__}.network").removeprefix(type(network).__name__)
        counts[name.removeprefix(".")] = sum(found.values())
    return {
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "trainable_parameters": sum(weight.numel() for weight in learnable),
        "flops": counter.get_total_flops(),
        "layers": [
            {
                "name": name,
                "type": type(layer).__name__,
                "parameters": own,
                "output": shapes.get(name),
                "flops": counts.get(name, 0),
            }
            for name, layer in network.named_modules()
            if (own := sum(weight.numel() for weight in layer.parameters(recurse=False)))
        ],
    }


def predict_one(task: TaskModule, batch: Batch) -> None:
    """Predicts the first sample of ``batch``, for what watches the layers; the network and draws stay as they are."""
    sample = {name: value[:1].to(task.device) for name, value in batch.items()}
    with _as_in_evaluation(task):
        task.predict(sample)


@contextmanager
def _as_in_evaluation(task: TaskModule) -> Iterator[None]:
    """Gradients stay on: without them torch's fused inference kernels hide what they compute."""
    devices = [task.device] if task.device.type == "cuda" else []
    training = {module: module.training for module in task.modules()}
    task.eval()
    try:
        with torch.random.fork_rng(devices=devices), torch.enable_grad():
            yield
    finally:
        for module, mode in training.items():
            module.training = mode


def _shape(output: Any) -> list[int] | None:
    """Of the first tensor that a layer gives, without the dimension of the batch."""
    while isinstance(output, tuple | list) and output:
        output = output[0]
    return list(output.shape[1:]) if isinstance(output, Tensor) else None


def _fused_recurrent_flops(inputs, weights, *rest, out_shape=None, **options) -> int:
    """Of a fused recurrent layer: at each step the products of input and state with their matrices.

    ``inputs``: shape (T, B, F); ``weights``: the shape of the first matrix, that of the second comes next, or a list.
    """
    matrices = weights if isinstance(weights[0], list | tuple | torch.Size) else [weights, rest[0]]
    products = sum(shape[0] * shape[1] for shape in matrices if len(shape) == 2)
    return 2 * inputs[0] * inputs[1] * products


RECURRENT = {
    torch.ops.aten.mkldnn_rnn_layer: _fused_recurrent_flops,
    torch.ops.aten._cudnn_rnn: _fused_recurrent_flops,
}
