"""How long an optimizer step takes on a GPU, by its rates in the catalogue (a roofline).

A step is a row of operations. Products of matrices and convolutions wait for arithmetic or for their own operands,
whichever takes longer; what lies between them (normalisation, activations, sums, the optimizer) waits for memory alone.
Meanwhile the host starts one operation after the other: where it is slower than the GPU, its pace is the training's.

Against published trainings of ResNet-50 (to which the usual efficiencies are fitted), ResNet-18, VGG-11, ViT-S and
DenseNet-121 on V100, A100 and RTX 3090 it is within 25 %; recurrent layers, other GPUs and hosts are not checked so.
"""

from dataclasses import dataclass

from snaketorch.config.gpu import Gpu
from snaketorch.planning.efficiencies import Efficiencies, Operation
from snaketorch.planning.estimate import Estimate

PASSES = 1.35
"""Times that memory moves what operations read and write: normalisation, for one, reads twice."""
OWN_OPERANDS = 1 / 3
"""Share of what is moved that belongs to products: of a convolution, its normalisation and activation, forwards and
backwards, 5 of 15 tensors."""
BETWEEN_LAUNCHES = 3.0
"""Times the pace of bare launches: modules, autograd and autocast are between them."""
LOOP_SECONDS = 1e-3
"""Of a batch, beside its operations: loading, metrics, Lightning (``benchmarks/results/steps.md``)."""
IDLE_POWER = 0.25
"""Share of the full power that a GPU in use takes while it waits."""

DOUBLES = {"GV100": 1 / 2, "GA100": 1 / 2, "GH100": 1 / 2, "GB100": 1 / 2}
"""FP64's part of FP32's rate, which the catalogue does not tell, by chip; 1/64 on all others."""
DOUBLES_OF_OTHERS = 1 / 64


@dataclass(frozen=True)
class StepTime:
    """Seconds of one optimizer step on one GPU; the parts overlap."""

    seconds: float
    """The whole."""
    compute: float
    """Arithmetic, at the rate that such trainings reach."""
    memory: float
    """The GPU's memory."""
    launch: float
    """The host, starting operations."""
    why: str
    """What the step waits for, and what was assumed."""

    @property
    def limited_by(self) -> str:
        """``compute``, ``memory`` or ``launch``."""
        if self.launch >= self.seconds:
            return "launch"
        return "compute" if self.compute > self.memory else "memory"

    @property
    def utilisation(self) -> float:
        """Share of the time in which the GPU is at work."""
        return min(1.0, _device(self.compute, self.memory) / self.seconds)


def seconds_per_step(
    estimate: Estimate, gpu: Gpu, efficiencies: Efficiencies, operation: Operation = "matmul"
) -> StepTime:
    """An optimizer step of ``estimate``; it always answers, and ``StepTime.why`` says what was missing.

    Args:
        estimate: The training on one of its devices.
        gpu: With its peak rates.
        efficiencies: Shares of these, see ``snaketorch.planning.efficiencies``.
        operation: What most of the arithmetic is, see ``operation_of``.
    """
    assumed: list[str] = []
    compute = 0.0
    for name, operations in estimate.flops.items():
        if rate := _rate(gpu, name, assumed):
            form, tflops = rate
            compute += operations / (tflops * 1e12 * _share(efficiencies, operation, form))
    memory = 0.0
    if gpu.bandwidth_gbs:
        memory = estimate.bytes_moved * PASSES / (gpu.bandwidth_gbs * 1e9 * efficiencies.bandwidth)
    else:
        assumed.append(f"the catalogue has no bandwidth of {gpu.name}, so that only its arithmetic counts")
    launch = estimate.kernels * efficiencies.launch_us * 1e-6 * BETWEEN_LAUNCHES + estimate.accumulation * LOOP_SECONDS
    seconds = max(_device(compute, memory), launch)
    step = StepTime(seconds, compute, memory, launch, "")
    why = "; ".join([_IN_WORDS[step.limited_by], *assumed, f"efficiencies {efficiencies.source}"])
    return StepTime(seconds, compute, memory, launch, why)


_IN_WORDS = {
    "compute": "it waits for arithmetic",
    "memory": "it waits for the GPU's memory",
    "launch": "it waits for the host, which starts operations: larger batches take hardly longer",
}


def energy_wh(gpu: Gpu, step: StepTime, seconds: float) -> float:
    """Watt-hours of ``seconds`` of such steps on one GPU: full power while it is at work, a part while it waits."""
    return gpu.watts * (IDLE_POWER + (1 - IDLE_POWER) * step.utilisation) * seconds / 3600


def _device(compute: float, memory: float) -> float:
    return max(compute, OWN_OPERANDS * memory) + (1 - OWN_OPERANDS) * memory


def _rate(gpu: Gpu, name: str, assumed: list[str]) -> tuple[str, float] | None:
    """In which format the GPU computes what is in the format ``name``, and its TFLOPS; None when it has no rate."""
    rates = {form: rate for form, rate in gpu.tflops.items() if rate}
    if name == "fp32" and "tf32" in rates:
        return "tf32", rates["tf32"]
    if name in rates:
        return name, rates[name]
    if name == "fp64" and "fp32" in rates:
        part = DOUBLES.get(gpu.chip or "", 1 / 2 if gpu.architecture.startswith("CDNA") else DOUBLES_OF_OTHERS)
        assumed.append(f"FP64 is taken to have 1/{1 / part:.0f} of FP32's rate")
        return "fp64", rates["fp32"] * part
    if "fp32" in rates:
        assumed.append(f"the catalogue has no {name.upper()} rate of {gpu.name}, so that FP32's is taken")
        return "fp32", rates["fp32"]
    if not rates:
        assumed.append(f"the catalogue has no rate of {gpu.name}, so that only its memory counts")
        return None
    form = min(rates, key=lambda one: rates[one])
    assumed.append(f"the catalogue has no {name.upper()} rate of {gpu.name}, so that {form.upper()}'s is taken")
    return form, rates[form]


def _share(efficiencies: Efficiencies, operation: Operation, form: str) -> float:
    """Of the rate; in a format that nobody measured that of the worst one known."""
    known = efficiencies.shares[operation]
    return known.get(form) or min(known.values())
