"""What is known of a GPU, and what a site may say of its own in `config/gpus.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from snaketorch.config.base import NotNegative, Positive, Section, Text
from snaketorch.config.resources import GPU_MODEL, PARTITIONS

Rate = Annotated[float, Field(gt=0, le=1_000_000)]
Reduced = Literal["tf32", "fp16", "bf16", "int8", "fp8", "fp4"]
MadeFor = Literal["desktop", "workstation", "data centre", "edge"]
Certainty = Literal["high", "medium", "low"]


class Tflops(Section):
    """Peak rates in TFLOPS, dense and with sums in FP32: of tensor or matrix cores where the GPU has them.

    Data sheets often tell twice as much: with half of the weights zero, or with sums in FP16.
    """

    fp32: Rate | None = None
    """Of the ordinary cores."""
    tf32: Rate | None = None
    """TF32, in which NVIDIA's tensor cores take FP32 from Ampere on."""
    fp16: Rate | None = None
    """FP16."""
    bf16: Rate | None = None
    """BF16."""


class GpuEntry(Section):
    """A GPU, by its name.

    One that the catalogue knows, or that extends one, needs only what differs, such as its price; any other needs
    `vendor`, `architecture`, `memory_gb`, `bandwidth_gbs`, `tflops` and `watts`.
    """

    extends: Text | None = None
    """A GPU of the catalogue whose figures are taken, for a GPU of another name: a slice (MIG), a second price."""
    price_per_hour: Annotated[float, Field(ge=0)] | None = None
    """What an hour of one GPU costs, in `currency`."""
    gpu_model: Annotated[str, StringConstraints(pattern=GPU_MODEL)] | None = None
    """As Slurm calls it; see `resources.gpu_model`."""
    partition: Annotated[str, StringConstraints(pattern=PARTITIONS)] | None = None
    """Where Slurm has it."""
    vendor: Text | None = None
    """NVIDIA, AMD or another."""
    architecture: Text | None = None
    """Such as Ampere or CDNA3."""
    chip: Text | None = None
    """Such as GA102."""
    compute_capability: Text | None = None
    """Of NVIDIA such as '8.6', in quotes; of AMD such as gfx942."""
    year: Positive | None = None
    """When it came out."""
    made_for: MadeFor | None = None
    """Where it is at home; `edge` are modules of robots, cameras and the like."""
    memory_gb: Rate | None = None
    """Memory in GiB as it is sold; programs find some hundredths less."""
    memory_type: Text | None = None
    """Such as HBM3; with the word `shared` it is the CPU's memory too."""
    bandwidth_gbs: Rate | None = None
    """Bandwidth of the memory in GB/s."""
    cores: Positive | None = None
    """CUDA cores, or AMD's stream processors."""
    matrix_cores: NotNegative | None = None
    """Tensor cores, or AMD's matrix cores; 0 when it has none."""
    tflops: Tflops | None = None
    """Peak rates by precision."""
    native: list[Reduced] | None = None
    """Reduced precisions that its matrix cores compute, or its ordinary cores where it has no others. Those in `tflops`
    need not be named."""
    watts: Rate | None = None
    """Power at full load."""
    certainty: Certainty | None = None
    """How far the figures are to be trusted; `low` is marked wherever they are used. `medium` for a GPU of your own."""
    also: list[Text] | None = None
    """Other names that it goes by."""
    source: Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\x00-\x1f]*$")] | None = None
    """Where the figures are from."""


class GpuFile(Section):
    """The GPUs of a site: `config/gpus.yaml`, which may be absent."""

    currency: Annotated[str, StringConstraints(min_length=1, max_length=8, pattern=r"^[^\x00-\x1f]*$")] | None = None
    """In what prices are told, such as EUR."""
    gpus: dict[str, GpuEntry]
    """What the site has, by name."""


@dataclass(frozen=True)
class Gpu:
    """A GPU as one process sees it, with all that reckoning needs; what else is unknown is None."""

    name: str
    vendor: str
    architecture: str
    memory_gb: float
    """GiB as it is sold."""
    bandwidth_gbs: float
    """GB/s."""
    tflops: Mapping[str, float]
    """By precision: `fp32` always, `tf32`, `fp16` and `bf16` where the GPU computes them; dense, with sums in FP32."""
    watts: float
    native: tuple[str, ...] = ()
    """Reduced precisions that it has hardware for; ``tflops`` has the rate of those that networks are trained in."""
    chip: str | None = None
    compute_capability: str | None = None
    year: int | None = None
    made_for: str | None = None
    memory_type: str | None = None
    cores: int | None = None
    matrix_cores: int | None = None
    certainty: Certainty = "medium"
    also: tuple[str, ...] = ()
    source: str = ""
    price_per_hour: float | None = None
    """Of one GPU, in ``currency``."""
    currency: str | None = None
    gpu_model: str | None = None
    """As Slurm calls it."""
    partition: str | None = None
    of_site: bool = False
    """Whether `config/gpus.yaml` names it."""

    @property
    def best_precision(self) -> str:
        """In which it should train: `bf16`, `fp16` or `fp32`.

        BF16 at less than FP16's rate is still the one that needs no scaled loss; without matrix cores nothing is
        gained that would be worth the lost digits.
        """
        if self.matrix_cores == 0:
            return "fp32"
        return next((name for name in ("bf16", "fp16") if name in self.tflops), "fp32")

    @property
    def best_tflops(self) -> float:
        """The rate in ``best_precision``."""
        return self.tflops[self.best_precision]

    @property
    def shares_memory(self) -> bool:
        """Whether its memory is the CPU's too."""
        return "shared" in (self.memory_type or "").split()
