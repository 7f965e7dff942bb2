"""The user's own network.

An experiment names the class and its arguments::

    model:
      kind: custom
      class_path: my_lab.nets.Wide     # my_lab/nets.py, beside the folder `config/`
      init_args: {width: 512}

It is a ``torch.nn.Module``. Beside ``init_args`` it is given what its ``__init__`` has a parameter for:

- ``input_shape``: of one sample, a named tuple of ``snaketorch.models.shapes``: ``ImageShape`` (channels, height,
  width), ``SequenceShape`` (steps, features, ragged), ``TokensShape`` (steps, vocabulary_size, ragged) or ``RowShape``
- ``num_outputs``: how many values ``forward`` must give for each sample
- ``vocabulary_size``: of tokens
- ``numbers``, ``categories``: of a row, how many numbers there are, and how many values each category has
- ``each_step``: whether the task needs an output at every step, which then sees only the steps up to its own

``forward`` is called with a batch and gives logits or values (B, num_outputs), or (B, T, num_outputs) at each step:

- of images (B, C, H, W), normalised
- of sequences (B, T, F), normalised
- of tokens (B, T), int64
- of both also ``length`` (B,), int64, where samples have lengths of their own (``input_shape.ragged``): texts do, the
  windows of a language model do not; what is behind the end of a sample is 0
- of rows ``numbers`` (B, N), normalised, and ``categories`` (B, K), int64; None where a table has none of them

A module with an attribute ``head``, its last layers, and perhaps a method ``blocks()``, its parts from the input to the
head, can be trained part by part.

One with a method ``parallelize(mesh)`` can be trained with `strategy: tensor_parallel`. It is given a one-dimensional
``torch.distributed.device_mesh.DeviceMesh`` of the processes that are to compute each layer together, and calls
``torch.distributed.tensor.parallel.parallelize_module`` for those of its layers that they split. Every process calls it
with the same weights; the names and whole shapes of the weights stay as they are, and so does what ``forward`` gives.
"""

import inspect
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from snaketorch.class_path import check_arguments, find_class
from snaketorch.config.models import Custom
from snaketorch.errors import UserError
from snaketorch.models.shapes import RowShape, SequenceShape, Shape, TokensShape

BATCH = 2
"""Samples to try a network with."""

T = TypeVar("T")


def build(options: Custom, input_shape: Shape, num_outputs: int, each_step: bool = False) -> nn.Module:
    """The user's network, tried once with a batch of zeros.

    UserError when it is not there, is no module, cannot be made with its arguments, or gives something else.
    """
    path = options.class_path
    network_class = find_class(path, "model", UserError)
    if not (inspect.isclass(network_class) and issubclass(network_class, nn.Module)):
        raise UserError(f"model.class_path: {path} is no subclass of torch.nn.Module; allowed: such a class")
    known = {"input_shape": input_shape, "num_outputs": num_outputs, "each_step": each_step}
    if isinstance(input_shape, TokensShape):
        known["vocabulary_size"] = input_shape.vocabulary_size
    elif isinstance(input_shape, RowShape):
        known |= {"numbers": input_shape.numbers, "categories": input_shape.categories}
    wanted = inspect.signature(network_class).parameters
    arguments = {name: value for name, value in known.items() if name in wanted} | options.init_args
    check_arguments(network_class, path, arguments, "model", UserError)
    network = _attempt(path, "cannot be made", network_class, **arguments)
    wanted_shape = (BATCH, input_shape[0], num_outputs) if each_step else (BATCH, num_outputs)
    _check_output(path, network, _zeros(input_shape), wanted_shape)
    return network


def _zeros(shape: Shape) -> list[Tensor | None]:
    """What the network is called with, for a batch of zeros."""
    match shape:
        case RowShape(numbers, categories):
            return [
                torch.zeros(BATCH, numbers) if numbers else None,
                torch.zeros(BATCH, len(categories), dtype=torch.int64) if categories else None,
            ]
        case TokensShape(steps, _, ragged):
            tokens = torch.zeros(BATCH, steps, dtype=torch.int64)
            return [tokens, *_lengths(steps, ragged)]
        case SequenceShape(steps, features, ragged):
            return [torch.zeros(BATCH, steps, features), *_lengths(steps, ragged)]
        case _:
            return [torch.zeros(BATCH, *shape)]


def _lengths(steps: int, ragged: bool) -> list[Tensor]:
    return [torch.full((BATCH,), steps)] if ragged else []


def _check_output(path: str, network: nn.Module, batch: list[Tensor | None], wanted: tuple[int, ...]) -> None:
    given = " and ".join(str(tuple(tensor.shape)) for tensor in batch if tensor is not None)
    network.eval()
    # layers that draw must not move the random state; some make their weights on the first call
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        output = _attempt(path, f"fails on a batch of {given}", network, *batch)
    network.train()
    if not isinstance(output, Tensor):
        raise UserError(f"model.class_path: {path} gives {type(output).__name__}; allowed: a tensor {wanted}")
    if tuple(output.shape) != wanted:
        raise UserError(
            f"model.class_path: {path} gives {tuple(output.shape)} for a batch of {given}; allowed: {wanted}, as its "
            "task needs (`num_outputs` tells __init__ how many values)"
        )


def _attempt(path: str, what: str, call: Callable[..., T], *positional: Any, **named: Any) -> T:
    """``call``'s result; a UserError with the line of the user's code when it fails."""
    try:
        return call(*positional, **named)
    except Exception as error:
        frame = next(
            frame
            for frame in reversed(traceback.extract_tb(error.__traceback__))
            if not frame.filename.startswith(f"{torch.__path__[0]}/")
        )
        raise UserError(
            f"model.class_path: {path} {what}: {type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"
        ) from error
