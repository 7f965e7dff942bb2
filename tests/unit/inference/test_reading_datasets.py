"""A dataset of the study read whole for a model: every kind of source, with and without labels."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import TypeAdapter

from snaketorch.config.sources import Source
from snaketorch.errors import DataError
from snaketorch.inference.reading.dataset import read_dataset
from snaketorch.inference.reading.part import Part, Reading
from tests.unit.inference.bundles import CASES, SAMPLES


def all_of(reading: Reading) -> Part:
    """Every part as one."""
    parts = [read() for read in reading.parts()]
    return Part(
        pd.concat([part.samples for part in parts], ignore_index=True),
        pd.concat([part.beside for part in parts], ignore_index=True),
        [row for part in parts for row in part.unreadable],
    )


def source_of(content: dict) -> Source:
    return TypeAdapter(Source).validate_python(content)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", [name for name in CASES if "generator" not in name])
def test_every_sample_of_a_source_is_read_with_what_is_true_of_it(made, name):
    case = made(name)
    expected = case.rows()

    found = all_of(read_dataset("some", case.spec.source, case.predictor, []))

    assert list(found.samples.columns) == [column.name for column in case.predictor.inputs]
    assert len(found.samples) == len(found.beside) == len(expected)
    assert not found.unreadable
    assert found.beside.columns[0] == "source"
    assert found.beside["source"].is_unique
    pd.testing.assert_frame_equal(case.predictor.predict(found.samples), case.predictor.predict(expected))
    if "truth" in expected:
        pd.testing.assert_series_equal(found.beside["truth"], expected["truth"], check_dtype=False)


def test_there_are_no_more_rows_than_were_said(made):
    for name in ("images", "texts", "rows", "a series", "running text", "sequences of many lengths"):
        case = made(name)
        reading = read_dataset("some", case.spec.source, case.predictor, [])
        rows = sum(len(read().samples) for read in reading.parts())
        assert rows <= reading.most_rows <= rows + 2, name


def test_rows_without_a_target_are_read_too(made, here):
    Path("new.csv").write_text("id,size,colour,other,flag\n17,0.5,red,1,True\n18,,green,2,False\n")
    source = source_of({"kind": "table", "path": "new.csv", "target": "what"})

    found = all_of(read_dataset("new", source, made("rows").predictor, ["id"]))

    assert list(found.beside.columns) == ["source", "id"]
    assert found.beside["source"].tolist() == ["new.csv:2", "new.csv:3"]
    assert found.beside["id"].tolist() == ["17", "18"]
    assert len(made("rows").predictor.predict(found.samples)) == 2


def test_the_truth_of_rows_is_as_in_the_training_data(made, here):
    Path("new.csv").write_text("size,colour,other,flag,what,cost\n1,red,1,True, a ,7.5\n2,red,1,True,,dear\n")
    classes = source_of({"kind": "table", "path": "new.csv", "target": "what"})
    numbers = source_of({"kind": "table", "path": "new.csv", "target": "cost", "predict": "number"})

    assert all_of(read_dataset("new", classes, made("rows").predictor, [])).beside["truth"].tolist() == ["a", None]
    truth = all_of(read_dataset("new", numbers, made("numbers of rows").predictor, [])).beside["truth"]
    assert truth.tolist() == [7.5, None]


def test_both_files_of_a_source_are_read_whatever_they_were_for(made, here):
    Path("a.csv").write_text("size,colour,other,flag,what\n1,red,1,True,a\n")
    Path("b.csv").write_text("size,colour,other,flag,what\n2,red,1,True,b\n")
    source = source_of({"kind": "table", "path": "a.csv", "test_path": "b.csv", "target": "what"})

    found = all_of(read_dataset("new", source, made("rows").predictor, []))

    assert found.beside["source"].tolist() == ["a.csv:2", "b.csv:2"]


def test_texts_are_read_from_the_column_that_the_dataset_names(made, here):
    Path("new.jsonl").write_text(json.dumps({"review": "cat sat", "stars": "a"}) + "\n")
    source = source_of({"kind": "text", "path": "new.jsonl", "text": "review", "label": "stars"})

    found = all_of(read_dataset("new", source, made("texts").predictor, []))

    assert found.samples["text"].tolist() == ["cat sat"]
    assert found.beside["truth"].tolist() == ["a"]


def write_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((7, 9, 3), np.uint8)).save(path)


def test_images_need_no_class_folders(made, here):
    for name in ("2.png", "1.png", "more/3.png"):
        write_picture(here / "new" / name)
    source = source_of({"kind": "image_folder", "path": "new"})

    found = all_of(read_dataset("new", source, made("images").predictor, []))

    assert found.beside.to_dict("list") == {"source": ["1.png", "2.png", "more/3.png"]}
    assert len(made("images").predictor.predict(found.samples)) == 3


def test_class_folders_say_what_is_true(made, here):
    for name in ("train/cat/1.png", "train/dog/2.png", "test/cat/3.png", "test/dog/4.png"):
        write_picture(here / "new" / name)
    source = source_of({"kind": "image_folder", "path": "new"})

    found = all_of(read_dataset("new", source, made("images").predictor, [])).beside

    assert found["source"].tolist() == ["test/cat/3.png", "test/dog/4.png", "train/cat/1.png", "train/dog/2.png"]
    assert found["truth"].tolist() == ["cat", "dog", "cat", "dog"]


def test_columns_cannot_be_kept_of_what_has_none(made):
    case = made("images")
    with pytest.raises(DataError, match=r"predict\.keep: source 'arrays' has no columns"):
        read_dataset("some", case.spec.source, case.predictor, ["id"])


def test_every_sample_of_a_source_is_there_once(made):
    assert (
        len(all_of(read_dataset("some", made("images").spec.source, made("images").predictor, [])).samples) == SAMPLES
    )
