"""Which precision suits a GPU, by its architecture."""

from snaketorch.config.gpu import Gpu
from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks import Gan
from snaketorch.gpu_guide.advice import training_precision

BEFORE_TENSOR_CORES = ("Kepler", "Maxwell", "Pascal")
HALF = ("bf16-mixed", "16-mixed")
FORMATS = {"bf16-mixed": "bf16", "16-mixed": "fp16", "32-true": "fp32"}
"""What of ``Gpu.tflops`` a precision computes in."""


def can_scale_loss(spec: TrainSpec) -> bool:
    """Whether a training can have `16-mixed`: not of two networks, nor of one that is in parts on several devices."""
    return not (isinstance(spec.task, Gan) or spec.trainer.keeps_parts)


def suitable(gpu: Gpu, scales_loss: bool = True) -> str:
    """The value of `trainer.precision` that suits the GPU best, for a training that ``scales_loss``, or cannot."""
    best = "32-true" if gpu.architecture in BEFORE_TENSOR_CORES else training_precision(gpu)
    return best if scales_loss or best != "16-mixed" else "32-true"


def precision_for(gpu: Gpu, asked: str, scales_loss: bool = True) -> tuple[str, str]:
    """In which precision a training runs, and what is to be said of it.

    Args:
        gpu: Where it runs.
        asked: `trainer.precision`; `auto` is what suits the GPU.
        scales_loss: Whether the training can scale its loss.
    """
    best = suitable(gpu, scales_loss)
    if asked in ("auto", best):
        return best, _why(gpu, best)
    wanted = FORMATS.get(asked)
    if asked == "64-true":
        return asked, "64-true is for reference values: GPUs compute it at a small part of their rate"
    if wanted not in gpu.tflops:
        return asked, f"{gpu.architecture} has no hardware for {asked}: {best} suits it, {_reason(gpu, best)}"
    gain = gpu.tflops[FORMATS[best]] / gpu.tflops["tf32" if asked == "32-true" and "tf32" in gpu.tflops else wanted]
    if asked == "32-true" and best in HALF:
        times = f"up to {gain:.0f} times the rate and " if gain > 1.5 else ""
        return asked, f"{best} has {times}about half of the activations' memory: {_reason(gpu, best)}"
    return asked, f"{best} suits {gpu.architecture} better: {_reason(gpu, best)}"


def _why(gpu: Gpu, best: str) -> str:
    return f"{best} suits {gpu.architecture}: {_reason(gpu, best)}"


def _reason(gpu: Gpu, best: str) -> str:
    if best == "bf16-mixed":
        return "matrix cores for BF16, which has the range of FP32 and needs no scaled loss"
    if best == "16-mixed":
        return "matrix cores for FP16 and none for BF16, so that the loss is scaled"
    if suitable(gpu) == "16-mixed":
        return "its matrix cores need a scaled loss, for FP16, which such a training cannot have"
    return "no matrix cores that would make fewer digits worth while"
