"""What the operations of a training allocate, free, compute and move, as torch dispatches them."""

import math
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from snaketorch.planning.fakes import SHORT_WAYS
from snaketorch.planning.flops import flops_of, is_counted
from snaketorch.planning.fused_lstm import with_workspace
from snaketorch.training.network_facts import RECURRENT

FORMATS = {torch.float64: "fp64", torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
BACKWARD = {torch.ops.aten.mkldnn_rnn_layer_backward: torch.ops.aten.mkldnn_rnn_layer}
CREATORS = ("empty", "new_empty")
PRODUCTS = {getattr(torch.ops.aten, name) for name in ("mm", "addmm", "bmm", "baddbmm")}
DEVICE = torch.ops.prim.device.default
"""What a fake tensor is asked two times of three; torch's own answer takes as long as an operation."""
TENSORS_OF_A_KERNEL = (110, 64, 48, 36, 30)
"""By the number of lists, from `MultiTensorApply.cuh`: the tensors that one kernel of a `_foreach` operation takes."""


class Event(NamedTuple):
    """A block of memory that is taken, or given back."""

    block: int
    """Number of the block."""
    size: int
    """Bytes; 0 when it is given back."""
    is_scratch: bool = False
    """Given back when the operation ends; no tensor of torch's."""


@dataclass
class Work:
    """What operations compute and move."""

    flops: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By number format."""
    bytes_moved: int = 0
    kernels: int = 0

    def copy(self) -> "Work":
        return Work(defaultdict(int, self.flops), self.bytes_moved, self.kernels)

    def since(self, earlier: "Work") -> "Work":
        """What was done after ``earlier``, a copy of this one at that time."""
        flops = {name: done - earlier.flops.get(name, 0) for name, done in self.flops.items()}
        flops = {name: done for name, done in flops.items() if done}
        return Work(flops, self.bytes_moved - earlier.bytes_moved, self.kernels - earlier.kernels)


class Lifetimes(TorchDispatchMode):
    """Follows every storage from the operation that makes it to its end, of real and of fake tensors alike.

    Only tensors that are made under it, or shown to ``hold``, count. Views share a storage, which counts once.

    Attributes:
        now: Bytes that are alive.
        peak: The most of ``now``.
        events: In their order.
        scratch: The largest scratch of one operation, in bytes.
        work: Of all operations so far.
        has_products: Whether one of them was a product of matrices.
    """

    def __init__(self, is_fake: bool, scratch_of: Mapping[Any, Callable[..., int]] | None = None):
        """``is_fake``: tensors have no content.

        ``scratch_of``: by operation a function of its inputs and outputs that gives the bytes of its workspace.
        """
        super().__init__()
        self.is_fake = is_fake
        self.now = self.peak = self.scratch = 0
        self.has_products = False
        self.events: list[Event] = []
        self.work = Work()
        self.scratch_of = scratch_of or {}
        self._alive: dict[int, tuple[int, int, weakref.ref]] = {}
        self._blocks = 0

    def hold(self, tensors: Iterable[Tensor]) -> None:
        """Counts tensors that were made before."""
        for tensor in tensors:
            self._see(tensor)

    def restart_peak(self) -> None:
        """Forgets what was more than what is alive now."""
        self.peak = self.now

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if self.is_fake and func is DEVICE:
            return args[0].fake_device
        operation = SHORT_WAYS.get(func, func) if self.is_fake else func
        result = operation(*args, **(kwargs or {}))
        if func.namespace == "prim":
            return result
        packet = func.overloadpacket
        if self.is_fake and packet is torch.ops.aten.mkldnn_rnn_layer:
            result = with_workspace(args, result)
        before = self._blocks
        inputs = list(tensors_in(args))
        if kwargs:
            inputs += tensors_in(kwargs.values())
        outputs = [result] if isinstance(result, Tensor) else list(tensors_in((result,)))
        for output in outputs:
            self._see(output)
        if self.now > self.peak:
            self.peak = self.now
        is_new = self._blocks > before or func._schema.is_mutable
        if is_new and not packet.__name__.startswith(CREATORS):
            self._count(packet, args, kwargs or {}, inputs, outputs, result)
        return result

    def add_scratch(self, size: int) -> None:
        """Notes a workspace of one operation."""
        if size:
            self._blocks += 1
            self.events += [Event(self._blocks, size, True), Event(self._blocks, 0, True)]
            self.scratch = max(self.scratch, size)

    def _count(self, packet, args, kwargs, inputs: list[Tensor], outputs: list[Tensor], result) -> None:
        work = self.work
        if is_counted(packet):
            self.has_products |= packet in PRODUCTS
            dtype = next(tensor.dtype for tensor in inputs if tensor.is_floating_point())
            work.flops[FORMATS.get(dtype, "fp32")] += flops_of(packet, args, kwargs, result)
        elif packet in RECURRENT or packet in BACKWARD:
            of_forward = RECURRENT[BACKWARD.get(packet, packet)]
            sizes = of_forward(*(value.shape if isinstance(value, Tensor) else value for value in args[:3]))
            work.flops[FORMATS[inputs[0].dtype]] += sizes * (2 if packet in BACKWARD else 1)
        work.bytes_moved += sum(map(_bytes, inputs)) + sum(map(_bytes, outputs))
        work.kernels += _kernels(packet.__name__, args)
        if packet in self.scratch_of:
            self.add_scratch(self.scratch_of[packet](inputs, outputs))

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._alive:
            return
        size = storage.nbytes()
        self._blocks += 1
        self._alive[key] = (self._blocks, size, weakref.ref(storage, lambda _: self._end(key)))
        if size:
            self.events.append(Event(self._blocks, size))
            self.now += size

    def _end(self, key: int) -> None:
        block, size, _ = self._alive.pop(key)
        if size:
            self.events.append(Event(block, 0))
            self.now -= size


def tensors_in(values: Iterable[Any]) -> Iterator[Tensor]:
    """The tensors in arguments of an operation, those in its lists too."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


def _bytes(tensor: Tensor) -> int:
    """What is read or written of it: an expanded tensor is one small block."""
    return min(tensor.numel() * tensor.itemsize, tensor.untyped_storage().nbytes())


def _kernels(name: str, args: tuple) -> int:
    if not name.startswith("_foreach"):
        return 1
    lists = [value for value in args if isinstance(value, list | tuple) and value and isinstance(value[0], Tensor)]
    most = TENSORS_OF_A_KERNEL[min(len(lists), len(TENSORS_OF_A_KERNEL)) - 1]
    return math.ceil(len(lists[0]) / most)
