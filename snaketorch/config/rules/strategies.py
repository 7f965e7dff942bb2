"""Strategies by which several devices share a training, and what does not work where each has a part of the weights."""

from collections.abc import Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.models import Custom, Mlp, Transformer
from snaketorch.config.problems import Conflict
from snaketorch.config.tasks import Gan
from snaketorch.config.transfer import FeatureExtraction, GradualUnfreezing

SPLITS_LAYERS = ("tensor_parallel", "fsdp_tensor_parallel")
WHOLE = "strategy: ddp, where each device has all of the weights"
"""What works with everything."""


def devices_can_be_shared_out(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The strategy has devices to work with, in groups of one size."""
    trainer = experiment.trainer
    strategy, size = trainer.strategy, trainer.tensor_parallel_size
    if strategy not in ("auto", "ddp") and trainer.processes == 1:
        yield (
            ("trainer", "strategy"),
            f"'{strategy}' shares a network out, and there is one device; allowed: auto, or more trainer.devices",
        )
    if strategy != "deepspeed" and trainer.deepspeed is not None:
        yield ("trainer", "deepspeed"), "has no meaning without strategy: deepspeed; allowed: with it, or not at all"
    if strategy != "fsdp_tensor_parallel":
        if "tensor_parallel_size" in trainer.model_fields_set and size is not None:
            yield (
                ("trainer", "tensor_parallel_size"),
                "has no meaning without strategy: fsdp_tensor_parallel; allowed: with it, or not at all",
            )
        return
    group, processes = trainer.processes_of_a_layer, trainer.processes
    if processes > 1 and (processes % group or not 1 < group < processes):
        fitting = [str(number) for number in range(2, processes) if not processes % number]
        told = f"{processes} devices are not two or more groups of {group} that each split the layers"
        yield (
            ("trainer", "tensor_parallel_size" if size else "strategy"),
            f"{told}; allowed: "
            + (f"tensor_parallel_size {', '.join(fitting)}" if fitting else "more devices, or another strategy"),
        )


def parts_make_a_network(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The task has one network, which can be shared out."""
    trainer = experiment.trainer
    if trainer.keeps_parts and isinstance(experiment.task, Gan):
        yield (
            ("trainer", "strategy"),
            f"'{trainer.strategy}' shares out one network, and task '{experiment.task.kind}' trains two that take "
            "turns; allowed: auto, ddp",
        )


def layers_can_be_split(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Each device gets as many heads and units as the others."""
    trainer, model = experiment.trainer, experiment.model
    if not trainer.keeps_parts or trainer.strategy not in SPLITS_LAYERS:
        return
    group = trainer.processes_of_a_layer
    match model:
        case Transformer():
            sizes = {("heads",): model.heads, ("feedforward",): model.feedforward}
        case Mlp():
            sizes = {("hidden", number): units for number, units in enumerate(model.hidden)}
            if not sizes:
                yield ("model", "hidden"), f"has no layer for {group} devices to split; allowed: at least one"
        case Custom():
            return  # it says so itself when it is there
        case _:
            yield (
                ("trainer", "strategy"),
                f"'{trainer.strategy}' knows how to split the layers of transformer, mlp and networks of your own with "
                f"a method `parallelize`, not those of '{model.kind}'; allowed: fsdp, or one of these networks",
            )
            return
    for key, size in sizes.items():
        if size % group:
            yield (
                ("model", *key),
                f"{size} cannot be shared out evenly among the {group} devices that split each layer; "
                f"allowed: multiples of {group}",
            )


def parts_train_as_a_whole(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """What looks at all weights at once, or takes them for a plain tensor each."""
    trainer = experiment.trainer
    if not trainer.keeps_parts:
        return
    strategy = f"strategy '{trainer.strategy}', where each device has a part of the weights"
    on_cpu = trainer.accelerator == "cpu"  # where some are refused whatever the strategy
    refused = {
        "compile": (trainer.compile, "true", "false"),
        "sync_batchnorm": (trainer.sync_batchnorm and not on_cpu, "true", "false"),
        "on_non_finite_loss": (trainer.on_non_finite_loss == "restore", "restore", "stop, skip"),
        "memory_format": (trainer.memory_format == "channels_last", "channels_last", "auto, contiguous"),
        "precision": (
            trainer.precision == "16-mixed" and not on_cpu,
            "16-mixed",
            "auto, bf16-mixed, 32-true, 64-true",
        ),
    }
    if trainer.strategy == "deepspeed":
        reaction, clipping = trainer.on_non_finite_loss, trainer.gradient_clip_algorithm
        strategy = "strategy 'deepspeed'"
        refused |= {
            "on_non_finite_loss": (reaction != "stop", reaction, "stop"),
            "precision": (trainer.precision in ("16-mixed", "64-true"), trainer.precision, "auto, bf16-mixed, 32-true"),
            "gradient_clip_algorithm": (clipping == "value", "value", "norm"),
        }
    for key, (is_asked, value, allowed) in refused.items():
        if is_asked:
            yield ("trainer", key), f"{value} does not work with {strategy}; allowed: {allowed}, or {WHOLE}"


def parts_learn_at_once(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """What learns is settled when the weights are shared out."""
    trainer, transfer = experiment.trainer, experiment.transfer
    if trainer.keeps_parts and isinstance(transfer, GradualUnfreezing | FeatureExtraction):
        yield (
            ("transfer", "kind"),
            f"'{transfer.kind}' freezes weights, which strategy '{trainer.strategy}' does not do; "
            f"allowed: fine_tuning, or {WHOLE}",
        )


def parts_are_averaged(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Averages are of the weights that a device has."""
    trainer = experiment.trainer
    if trainer.keeps_parts and experiment.weight_averaging is not None:
        yield ("weight_averaging",), f"does not work with strategy '{trainer.strategy}'; allowed: without, or {WHOLE}"
