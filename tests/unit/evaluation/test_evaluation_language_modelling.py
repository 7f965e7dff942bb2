import json
import math

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from snaketorch.config.models import Model
from snaketorch.config.tasks import Task
from snaketorch.data.manifest import Manifest
from snaketorch.evaluation.language_modelling import evaluate
from snaketorch.evaluation.outcome import Case
from snaketorch.evaluation.predict import predict
from snaketorch.tasks import build_task
from tests.unit.small_corpus import prepare_text, rhyme


def outcome(manifest, **options):
    data = Manifest.load(manifest)
    torch.manual_seed(0)
    sampling = {"length": 20, "count": 2, "prompt": "a "}
    section = {"kind": "language_modelling", "window": 16, "sampling": sampling, **options}
    model = TypeAdapter(Model).validate_python({"kind": "gru", "hidden": 8})
    task = build_task(TypeAdapter(Task).validate_python(section), model, data.facts()).eval()
    values, _ = predict(task, task.samples(data, "test"), 7, torch.device("cpu"))
    return evaluate(Case(task.options, data, values, list(task.options.metrics), 4, task)), task, data


@pytest.fixture(scope="module")
def of_characters(tmp_path_factory):
    return outcome(prepare_text(tmp_path_factory.mktemp("rhyme"), rhyme()))


def test_every_model_is_measured_on_the_same_tokens(of_characters):
    found, _, data = of_characters
    table = found.predictions.to_pydict()
    assert table["token"] == data.arrays("test")["token"].tolist()
    assert "".join(table["text"]) == rhyme()[-len(table["token"]) :]
    measured = {"": found.metrics} | {f"_{name}": values for name, values in found.baselines.items()}
    assert set(measured) == {"", "_unigram", "_bigram"}
    for name, values in measured.items():
        loss = -np.log(table[f"probability{name}"]).mean()
        assert values["loss"] == pytest.approx(loss, rel=1e-4)
        assert values["perplexity"] == pytest.approx(math.exp(loss), rel=1e-4)
        assert values["bits_per_character"] == pytest.approx(loss / math.log(2), rel=1e-4)
    assert found.baselines["bigram"]["loss"] < found.baselines["unigram"]["loss"] < found.metrics["loss"]


@torch.no_grad()
def test_a_probability_is_what_the_network_says_after_the_text_before(of_characters):
    found, task, data = of_characters
    text = np.concatenate([data.arrays(split)["token"] for split in ("train", "val", "test")])
    test = len(data.arrays("test")["token"])
    table = found.predictions.to_pydict()
    for index in (0, 1, 9, 100, test - 1):
        end = len(text) - test + index
        read = torch.from_numpy(text[end - table["context"][index] : end]).long()
        expected = task(read[None])[0, -1].softmax(0)[table["token"][index]]
        assert table["probability"][index] == pytest.approx(float(expected), rel=1e-4)
    assert min(table["context"]) == 9 and max(table["context"]) == 16


def test_details_are_json_and_say_how_it_was_measured(of_characters):
    found, _, data = of_characters
    details = json.loads(json.dumps(found.details, allow_nan=False))
    assert details["tokens"] == details["characters"] == len(data.arrays("test")["token"])
    assert details["context"] == {"fewest": 9, "most": 16}
    assert len(details["bits_per_token_by_context"]) == 16
    assert len(details["samples"]) == 2
    assert all(text.startswith("a ") for text in details["samples"])


def test_the_certain_and_the_surprising_are_shown(of_characters):
    found, _, _ = of_characters
    assert set(found.figures) == {"context", "surprising", "certain"}
    means = {
        name: [float(t.get_text()) for t in found.figures[name].axes[0].texts if t.get_text()[0].isdigit()]
        for name in ("surprising", "certain")
    }
    assert len(means["certain"]) == len(means["surprising"]) == 4
    assert min(means["surprising"]) >= max(means["certain"])


def test_parts_of_words_share_their_bits_out_among_characters(tmp_path):
    found, task, data = outcome(prepare_text(tmp_path, rhyme(), kind="bpe", vocabulary_size=280))
    tokens = data.arrays("test")["token"]
    text = task.encoding.decode(tokens)
    assert found.details["characters"] == len(text) > found.details["tokens"]
    bits = found.metrics["loss"] * len(tokens) / math.log(2)
    assert found.metrics["bits_per_character"] == pytest.approx(bits / len(text), rel=1e-5)


def test_only_the_metrics_that_are_asked_for_are_given(of_characters):
    _, task, data = of_characters
    values, _ = predict(task, task.samples(data, "test"), 64, torch.device("cpu"))
    found = evaluate(Case(task.options, data, values, ["perplexity"], 1, task))
    assert list(found.metrics) == list(found.baselines["bigram"]) == ["perplexity"]
