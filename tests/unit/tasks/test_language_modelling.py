import csv
import math
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter

from snaketorch.config.models import Model
from snaketorch.config.specs import TrainSpec
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.errors import DataError, NonFiniteLoss, UserError
from snaketorch.tasks import build_task, language_modelling
from snaketorch.training.callbacks import History
from snaketorch.training.model_file import load_model
from snaketorch.training.train import train as train_step
from tests.unit.small_corpus import prepare_text, rhyme
from tests.unit.trainings import Killed

LSTM = {"kind": "lstm", "embedding": 8, "hidden": 16, "dropout": 0.1}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return prepare_text(tmp_path_factory.mktemp("rhyme"), rhyme())


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def build(manifest: Path, model: dict = LSTM, **options):
    torch.manual_seed(0)
    options = {"kind": "language_modelling", "window": 16, **options}
    sections = (TypeAdapter(kind).validate_python(value) for kind, value in ((Task, options), (Model, model)))
    return build_task(*sections, Manifest.load(manifest).facts())


def train(manifest: Path, name: str, epochs: int = 3, **changes):
    spec = {
        "experiment": "rhyme",
        "seed": 0,
        "data": "rhyme",
        "task": {"kind": "language_modelling", "window": 16, "sampling": {"length": 20, "count": 2, "prompt": "a "}},
        "augment": None,
        "model": LSTM,
        "optimizer": {"kind": "adamw", "lr": 0.01},
        "lr_scheduler": {"kind": "none"},
        "trainer": {"max_epochs": epochs, "precision": "32-true"},
        "early_stopping": None,
        "checkpoint": {"monitor": "val/bits_per_character"},
        "data_loader": {"batch_size": 16},
        **{name: None for name in ("transfer", "weight_averaging") if name in TrainSpec.model_fields},
        **changes,
    }
    out = Path(name)
    train_step(
        TrainSpec.model_validate(spec),
        manifest=manifest,
        state_root=Path("state") / name,
        model=out / "model.ckpt",
        history=out / "history.csv",
        record=out / "record.json",
        samples=out / "samples",
        code="code",
        threads=1,
    )
    rows = list(csv.DictReader((out / "history.csv").read_text().splitlines()))
    texts = {path.name: path.read_text() for path in sorted((out / "samples").glob("*"))}
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows], texts


@pytest.mark.parametrize("split", ["val", "test"])
def test_every_token_of_a_split_is_scored_once_the_first_too(manifest, split):
    task, data = build(manifest), Manifest.load(manifest)
    samples = task.samples(data, split)
    batch = samples.batch(torch.arange(len(samples)))
    counts = torch.arange(16) >= 16 - batch["scored"][:, None]
    assert batch["target"][counts].tolist() == data.arrays(split)["token"].tolist()


@torch.no_grad()
def test_measures_are_of_the_targets_that_count(manifest):
    task = build(manifest).eval()
    samples = task.samples(Manifest.load(manifest), "val")
    batch = samples.batch(torch.arange(len(samples)))
    values = task.measure(batch)
    losses = task.predict(batch)["loss"]
    counts = torch.arange(16) >= 16 - batch["scored"][:, None]
    assert float(values["loss"]) == pytest.approx(float(losses[counts].mean()), rel=1e-5)
    assert float(values["perplexity"]) == pytest.approx(math.exp(values["loss"]), rel=1e-5)
    assert float(values["bits_per_character"]) == pytest.approx(float(values["loss"]) / math.log(2), rel=1e-5)


@torch.no_grad()
def test_a_large_vocabulary_is_predicted_in_smaller_parts(manifest, monkeypatch):
    task = build(manifest).eval()
    samples = task.samples(Manifest.load(manifest), "val")
    batch = samples.batch(torch.arange(len(samples)))
    whole, seen = task.predict(batch)["loss"], []
    monkeypatch.setattr(language_modelling, "MOST_LOGITS", 3 * 16 * task.num_outputs())
    task.network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    torch.testing.assert_close(task.predict(batch)["loss"], whole)
    assert max(seen) == 3 and sum(seen) == len(samples)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_bits_are_shared_out_among_all_characters_of_the_tokens(tmp_path, kind):
    manifest = prepare_text(tmp_path / kind, rhyme(4000), kind=kind, vocabulary_size=300)
    task, data = build(manifest).eval(), Manifest.load(manifest)
    samples = task.samples(data, "test")
    values = task.measure(samples.batch(torch.arange(len(samples))))
    tokens = data.arrays("test")["token"]
    text = task.encoding.decode(tokens)
    characters = len("".join(text.split())) if kind == "word" else len(text)
    expected = float(values["loss"]) * len(tokens) / math.log(2) / characters
    assert float(values["bits_per_character"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("model", [LSTM, {"kind": "transformer", "hidden": 16, "heads": 2, "dropout": 0.0}])
def test_an_untrained_network_knows_about_nothing_and_learns(manifest, model):
    # of these letters a unigram needs more than 3 bits, and the words leave 1 bit for each or less
    rows, texts = train(manifest, "out", epochs=6, model=model)
    bits = [float(row["val/bits_per_character"]) for row in rows]
    assert bits[-1] < 1.2 < bits[0]
    assert float(rows[-1]["val/perplexity"]) == pytest.approx(math.exp(float(rows[-1]["val/loss"])), rel=1e-4)
    assert list(texts) == [f"epoch-{epoch:04d}.txt" for epoch in range(1, 7)]
    assert len(set(texts.values())) == 6
    first, second = texts["epoch-0006.txt"].split(f"\n\n{'-' * 79}\n\n")
    assert first.startswith("a ") and len(first) == 22 and first != second
    assert any(word in first for word in ("cat", "dog", "sat", "ran"))


def test_a_killed_training_writes_what_it_would_have_written(manifest, monkeypatch):
    straight = train(manifest, "straight")
    real = History.on_train_epoch_start

    def die_in_the_second_epoch(self, trainer, pl_module):
        if trainer.current_epoch == 1:
            monkeypatch.undo()
            monkeypatch.chdir(folder)
            raise Killed
        real(self, trainer, pl_module)

    folder = Path.cwd()
    monkeypatch.setattr(History, "on_train_epoch_start", die_in_the_second_epoch)
    with pytest.raises(Killed):
        train(manifest, "killed")
    assert train(manifest, "killed") == straight
    assert Path("killed/model.ckpt").read_bytes() == Path("straight/model.ckpt").read_bytes()


def test_weights_that_the_last_step_of_an_epoch_spoilt_are_told_of_before_anything_is_drawn(manifest, monkeypatch):
    def spoil(self, trainer, task, *rest):
        real(self, trainer, task, *rest)
        with torch.no_grad():
            task.network.head.bias.fill_(math.nan)

    real = History.on_train_batch_end
    monkeypatch.setattr(History, "on_train_batch_end", spoil)
    with pytest.raises(NonFiniteLoss, match="val/loss became nan"):
        train(manifest, "spoilt", data_loader={"batch_size": 4096})


def test_a_saved_model_writes_without_its_dataset(manifest):
    train(manifest, "out", epochs=1)
    task = load_model(Path("out/model.ckpt"))
    texts = task.write(seed=3)
    assert texts == task.write(seed=3) != task.write(seed=4)
    assert all(text.startswith("a ") and len(text) == 22 for text in texts)


def test_writing_leaves_the_training_as_it_was(manifest):
    task = build(manifest).train()
    before = torch.get_rng_state()
    task.write(seed=1)
    assert task.training and torch.equal(torch.get_rng_state(), before)


def test_masked_tokens_are_read_but_not_told(manifest):
    rows, _ = train(manifest, "masked", epochs=1, augment={"token_mask": 0.9})
    others, _ = train(manifest, "whole", epochs=1)
    assert float(rows[0]["train/loss"]) > float(others[0]["train/loss"])


def test_a_window_longer_than_the_text_is_refused(manifest):
    data = Manifest.load(manifest)
    length = data.splits["train"].count
    with pytest.raises(DataError, match=f"{length} tokens, too few for a task.window of {length}; allowed: at most"):
        build(manifest, window=length).samples(data, "train")


def test_a_prompt_without_a_token_is_refused(tmp_path):
    manifest = prepare_text(tmp_path / "words", rhyme(), kind="word")
    with pytest.raises(UserError, match=r"task.sampling.prompt: ' \\n' holds no token of dataset 'rhyme'"):
        build(manifest, sampling={"prompt": " \n"})
