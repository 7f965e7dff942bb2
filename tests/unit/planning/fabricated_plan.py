"""Plans without a trace: estimates whose memory is a straight line over the batch."""

from dataclasses import dataclass, field, replace
from functools import partial

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpus import catalogue
from snaketorch.config.specs import PlanSpec, Site
from snaketorch.planning.estimate import Estimate
from snaketorch.planning.memory import Memory
from snaketorch.planning.plan import Needs, plan
from snaketorch.planning.step_time import StepTime

GIB = 2**30
GPUS = catalogue()
SECONDS = {"GeForce RTX 3090": 0.2, "A100 SXM4 80GB": 0.1, "Tesla V100 SXM2 16GB": 0.3, "GeForce RTX 2070": 0.6}


def spec(gpus=("RTX 3090",), trainer=(), batch_size=64, model=None, task="image_classification", **site) -> PlanSpec:
    """Of a small network, that asks for a GPU."""
    own = {"gpus_asked": 1, "cpus": 2, "gpu_model": "auto", "partition": None, "trainings": 3, "strict": False}
    return PlanSpec.model_construct(
        **PlanSpec.model_validate(
            {
                "experiment": "cnn",
                "seed": 0,
                "data": "digits",
                "task": {"kind": task},
                "augment": None,
                "model": model or {"kind": "cnn"},
                "transfer": None,
                "optimizer": {"kind": "adamw"},
                "lr_scheduler": {"kind": "none"},
                "trainer": {"max_epochs": 10, "accelerator": "gpu", **dict(trainer)},
                "early_stopping": None,
                "weight_averaging": None,
                "checkpoint": {},
                "data_loader": {"batch_size": batch_size},
                "site": {**own, "gpus": [], **site},
            }
        ).__dict__
        | {"site": Site.model_construct(**own | site, gpus=[gpu(each) for each in gpus])}
    )


def gpu(name: str | Gpu) -> Gpu:
    return name if isinstance(name, Gpu) else next(each for each in GPUS.values() if name in each.name)


def priced(name: str, price: float, **more) -> Gpu:
    return replace(gpu(name), price_per_hour=price, currency="EUR", **more)


@dataclass
class Fabricated:
    """An estimator: ``fixed`` GiB and ``sample`` MiB for each sample; 16 bits have half of the latter."""

    spec: PlanSpec
    fixed: float = 1.0
    sample: float = 10.0
    keys: dict = field(default_factory=dict)

    def estimate(self, precision: str, on_gpu: bool = True) -> Estimate:
        size = self.spec.data_loader.batch_size
        each = (
            self.sample
            * 2**20
            / (1 if precision == "32-true" else 2)
            * (0.4 if self.keys.get("gradient_checkpointing") else 1)
        )
        static = self.fixed * GIB / (self.keys.get("devices", 1) if self.keys.get("strategy") == "fsdp" else 1)
        peak = int(static + size * each)
        memory = Memory(
            parameters=int(static / 4),
            gradients=int(static / 4),
            optimizer=int(static / 2),
            activations=int(size * each),
            workspace=0,
            context=GIB // 2,
            peak=peak,
            upper_bound=int(peak * 1.1),
            data=0,
        )
        return Estimate(
            batch_size=size,
            accumulation=1,
            precision=precision,
            parameters=10**6,
            trainable=10**6,
            flops={"fp32": 10**12},
            bytes_moved=10**9,
            kernels=100,
            memory=memory,
            samples_per_epoch=6400,
            steps_per_epoch=100,
            epochs=10,
            steps=1000,
        )

    def largest_batch_size(self, precision: str, free: int) -> int | None:
        each = self.sample * 2**20 / (1 if precision == "32-true" else 2)
        size = int((free / 1.1 - self.fixed * GIB) / each)
        return size if size > 0 else None

    about_largest = largest_batch_size

    def variant(self, **trainer) -> "Fabricated":
        return Fabricated(self.spec, self.fixed, self.sample, self.keys | trainer)


def step_on(estimate: Estimate, gpu: Gpu, pace: float = 1.0) -> StepTime:
    seconds = SECONDS.get(gpu.name, 1.0) * pace
    return StepTime(seconds, seconds, seconds / 2, seconds / 4, "it waits for arithmetic")


def planned(spec: PlanSpec, fixed=1.0, sample=10.0, cpu_seconds=2.0, free_gb=None, pace=1.0) -> dict:
    """The content of its ``plan.json``, without a record."""
    needs = Needs(Fabricated(spec, fixed, sample), {}, 0.25, 3 * GIB, GIB)
    on_cpu = StepTime(cpu_seconds, cpu_seconds, 0, 0, "")
    return plan(spec, needs, partial(step_on, pace=pace), lambda _: on_cpu, GPUS.values(), free_gb)
