"""What a job needs of the machine that runs it."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from snaketorch.config.base import Section, Text
from snaketorch.config.sbatch_options import only_additions

Gpus = Annotated[int, Field(ge=0)]
Cpus = Annotated[int, Field(gt=0, le=4096)]
Gibibytes = Annotated[float, Field(ge=0.001, le=100_000)]
MOST_HOURS = 720
Hours = Annotated[float, Field(gt=0, le=MOST_HOURS)]

GPU_MODEL = r"^[A-Za-z0-9_.]{1,64}$"
NAME_OF_SLURM = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$"
PARTITIONS = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}(,[A-Za-z0-9][A-Za-z0-9_.+-]{0,63})*$"
_COUNT = r"(\*[1-9][0-9]*)?"
_FEATURE = rf"[A-Za-z0-9_][A-Za-z0-9_.+:-]*{_COUNT}"
_GROUP = rf"\({_FEATURE}([&|]{_FEATURE})*\){_COUNT}"
_CHOICE = rf"\[({_FEATURE}|{_GROUP})([&|]({_FEATURE}|{_GROUP}))*\]"
_TERM = rf"({_FEATURE}|{_GROUP}|{_CHOICE})"
FEATURES = rf"^{_TERM}([&|]{_TERM})*$"

IN_WORDS = {
    GPU_MODEL: "letters, digits, '_' and '.', as Slurm names it",
    NAME_OF_SLURM: "a name that Slurm knows: letters, digits, '_', '.', '+' and '-', beginning with a letter or digit",
    PARTITIONS: "the name of a partition, or several with ',' between them, each beginning with a letter or digit",
    FEATURES: "names of features, joined by '&' and '|', without spaces, also as a*2, (a&b)*2 and [a|b]",
}
"""Patterns, and what they mean."""


def _text_or_list(value: Any) -> str:
    return "list" if isinstance(value, list) else "text"


Extra = Annotated[
    Annotated[Text, Tag("text")] | Annotated[list[Text], Field(min_length=1), Tag("list")],
    Discriminator(_text_or_list),
    AfterValidator(only_additions),
]


AUTO = "auto"
"""As the plan says, of a key that has no number."""


def _number_or_auto(value: Any) -> str:
    return "auto" if isinstance(value, str) else "number"


GibibytesOrAuto = Annotated[
    Annotated[Gibibytes, Tag("number")] | Annotated[Literal["auto"], Tag("auto")], Discriminator(_number_or_auto)
]
HoursOrAuto = Annotated[
    Annotated[Hours, Tag("number")] | Annotated[Literal["auto"], Tag("auto")], Discriminator(_number_or_auto)
]


class _JobResources(Section):
    """What the jobs of experiments and datasets have in common."""

    gpus: Gpus | None = None
    cpus: Cpus = 1
    memory_gb: Gibibytes = 4.0
    """Host memory in GiB, of the first attempt."""
    hours: Hours = 1.0
    """Wall time, of the first attempt."""
    gpu_model: Annotated[str, StringConstraints(pattern=GPU_MODEL)] | None = None
    """Kind of the GPUs, as Slurm calls it: `python -m snaketorch doctor` tells the names; any when absent. This and the
    keys that follow are for Slurm alone."""
    constraint: Annotated[str, StringConstraints(pattern=FEATURES, max_length=200)] | None = None
    """Features that a node must have, as `sbatch --constraint` reads them: `ib&a100` both, `ib|opa` one of them,
    `[ib|opa]` the same one on all nodes, `ib*2` on two nodes; any when absent."""
    partition: Annotated[str, StringConstraints(pattern=PARTITIONS)] | None = None
    """Where it runs; when absent as the profile says, else in the cluster's default partition."""
    qos: Annotated[str, StringConstraints(pattern=NAME_OF_SLURM)] | None = None
    """Quality of service; when absent as the profile says, else the account's own."""
    extra: Extra | None = None
    """Further options of `sbatch`, such as `--exclusive`, after those of the profile. A value with blanks needs quotes
    of its own: `--reservation='my days'`, also in a list. Those that have a key here or in the profile, and those that
    would break the workflow, such as `--hold`, are refused."""


class Resources(_JobResources):
    """What one training job needs in each of its nodes; becomes Snakemake's resources and, on a cluster, its request.

    The test of a model is one process, which asks for one node, one GPU at most and the cores of one device.
    """

    gpus: Gpus | None = None
    """GPUs of a node: as many as `trainer.devices`, or 0, which does not forbid one: `trainer.accelerator: auto` takes
    what the job sees. When absent as many as `trainer.devices` with `accelerator: gpu`, else 0."""
    cpus: Cpus = 1
    """CPU cores of a node, shared by the processes of `trainer.devices`: at least one for each."""
    memory_gb: Gibibytes = 4.0
    """Host memory of a node in GiB, of the first attempt."""


class TrainResources(Resources):
    """What one training job needs in each of its nodes; becomes Snakemake's resources and, on a cluster, its request.

    `resources: auto` is short for `memory_gb`, `hours` and `gpu_model` that are each `auto`: the plan of the experiment
    says them (see docs/planning.md). The test of a model is one process, which asks for one node, one GPU at most and
    the cores of one device.
    """

    planned: ClassVar[tuple[str, ...]] = ("memory_gb", "hours", "gpu_model")
    """Keys that may be ``auto``."""

    memory_gb: GibibytesOrAuto = 4.0
    """Host memory of a node in GiB, of the first attempt; `auto`: as planned."""
    hours: HoursOrAuto = 1.0
    """Wall time, of the first attempt; `auto`: as planned, with a margin."""
    gpu_model: Annotated[str, StringConstraints(pattern=GPU_MODEL)] | None = None
    """Kind of the GPUs, as Slurm calls it: `python -m snaketorch doctor` tells the names; any when absent. `auto`: that
    which the plan chooses among those of `config/gpus.yaml`, in its partition unless `partition` says another; nothing
    where no GPU is asked for. This and the keys that follow are for Slurm alone."""
    strict: bool = False
    """Refuse to train, before the training, what the plan says may not fit the GPU."""

    @property
    def auto(self) -> tuple[str, ...]:
        """The keys that the plan decides."""
        return tuple(key for key in self.planned if getattr(self, key) == AUTO)

    @property
    def needs_plan(self) -> bool:
        """Whether a training waits for its plan."""
        return self.strict or bool(self.auto)


ALL_AUTO = dict.fromkeys(TrainResources.planned, AUTO)
"""What `resources: auto` is short for."""


class PrepareResources(_JobResources):
    """What the preparation needs; becomes its job's request, as an experiment's; an edit prepares nothing anew."""

    gpus: Annotated[int, Field(ge=0, le=1)] = 0
    """GPUs. 0 does not forbid one: `prepare.decoder` takes what the job sees."""
    cpus: Cpus = 4
    """CPU cores: as many files are read at once."""
