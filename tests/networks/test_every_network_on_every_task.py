"""Every registered network learns every registered task that it fits, from every content that the task takes.

The cases come from the configuration's own registries: a new network, task or content has a case here at once. A new
network is trained with its defaults unless it has a line in the table below that makes it small; a new task or content
fails until it has one. What options make of a network or a task is in a table of its own.
"""

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import pytest
import torch

from snaketorch.config import contents
from snaketorch.config.conflicts import experiment_conflicts
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.models import Model
from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.tasks.base import TaskModule
from snaketorch.training.callbacks import History
from snaketorch.training.model_file import load_model
from tests.unit import prepared_by_hand
from tests.unit.small_corpus import prepare_text, rhyme
from tests.unit.trainings import Killed, made, rows, save_everywhere, train

QUICK, SLOW = {"epochs": 6, "lr": 0.01}, {"epochs": 3, "lr": 1e-3}
"""Trainings of networks that are as small as one likes, and of those that torchvision made large."""

NETWORKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "mlp": ({"hidden": [16]}, QUICK),
    "cnn": ({"channels": [4, 8], "hidden": 8, "dropout": 0.1}, QUICK),
    "lenet": ({}, QUICK),
    "alexnet": ({}, SLOW),
    "vgg": ({"variant": "vgg11"}, SLOW),
    "googlenet": ({}, SLOW),
    "resnet": ({"variant": "resnet18"}, SLOW),
    "densenet": ({"variant": "densenet121"}, SLOW),
    "mobilenet": ({"variant": "mobilenet_v3_small"}, SLOW),
    "efficientnet": ({"variant": "efficientnet_b0"}, {**SLOW, "lr": 1e-4}),
    "convnext": ({"variant": "convnext_tiny"}, SLOW),
    "vit": ({"num_layers": 1, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 16}, QUICK),
    "rnn": ({"hidden": 8}, QUICK),
    "lstm": ({"hidden": 8, "layers": 2, "dropout": 0.1}, QUICK),
    "gru": ({"hidden": 8}, QUICK),
    "transformer": ({"hidden": 8, "heads": 2, "layers": 1, "feedforward": 8}, QUICK),
    "gan": ({"latent": 4, "hidden": [16]}, QUICK),
    "dcgan": ({"latent": 4, "channels": [8, 4]}, QUICK),
    "custom": ({"class_path": "tests.networks.own_network.OwnNetwork", "init_args": {"width": 8}}, QUICK),
}
"""Options that make each network small, and how it is trained; one without a line is trained with its defaults."""

LARGE = {kind for kind, (_, training) in NETWORKS.items() if training["epochs"] == SLOW["epochs"]}
"""Killed at one task only, as their checkpoints take gigabytes: at another they have another head, and the state that a
task has is that of the small networks."""

TASKS: dict[str, dict[str, Any]] = {
    "image_classification": {},
    "sequence_classification": {},
    "text_classification": {},
    "tabular_classification": {},
    "regression": {},
    "forecasting": {"window": 8, "horizon": 2},
    "language_modelling": {"window": 8, "stride": 20, "sampling": {"length": 5, "count": 1}},
    "gan": {},
}
"""What each task needs besides its kind."""

IMAGE = (1, 12, 12)
CONTENTS: dict[str, Callable[[Path], Path]] = {
    contents.IMAGES: partial(prepared_by_hand.write_images, shape=IMAGE),
    contents.NUMBER_IMAGES: partial(prepared_by_hand.write_images, shape=IMAGE, numbers=True),
    contents.SEQUENCES: prepared_by_hand.write_sequences,
    contents.NUMBER_SEQUENCES: partial(prepared_by_hand.write_sequences, numbers=True),
    contents.TEXTS: prepared_by_hand.write_texts,
    contents.CORPUS: partial(prepare_text, text=rhyme(400)),
    contents.SERIES: prepared_by_hand.write_series,
    contents.ROWS: prepared_by_hand.write_rows,
    contents.NUMBER_ROWS: partial(prepared_by_hand.write_rows, numbers=True),
}
"""What writes a small dataset of each content that a task takes."""

BATCH = 30
"""Half of the training samples: two steps in an epoch."""


class Case(NamedTuple):
    """By their kinds."""

    network: str
    task: str
    content: str
    model_options: Mapping[str, Any] = {}
    """Beside those that make the network small."""
    task_options: Mapping[str, Any] = {}
    write: Callable[[Path], Path] | None = None
    """Another dataset than that of the content."""


LAYERS = {"layers": 2, "dropout": 0.1}
BOTH_WAYS = {**LAYERS, "bidirectional": True}
SEVERAL_LABELS = {
    "task_options": {"multi_label": True},
    "write": partial(prepared_by_hand.write_scenes, shape=IMAGE),
}
VARIANTS = {
    "both ways, last": Case("lstm", "text_classification", contents.TEXTS, {**BOTH_WAYS, "pooling": "last"}),
    "both ways, mean": Case("gru", "sequence_classification", contents.SEQUENCES, {**BOTH_WAYS, "pooling": "mean"}),
    "both ways, max": Case("rnn", "regression", contents.NUMBER_SEQUENCES, {**BOTH_WAYS, "pooling": "max"}),
    "both ways, attention": Case("gru", "text_classification", contents.TEXTS, {**BOTH_WAYS, "pooling": "attention"}),
    "mean": Case("lstm", "text_classification", contents.TEXTS, {"pooling": "mean"}),
    "max": Case("rnn", "sequence_classification", contents.SEQUENCES, {**LAYERS, "pooling": "max"}),
    "attention": Case("gru", "sequence_classification", contents.IMAGES, {"pooling": "attention"}),
    "attention of all": Case("transformer", "text_classification", contents.TEXTS, {"pooling": "attention"}),
    "attention of the last": Case("transformer", "sequence_classification", contents.SEQUENCES, {"pooling": "last"}),
    "attention of the largest": Case("transformer", "regression", contents.NUMBER_SEQUENCES, {"pooling": "max"}),
    "conditional": Case("gan", "gan", contents.IMAGES, {"conditional": True}),
    "conditional, spectral, hinge": Case(
        "dcgan", "gan", contents.IMAGES, {"conditional": True, "discriminator_norm": "spectral"}, {"loss": "hinge"}
    ),
    "least squares": Case("dcgan", "gan", contents.IMAGES, task_options={"loss": "least_squares"}),
    "wasserstein": Case(
        "gan", "gan", contents.IMAGES, task_options={"loss": "wasserstein_gp", "discriminator_steps": 2}
    ),
    "quantiles": Case("gru", "forecasting", contents.SERIES, task_options={"quantiles": [0.1, 0.5, 0.9]}),
    "one channel": Case("mlp", "forecasting", contents.SERIES, task_options={"targets": ["slow"]}),
    "recursive": Case("lstm", "forecasting", contents.SERIES, task_options={"strategy": "recursive"}),
    "several labels": Case("cnn", "image_classification", contents.IMAGES, **SEVERAL_LABELS),
    "several labels, row by row": Case("gru", "sequence_classification", contents.IMAGES, **SEVERAL_LABELS),
}
"""Options that change what a network or a task does, by what they make of it."""


def sections(union: Any) -> dict[str, Any]:
    """The registered sections of a union by their kind."""
    return {get_args(section.model_fields["kind"].annotation)[0]: section for section in get_args(get_args(union)[0])}


def fitting() -> list[Case]:
    return [
        Case(network, task, content)
        for network, model in sections(Model).items()
        for task, section in sections(Task).items()
        for content, given in section.data.items()
        if given in model.reads and (model.each_step or not section.each_step)
    ]


def cases() -> list[Any]:
    named = {**{" on ".join(case[:3]): case for case in fitting()}, **VARIANTS}
    return [pytest.param(case, id=name) for name, case in named.items()]


def line(table: dict[str, Any], kind: str, name: str) -> Any:
    if kind not in table:
        pytest.fail(f"'{kind}' is registered, but has no line in {name} of {Path(__file__).name}: add one")
    return table[kind]


def spec_of(case: Case) -> TrainSpec:
    options, training = NETWORKS.get(case.network, ({}, QUICK))
    config = ExperimentConfig.model_validate(
        {
            "data": "small",
            "task": {"kind": case.task, **line(TASKS, case.task, "TASKS"), **case.task_options},
            "model": {"kind": case.network, **options, **case.model_options},
            "optimizer": {"kind": "adam", "lr": training["lr"]},
            "trainer": {"max_epochs": training["epochs"], "precision": "32-true", "accelerator": "cpu"},
            "data_loader": {"batch_size": BATCH},
            "checkpoint": {"save": "last"},
        }
    ).resolved()
    refused = list(experiment_conflicts(config, set(ExperimentConfig.model_fields), {"small": case.content}))
    assert not refused
    chosen = {name: value for name, value in config if name in TrainSpec.model_fields}
    return TrainSpec.model_validate({"experiment": "small", "seed": 0, **chosen})


@torch.inference_mode()
def predicted(task: TaskModule, manifest: Path) -> dict[str, np.ndarray]:
    """What is predicted of the test split, in float32."""
    samples = task.eval().float().samples(Manifest.load(manifest), "test")
    return {name: value.numpy() for name, value in task.predict(samples.batch(torch.arange(len(samples)))).items()}


def die_inside_the_second_epoch(patch: pytest.MonkeyPatch) -> None:
    """A training dies after its step 4, of which no checkpoint tells, but one of step 3, inside the epoch, does."""
    save_everywhere(patch)
    real = History.on_train_batch_end

    def die_at_step_4(self, trainer, *arguments):
        real(self, trainer, *arguments)
        if trainer.global_step == 4:
            raise Killed

    patch.setattr(History, "on_train_batch_end", die_at_step_4)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Callable[[Case], Path]:
    """The manifest of a small dataset for a case, written once."""
    written: dict[Callable[[Path], Path], Path] = {}

    def for_case(case: Case) -> Path:
        write = case.write or line(CONTENTS, case.content, "CONTENTS")
        if write not in written:
            written[write] = write(tmp_path_factory.mktemp("data") / "small")
        return written[write]

    return for_case


@pytest.fixture
def _in_a_folder_that_does_not_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    shutil.rmtree(tmp_path)  # models of a hundred megabytes, and pytest would keep those of three runs


@pytest.mark.usefixtures("_in_a_folder_that_does_not_stay")
@pytest.mark.parametrize("case", cases())
def test_it_learns_saves_loads_predicts_and_goes_on_after_a_kill(case, prepared, monkeypatch):
    spec, manifest = spec_of(case), prepared(case)
    trained: list[TaskModule] = []
    monkeypatch.setattr(History, "on_train_end", lambda self, trainer, task: trained.append(task), raising=False)
    record = train(spec, manifest, "straight")
    assert record["steps"] == 2 * spec.trainer.max_epochs

    first, *_, last = rows("straight")
    assert np.isfinite([float(value) for value in last.values() if value]).all()
    if case.task == "gan":  # its losses rise and fall as two networks play
        assert float(last["train/real_score"]) > float(last["train/fake_score"])
    else:
        assert float(last["train/loss"]) < float(first["train/loss"])

    expected, found = predicted(trained[0], manifest), predicted(load_model(Path("straight/model.ckpt")), manifest)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.array_equal(found[name], values), name

    if case.network in LARGE and case.task != "image_classification":
        return
    with monkeypatch.context() as patch:
        die_inside_the_second_epoch(patch)
        with pytest.raises(Killed):
            train(spec, manifest, "killed")
    assert train(spec, manifest, "killed")["attempts"] == 2
    assert Path("killed/model.ckpt").read_bytes() == Path("straight/model.ckpt").read_bytes()
    assert rows("killed") == rows("straight")
    assert made("killed") == made("straight")
