"""The devices that train, and what their job asks for."""

from collections.abc import Iterator

from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict
from snaketorch.config.resources import AUTO
from snaketorch.config.tasks import Gan

_OF_SEVERAL = "has no effect with one device in all"


def devices_are_asked_for(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The job asks for the GPUs that train, and for no others."""
    trainer, gpus = experiment.trainer, experiment.resources.gpus
    if not gpus:
        if trainer.accelerator == "gpu" and gpus == 0:
            yield (
                ("trainer", "accelerator"),
                f"gpu, but resources.gpus is 0; allowed: gpu with resources.gpus: {trainer.devices}, or cpu, auto",
            )
    elif trainer.accelerator == "cpu":
        yield ("resources", "gpus"), f"{gpus} is reserved for a training on the CPU; allowed: 0 with accelerator: cpu"
    elif gpus != trainer.devices:
        none = "" if trainer.accelerator == "gpu" else "0, or "
        yield (
            ("resources", "gpus"),
            f"{gpus} in each node, of which trainer.devices uses {trainer.devices}; "
            f"allowed: {none}{trainer.devices}, as trainer.devices",
        )


def a_model_is_of_gpus(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Who asks for a kind of GPU asks for GPUs."""
    trainer, resources = experiment.trainer, experiment.resources
    gpus_by_default = trainer.devices if trainer.accelerator == "gpu" else 0
    if resources.gpu_model not in (None, AUTO) and not (gpus_by_default if resources.gpus is None else resources.gpus):
        if trainer.accelerator == "cpu":
            yield _model_of_none(resources.gpu_model, "to leave it out, or another accelerator than cpu")
        else:
            yield _model_of_none(resources.gpu_model, f"with gpus: {trainer.devices}, or not at all")


def a_model_is_of_the_gpu_that_prepares(dataset: DatasetConfig) -> Iterator[Conflict]:
    """The same for a dataset."""
    if dataset.resources.gpu_model and not dataset.resources.gpus:
        yield _model_of_none(dataset.resources.gpu_model, "with gpus: 1, or not at all")


def _model_of_none(model: str, allowed: str) -> Conflict:
    return ("resources", "gpu_model"), f"'{model}', but no GPU is asked for; allowed: {allowed}"


def every_process_has_a_core(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Each device has a process, which needs a core of its own."""
    devices, cpus = experiment.trainer.devices, experiment.resources.cpus
    if cpus >= devices:
        return
    if "cpus" in experiment.resources.model_fields_set:
        yield (
            ("resources", "cpus"),
            f"{cpus} in each node is too few for the {devices} processes of trainer.devices; "
            f"allowed: {devices} or more",
        )
    else:
        yield (
            ("trainer", "devices"),
            f"{devices} processes in each node need a core each, and resources.cpus is {cpus} (the default); "
            f"allowed: {devices} with resources.cpus: {devices} or more",
        )


def batches_can_be_synchronised(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Batch normalisation over several processes is there for GPUs alone."""
    trainer = experiment.trainer
    if not trainer.sync_batchnorm:
        return
    if trainer.processes == 1:
        yield ("trainer", "sync_batchnorm"), f"true {_OF_SEVERAL}; allowed: false, or more trainer.devices"
    elif trainer.accelerator == "cpu":
        yield ("trainer", "sync_batchnorm"), "true is for GPUs, and accelerator is cpu; allowed: false"


def precision_is_of_the_device(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Numbers of 16 bits whose loss is scaled are there for GPUs alone."""
    if experiment.trainer.precision == "16-mixed" and experiment.trainer.accelerator == "cpu":
        yield (
            ("trainer", "precision"),
            "16-mixed is for GPUs, and accelerator is cpu; allowed: auto, bf16-mixed, 32-true, 64-true",
        )


def gradients_can_be_compressed(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """Gradients of whole networks can be; where a step leaves something to the next, all of it has to be finite."""
    trainer, key = experiment.trainer, ("trainer", "gradient_compression")
    if trainer.gradient_compression != "none" and trainer.processes == 1:
        yield key, f"'{trainer.gradient_compression}' {_OF_SEVERAL}; allowed: none, or more trainer.devices"
        return
    if trainer.gradient_compression != "none" and trainer.strategy not in ("auto", "ddp"):
        yield key, f"'{trainer.gradient_compression}' is for strategy ddp, not {trainer.strategy}; allowed: none"
    if trainer.gradient_compression != "powersgd":
        return
    unsent = "'powersgd' adds what a step does not send to the next"
    if isinstance(experiment.task, Gan):
        yield key, f"{unsent}, and the networks of task gan take turns; allowed: none, fp16, bf16"
    if trainer.on_non_finite_loss != "stop":
        yield (
            key,
            f"{unsent}, where nothing would leave out a loss that is not finite; allowed: none, fp16, bf16, or "
            "on_non_finite_loss: stop",
        )
    if trainer.precision == "16-mixed":
        yield (
            key,
            f"{unsent}, and in precision 16-mixed some gradients overflow; allowed: none, fp16, bf16, or another "
            "precision",
        )
