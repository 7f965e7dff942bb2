"""A bundle says of raw samples what the test says of prepared ones."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch

from snaketorch.config.tasks import Task
from snaketorch.data.split import split_by_time, split_samples
from snaketorch.errors import OutOfMemory, UserError
from snaketorch.evaluation.predict import predict
from snaketorch.inference.inputs import OF_CONTENTS
from snaketorch.inference.outputs import OF_TASKS
from snaketorch.tasks import samples_of
from tests.unit.inference.bundles import CASES

CPU = torch.device("cpu")
OF_SAMPLES = [name for name in CASES if "series" not in name and name != "text" and name != "running text"]


def by_the_test(made) -> dict[str, np.ndarray]:
    """What the test would say of the test split."""
    task = made.trained
    return predict(task, samples_of(task, made.manifest, "test"), 256, CPU)[0]


def rows_of_test(made) -> pd.DataFrame:
    """The raw rows of the test split."""
    raw = made.raw()
    labels = raw.target if hasattr(raw, "target") else raw.labels
    return made.rows().iloc[split_samples(labels, raw.classes, raw.given, made.spec.split)["test"]]


def same(cells: pd.Series, values: np.ndarray) -> None:
    np.testing.assert_allclose(np.array(cells.tolist()), values, rtol=2e-5, atol=1e-6)


def test_every_task_and_every_content_that_it_takes_has_a_case_here(made):
    sections = get_args(get_args(Task)[0])
    kinds = {section.model_fields["kind"].annotation.__args__[0]: set(section.data) for section in sections}
    found: dict[str, set[str]] = {}
    for name, case in CASES.items():
        found.setdefault(case.task["kind"], set()).add(made(name).manifest.provides)
    assert found == kinds
    assert set().union(*found.values()) == set(OF_CONTENTS)
    assert {made(name).trained.options.implementation for name in CASES} == set(OF_TASKS)


@pytest.mark.parametrize("name", [name for name in OF_SAMPLES if "generator" not in name])
def test_raw_samples_are_answered_as_the_test_answers_prepared_ones(made, name):
    case = made(name)
    values, answers = by_the_test(case), case.predictor.predict(rows_of_test(case))
    assert list(answers.columns) == [column.name for column in case.predictor.outputs]
    if "predicted" in values:
        return same(answers["value"], values["predicted"])
    logits = torch.from_numpy(values["logits"]).double()
    if "labels" in answers:
        same(answers["probabilities"], logits.sigmoid().numpy())
        names = np.array(case.manifest.classes)
        assert [list(names[row > 0]) for row in values["logits"]] == answers["labels"].tolist()
        return None
    same(answers["probabilities"], logits.softmax(1).numpy())
    same(answers["probability"], logits.softmax(1).max(1).values.numpy())
    assert answers["class"].tolist() == [case.manifest.classes[number] for number in logits.argmax(1)]
    return None


@pytest.mark.parametrize("name", [name for name in CASES if "series" in name])
def test_every_history_of_a_series_is_forecast_as_in_the_test(made, name):
    case, values = made(name), by_the_test(made(name))
    rows, window, horizon = case.rows(), case.trained.options.window, case.trained.options.horizon
    first = split_by_time(len(rows) + window - 1, case.spec.split)["test"][0]
    chosen = rows.iloc[first - window :][: len(values["forecast"])]
    answers = case.predictor.predict(chosen)
    same(answers["forecast"], values["forecast"])
    same(chosen["truth"], values["target"])
    if "quantiles" in values:
        same(answers["quantiles"], values["quantiles"])
    assert rows["truth"].isna().sum() == horizon
    assert chosen["source"].iloc[0] == f"step {first}"


def test_a_text_is_scored_as_the_test_scores_it(made):
    case, values = made("running text"), by_the_test(made("running text"))
    task, window = case.trained, case.trained.options.window
    before, test = (case.manifest.arrays(split)["token"] for split in ("val", "test"))
    text = task.encoding.decode([*before[-window - 1 :], *test])
    counts = np.arange(window) >= window - values["scored"][:, None]
    context = torch.from_numpy(before[-window - 1 :].astype(np.int64))
    with torch.inference_mode():
        of_context = task.losses({"token": context[None, :-1], "target": context[None, 1:]})[0].numpy()
    expected = np.concatenate([of_context, values["loss"][counts]]).mean(dtype=np.float64)
    answers = case.predictor.predict(pd.DataFrame({"text": [text, "a cat sat on a dog", "a"]}))
    assert answers["tokens"].tolist() == [len(text), 18, 1]
    assert answers["loss"][0] == pytest.approx(expected, rel=1e-5)
    assert answers["perplexity"][0] == pytest.approx(np.exp(expected), rel=1e-5)
    assert answers["bits_per_character"][0] == pytest.approx(expected / np.log(2), rel=1e-5)
    assert np.isnan(answers["loss"][2])
    assert [len(written) for written in answers["continuation"]] == [6, 6, 6]


def test_padding_behind_a_short_text_changes_nothing(made):
    predictor = made("running text").predictor
    tokens = torch.tensor(predictor.task.encoding.encode("a cat"))
    with torch.inference_mode():
        losses = predictor.task.losses({"token": tokens[None, :-1], "target": tokens[None, 1:]})
    found = predictor.predict(pd.DataFrame({"text": ["a cat"]}))["loss"][0]
    assert found == pytest.approx(float(losses.mean()), rel=1e-5)


def test_how_a_text_goes_on_can_be_set_and_is_the_same_alone_and_among_others(made):
    predictor, rows = made("running text").predictor, pd.DataFrame({"text": ["a cat", "a dog sat"]})

    def written(chosen=rows, **parameters):
        return predictor.predict(chosen, parameters=parameters)["continuation"].tolist()

    assert {parameter.name for parameter in predictor.parameters} == {"max_tokens", "temperature", "seed"}
    assert [len(text) for text in written(max_tokens=3)] == [3, 3]
    assert written(max_tokens=0) == ["", ""]
    assert written(seed=1) == written(seed=1) != written(seed=2)
    assert written(rows[1:], seed=1) == written(seed=1)[1:]
    assert written(temperature=0.01, seed=1) == written(temperature=0.01, seed=2)
    for wrong in ({"max_tokens": -1}, {"temperature": 0}, {"seed": 1.5}, {"length": 3}):
        with pytest.raises(UserError, match=f"{next(iter(wrong))}.*allowed"):
            written(**wrong)


@pytest.mark.parametrize("name", ["a generator", "a generator of classes"])
def test_seeds_give_the_images_of_the_test(made, name):
    case, values = made(name), by_the_test(made(name))
    rows = {"seed": range(len(values["label"]))}
    if "classes" in name:
        rows["label"] = [case.manifest.classes[number] for number in values["label"]]
    images = case.predictor.predict(pd.DataFrame(rows))["image"]
    np.testing.assert_array_equal(np.array(images.tolist()), values["generated"])
    assert len(case.predictor.predict(case.rows())) == len(case.raw().labels)


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_what_is_true_of_raw_rows_goes_along(made, name):
    case = made(name)
    rows, raw = case.rows(), case.raw()
    assert rows["source"].tolist() == list(raw.names)
    if "generator" in name:
        assert "truth" not in rows
    elif not raw.classes:
        np.testing.assert_allclose(rows["truth"], raw.target if hasattr(raw, "target") else raw.labels)
    elif name == "several labels":
        assert rows["truth"].tolist()[:4] == [[], ["top"], ["bottom"], ["top", "bottom"]]
    else:
        assert set(rows["truth"]) == set(raw.classes)


@pytest.mark.parametrize("name", [name for name in OF_SAMPLES if "generator" not in name])
def test_fields_are_those_of_the_prepared_arrays(made, name):
    case = made(name)
    fields, bad = case.predictor.fields(rows_of_test(case))
    arrays = case.manifest.arrays("test")
    assert not bad
    for field, values in fields.items():
        start = arrays.get(f"{field}_start")
        if start is None:
            np.testing.assert_array_equal(values, arrays[field])
            assert values.dtype == arrays[field].dtype
        else:
            assert isinstance(values, list)
            np.testing.assert_array_equal(np.concatenate(values), arrays[field])
            assert [len(value) for value in values] == np.diff(start).tolist()


@pytest.mark.parametrize("name", CASES)
def test_no_rows_give_no_answers(made, name):
    predictor = made(name).predictor
    answers = predictor.predict(pd.DataFrame(columns=[column.name for column in predictor.inputs]))
    assert (len(answers), list(answers.columns)) == (0, [column.name for column in predictor.outputs])


def test_batches_shrink_when_the_memory_is_full_and_stay_small(made, monkeypatch, caplog):
    case = made("images")
    predictor, rows = case.predictor, case.rows()
    expected, sizes, predict_batch = predictor.predict(rows), [], predictor.task.predict

    def cramped(batch):
        sizes.append(len(batch["image"]))
        if sizes[-1] > 6:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return predict_batch(batch)

    monkeypatch.setattr(predictor, "batch_size", 20)
    monkeypatch.setattr(predictor.task, "predict", cramped)
    found = predictor.predict(rows)
    same(found["probabilities"], np.array(expected["probabilities"].tolist()))
    assert (predictor.batch_size, "predicting 5 samples at a time" in caplog.text) == (5, True)
    predictor.predict(rows)
    assert [size for size in sizes if size > 6] == [20, 10]
    monkeypatch.setattr(predictor.task, "predict", lambda batch: cramped({"image": range(7)}))
    with pytest.raises(OutOfMemory, match="does not hold the prediction of one sample"):
        predictor.predict(rows)
