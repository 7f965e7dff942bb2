"""What of a GPU matters for deep learning, in words."""

from collections.abc import Iterator

from snaketorch.config.gpu import Gpu

BYTES_OF_ADAMW = 16
"""For each parameter in mixed precision: weight, gradient and two moments, each in FP32."""
COOLED_BY_ITS_SERVER = 400
"""Watts from which a data centre's GPU has no plain card any more."""

_OF_ARCHITECTURE = {
    "Volta": "CUDA 13 has dropped Volta: PyTorch must be a build for CUDA 12.",
    "GCN5": "ROCm has dropped gfx900: only old releases of PyTorch use it.",
    "RDNA2": "ROCm runs on it, without being supported on this card.",
}
_PRECISION_IN_YAML = {"bf16": "bf16-mixed", "fp16": "16-mixed", "fp32": "32-true"}


def advice(gpu: Gpu) -> str:
    """Some sentences: precision, memory, bandwidth, power, software, and whether it is for training at all."""
    return " ".join([*_place(gpu), *_precision(gpu), *_memory(gpu), *_power(gpu), *_software(gpu), *_figures(gpu)])


def training_precision(gpu: Gpu) -> str:
    """The value of `trainer.precision` that suits the GPU best, as Lightning calls it."""
    return _PRECISION_IN_YAML[gpu.best_precision]


def _place(gpu: Gpu) -> Iterator[str]:
    born = f", {gpu.year}" if gpu.year else ""
    where = "an edge module" if gpu.made_for == "edge" else f"for the {gpu.made_for}" if gpu.made_for else "a GPU"
    yield f"{gpu.vendor} {gpu.architecture}{born}, {where}."
    if gpu.made_for == "edge":
        yield "Made for inference on the spot; train elsewhere."


def _precision(gpu: Gpu) -> Iterator[str]:
    kind = "tensor cores" if gpu.vendor == "NVIDIA" else "matrix cores"
    count = f"{gpu.matrix_cores:,} {kind}" if gpu.matrix_cores else kind.capitalize()
    fp16, bf16, fp32 = (gpu.tflops.get(name) for name in ("fp16", "bf16", "fp32"))
    if gpu.matrix_cores == 0:
        gain = f"; packed FP16 is {fp16 / fp32:.0f} times as fast as FP32 at best" if fp16 else ""
        yield f"No {kind}{gain}{'' if bf16 else ', and BF16 is emulated'}: train with `precision: 32-true`."
    elif bf16:
        pace = f" (at {bf16 / fp16:.0%} of FP16's rate)" if fp16 and bf16 < 0.9 * fp16 else ""
        yield f"{count} give {bf16 / fp32:.0f} times the FP32 rate in BF16{pace}: `bf16-mixed`, with no scaled loss."
        if "tf32" in gpu.tflops and gpu.tflops["tf32"] > 1.1 * fp32:
            yield f"TF32 speeds up what stays in FP32, {gpu.tflops['tf32'] / fp32:.0f} times."
    elif fp16:
        gain = f"{fp16 / fp32:.0f} times the FP32 rate in FP16"
        yield f"{count} give {gain}, and cannot compute BF16: `16-mixed`, which scales the loss."
    if gpu.name.startswith("GeForce"):
        yield "As on every GeForce, sums in FP32 halve the tensor cores' rate, which is counted here."
    further = [name.upper() for name in ("int8", "fp8", "fp4") if name in gpu.native]
    if further and gpu.matrix_cores != 0:
        yield f"For inference also {' and '.join([', '.join(further[:-1]), further[-1]] if further[1:] else further)}."


def _memory(gpu: Gpu) -> Iterator[str]:
    most = gpu.memory_gb * 2**30 / BYTES_OF_ADAMW
    size = f"{most / 1e9:.1f} billion" if most >= 1e9 else f"{most / 1e6:.0f} million"
    shared = ", which the CPU shares" if gpu.shares_memory else ""
    yield f"{gpu.memory_gb:g} GiB{shared}: at most {size} parameters with AdamW, before any activation."
    balance = gpu.best_tflops * 1000 / gpu.bandwidth_gbs
    yield (
        f"{gpu.bandwidth_gbs:,.0f} GB/s: what computes less than {balance:.0f} operations for each byte "
        "(normalisation, embeddings, recurrent steps, small batches) waits for memory."
    )


def _power(gpu: Gpu) -> Iterator[str]:
    needs = ""
    if gpu.made_for == "data centre":
        needs = ", and a server's cooling" if gpu.watts >= COOLED_BY_ITS_SERVER else ", and a server's air flow"
    efficiency = f"{gpu.best_tflops / gpu.watts:.2f} TFLOPS a watt in {gpu.best_precision.upper()}"
    yield f"{gpu.watts:.0f} W to supply and to cool{needs}: {efficiency}."


def _software(gpu: Gpu) -> Iterator[str]:
    if gpu.vendor == "NVIDIA":
        yield f"CUDA{f', compute capability {gpu.compute_capability}' if gpu.compute_capability else ''}."
    elif gpu.vendor == "AMD":
        yield f"ROCm{f' ({gpu.compute_capability})' if gpu.compute_capability else ''}, with PyTorch's build for it."
    if note := _OF_ARCHITECTURE.get(gpu.architecture):
        yield note


def _figures(gpu: Gpu) -> Iterator[str]:
    here = [f"`gpu_model: {gpu.gpu_model}`"] if gpu.gpu_model else []
    here += [f"`partition: {gpu.partition}`"] if gpu.partition else []
    if gpu.price_per_hour is not None:
        here.append(f"{gpu.price_per_hour:g}{f' {gpu.currency}' if gpu.currency else ''} an hour")
    if here:
        yield f"Here: {', '.join(here)}."
    if gpu.certainty == "low":
        yield f"Its figures are of low certainty: {gpu.source}."
