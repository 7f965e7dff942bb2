"""How fast a device multiplies matrices, and trains convolutions and an LSTM; in TFLOPS, two for a multiply-add."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from snaketorch.hardware.benchmark.formats import computing_in
from snaketorch.hardware.benchmark.stopwatch import Stopwatch, doubled

PASSES = 3
"""Of a training step: forwards, and backwards for the inputs and for the weights, each with as many operations."""
STAGES = ((64, 56), (128, 28), (256, 14), (512, 7))
"""Channels and height of the 3x3 convolutions of a ResNet, each with as many operations."""


def matmul_tflops(watch: Stopwatch, name: str) -> float:
    """Square matrices in the number format ``name``."""
    with computing_in(name) as dtype:
        for size in doubled(512, 8192 if watch.device.type == "cuda" else 2048):
            one, other = (torch.randn(size, size, device=watch.device).to(dtype) for _ in range(2))
            product = torch.empty(size, size, device=watch.device, dtype=dtype)

            def multiply(one: Tensor = one, other: Tensor = other, product: Tensor = product) -> None:
                torch.mm(one, other, out=product)

            if watch.is_long(multiply):
                break
        return 2 * size**3 / watch.seconds(multiply) / 1e12


def conv_tflops(watch: Stopwatch, name: str) -> float:
    """Training steps of the convolutions of a ResNet, in the number format ``name``."""
    on_gpu = watch.device.type == "cuda"
    with computing_in(name) as dtype:
        batch, steps = 1, []
        for batch in doubled(2, 256 if on_gpu else 16):
            steps = [_conv_step(watch.device, dtype, batch, channels, height) for channels, height in STAGES]
            if watch.is_long(steps[0]):
                break
        share = Stopwatch(watch.device, watch.budget / len(steps), watch.windows)
        seconds = sum(share.seconds(step) for step in steps)
    operations = sum(2 * 9 * channels**2 * height**2 * batch for channels, height in STAGES)
    return PASSES * operations / seconds / 1e12


def lstm_tflops(watch: Stopwatch, name: str) -> float:
    """Training steps of an LSTM layer over a sequence, in the number format ``name``."""
    length, batch, width = (64, 64, 512) if watch.device.type == "cuda" else (32, 32, 128)
    with computing_in(name) as dtype:
        layer = nn.LSTM(width, width).to(watch.device, dtype)
        step = _step(layer, torch.randn(length, batch, width, device=watch.device).to(dtype), lambda out: out[0])
        seconds = watch.seconds(step)
    return PASSES * 2 * length * batch * 4 * width * 2 * width / seconds / 1e12


def _conv_step(device: torch.device, dtype: torch.dtype, batch: int, channels: int, height: int) -> Callable[[], None]:
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    layer.to(device=device, dtype=dtype, memory_format=torch.channels_last)
    images = torch.randn(batch, channels, height, height, device=device).to(dtype)
    return _step(layer, images.to(memory_format=torch.channels_last), lambda out: out)


def _step(layer: nn.Module, inputs: Tensor, output: Callable[..., Tensor]) -> Callable[[], None]:
    """Forwards and backwards through ``layer``, for its inputs too, as inside a network."""
    inputs.requires_grad_()
    with torch.no_grad():
        gradient = torch.ones_like(output(layer(inputs)))
    wanted = [inputs, *layer.parameters()]
    return lambda: torch.autograd.grad(output(layer(inputs)), wanted, gradient)
