"""Texts and rows from a file to the test: they are learnt, and shown as text."""

import random
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter
from sklearn.datasets import load_breast_cancer

from snaketorch.config.models import Model
from snaketorch.config.specs import PrepareSpec
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.data.prepare import prepare
from snaketorch.evaluation.classification import evaluate
from snaketorch.evaluation.outcome import Case
from snaketorch.evaluation.predict import predict
from snaketorch.tasks import build_task, samples_of


def prepared(folder: Path, source: dict, **options: dict) -> Manifest:
    folder.mkdir(exist_ok=True)
    spec = PrepareSpec.model_validate({"dataset": "some", "source": source, "split": {}, "prepare": options})
    prepare(spec, folder / "manifest.json", folder / "preview.png", folder / "arrays", "", "none")
    return Manifest.load(folder / "manifest.json")


def learnt(manifest: Manifest, task: dict, model: dict, steps: int):
    """The task after some steps, with the loss before and after."""
    torch.manual_seed(0)
    options, network = TypeAdapter(Task).validate_python(task), TypeAdapter(Model).validate_python(model)
    module = build_task(options, network, manifest.facts())
    samples = samples_of(module, manifest, "train")
    optimizer = torch.optim.Adam(module.network.parameters(), 0.01)
    losses = []
    for _ in range(steps):
        measured = module.measure(samples.batch(torch.randint(len(samples), (64,))))
        optimizer.zero_grad()
        measured["loss"].backward()
        optimizer.step()
        losses.append(measured["loss"].item())
    assert losses[-1] < 0.5 * losses[0]
    return module


def outcome_of(manifest: Manifest, module):
    values, _ = predict(module, samples_of(module, manifest, "test"), 64, torch.device("cpu"))
    return evaluate(Case(module.options, manifest, values, list(module.options.metrics), 3, module))


def drawn_text(figure) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Words whose class is their order of letters, which no bag of them knows."""
    folder, draw = tmp_path_factory.mktemp("words"), random.Random(0)
    rows = []
    for _ in range(400):
        rest = "".join(draw.choices("xyz", k=draw.randint(0, 6)))
        rows += [f"ab{rest},rising", f"ba{rest},falling"]
    (folder / "words.csv").write_text("\n".join(["text,label", *rows]))
    source = {"kind": "text", "path": str(folder / "words.csv"), "label": "label"}
    return prepared(folder, source, tokenizer={"kind": "character"})


@pytest.fixture(scope="module")
def outcome(words):
    return outcome_of(words, learnt(words, {"kind": "text_classification"}, {"kind": "gru", "hidden": 16}, 60))


def test_a_recurrent_network_learns_the_order_that_a_bag_of_characters_lacks(outcome):
    assert outcome.metrics["accuracy"] > 0.95
    assert list(outcome.baselines) == ["majority_class", "bag_of_characters", "runs_of_3_characters"]
    assert outcome.baselines["majority_class"]["accuracy"] == pytest.approx(0.5)
    assert outcome.baselines["bag_of_characters"]["accuracy"] < 0.6
    assert outcome.baselines["runs_of_3_characters"]["accuracy"] > 0.95
    assert set(outcome.baselines["majority_class"]) == set(outcome.metrics)


def test_texts_are_shown_as_they_read(outcome):
    shown = drawn_text(outcome.figures["worst"]).split("\n")
    assert sum(line[:2] in ("ab", "ba") and set(line[2:]) <= set("xyz") for line in shown) == 3
    assert sum("sure" in line for line in shown) == 3


def test_rows_are_learnt_and_shown_with_the_names_of_their_columns(tmp_path):
    data = load_breast_cancer(as_frame=True)
    table = data.frame.iloc[:, :6].assign(
        side=["left" if row % 2 else "right" for row in range(len(data.target))],
        diagnosis=data.target_names[data.target],
    )
    table.to_csv(tmp_path / "tumours.csv", index=False)
    source = {"kind": "table", "path": str(tmp_path / "tumours.csv"), "target": "diagnosis"}
    manifest = prepared(tmp_path / "tumours", source)
    outcome = outcome_of(
        manifest, learnt(manifest, {"kind": "tabular_classification"}, {"kind": "mlp", "hidden": [16]}, 80)
    )
    assert outcome.metrics["accuracy"] > 0.88 > 0.65 > outcome.baselines["majority_class"]["accuracy"]
    assert list(outcome.baselines) == ["majority_class"]
    assert set(outcome.figures) == {"confusion", "reliability", "decisions", "worst", "best"}
    shown = " ".join(drawn_text(outcome.figures["worst"]).split("\n"))
    assert "side " in shown and "mean radius " in shown
