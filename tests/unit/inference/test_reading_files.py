"""Files that a person gives to a model: which are found, and what is read of each."""

import base64
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from snaketorch.errors import DataError
from snaketorch.inference.reading.data_files import draw_samples, read_files
from tests.unit.inference.test_reading_datasets import all_of


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_picture(path: Path, grey: int = 0) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((7, 9, 3), grey, np.uint8)).save(path)
    return path.read_bytes()


def test_files_folders_and_patterns_are_read_in_order(made, here, caplog):
    for name in ("b.png", "folder/2.png", "folder/deep/1.png", "folder/.hidden.png", "x1.png", "x2.png"):
        write_picture(here / name)
    (here / "folder/notes.md").write_text("")

    found = all_of(read_files(["x*.png", "folder", "b.png", "folder/2.png"], made("images").predictor, []))

    assert found.beside["source"].tolist() == ["x1.png", "x2.png", "folder/2.png", "folder/deep/1.png", "b.png"]
    assert "folder: left aside: 1 .md" in caplog.text


def test_an_image_is_the_same_however_it_comes(made, here):
    content = write_picture(here / "1.png", 200)
    pixels = np.full((7, 9, 3), 200, np.uint8)
    text = base64.b64encode(content).decode()
    Path("a.csv").write_text(f"image\n{text}\n")
    Path("b.jsonl").write_text(json.dumps({"image": pixels.tolist()}) + "\n")
    parquet.write_table(pa.table({"image": [content]}), "c.parquet")
    parquet.write_table(pa.table({"image": [pixels.tolist()]}), "d.parquet")

    given = ["1.png", "a.csv", "b.jsonl", "c.parquet", "d.parquet"]
    found = all_of(read_files(given, made("images").predictor, []))

    assert found.beside["source"].tolist() == ["1.png", "a.csv:2", "b.jsonl:1", "c.parquet: row 1", "d.parquet: row 1"]
    answers = made("images").predictor.predict(found.samples)
    assert answers["probability"].nunique() == 1


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_sequences_are_nested_lists(made, here, ending):
    values = np.arange(12.0).reshape(6, 2)
    row = {"id": 7, "value": values.tolist()}
    writers = {
        ".csv": lambda path: pd.DataFrame([row | {"value": json.dumps(row["value"])}]).to_csv(path, index=False),
        ".jsonl": lambda path: path.write_text(json.dumps(row) + "\n"),
        ".parquet": lambda path: parquet.write_table(pa.Table.from_pylist([row]), path),
    }
    writers[ending](Path(f"some{ending}"))

    found = all_of(read_files([f"some{ending}"], made("sequences").predictor, ["id"]))

    np.testing.assert_array_equal(np.array(found.samples["value"][0]), values)
    assert str(found.beside["id"][0]) == "7"
    assert len(made("sequences").predictor.predict(found.samples)) == 1


def test_bad_lines_are_named_and_the_others_read(made, here):
    Path("a.csv").write_text("text\ncat\ndog,sat\nran\n")
    Path("b.jsonl").write_text('{"text": "cat"}\nno JSON\n[1]\n')

    found = all_of(read_files(["a.csv", "b.jsonl"], made("texts").predictor, []))

    assert found.samples["text"].tolist() == ["cat", "ran", "cat"]
    assert [row.source for row in found.unreadable] == ["a.csv:3", "b.jsonl:2", "b.jsonl:3"]
    assert found.unreadable[0].why == "has 2 cells, the header has 1"


def test_a_text_file_is_one_text(made, here):
    Path("a.txt").write_text("cat\nsat\n")
    Path("b.txt").write_bytes(b"\xff")

    found = all_of(read_files(["a.txt", "b.txt"], made("texts").predictor, []))

    assert found.samples["text"].tolist() == ["cat\nsat\n"]
    assert [row.source for row in found.unreadable] == ["b.txt"]


def test_a_series_is_forecast_after_its_last_step_or_after_each(made, here):
    case = made("a series")
    lines = [f"{1700 + step},{step % 11}" for step in range(20)]
    Path("new.csv").write_text("\n".join(["YEAR,SUNACTIVITY", *lines]) + "\n")
    case.predictor.prepare["source"]["time"] = "YEAR"

    last = all_of(read_files(["new.csv"], case.predictor, []))
    each = all_of(read_files(["new.csv"], case.predictor, [], every_step=True))

    assert last.beside.to_dict("list") == {"source": ["new.csv:21"], "time": ["1719"]}
    np.testing.assert_array_equal(
        last.samples["value"][0][:, 0], [14 % 11, 15 % 11, 16 % 11, 17 % 11, 18 % 11, 19 % 11]
    )
    assert len(each.samples) == 20 - 6 + 1
    assert each.beside["source"].iloc[[0, -1]].tolist() == ["new.csv:7", "new.csv:21"]
    assert len(case.predictor.predict(each.samples)) == 15


def test_histories_are_rows(made, here):
    Path("some.jsonl").write_text(json.dumps({"value": [1, 2, 3, 4, 5, 6, 7]}) + "\n")

    found = all_of(read_files(["some.jsonl"], made("a series").predictor, []))

    assert found.samples["value"].tolist() == [[1, 2, 3, 4, 5, 6, 7]]


def test_a_generator_needs_no_data(made):
    plain = all_of(draw_samples(3, 5, made("a generator").predictor))
    told = all_of(draw_samples(3, 5, made("a generator of classes").predictor))

    assert plain.samples.to_dict("list") == {"seed": [5, 6, 7]}
    assert told.samples["label"].tolist() == told.beside["label"].tolist() == ["0", "1", "0"]
    assert len(made("a generator of classes").predictor.predict(told.samples)) == 3
    with pytest.raises(DataError, match=r"the model needs data \(image\); allowed: --data FILES in place of --count"):
        draw_samples(3, 5, made("images").predictor)


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("images", {}, r"new: there is no such file; allowed: files, folders and patterns of .*\.png"),
        ("images", {"new": ""}, r"new: this is no file that the model can be given; allowed: .*\.jpg"),
        ("texts", {"new.csv": "txt\ncat\n"}, r"there is no column 'text'; did you mean 'txt'\?; the file has txt"),
        ("a series", {"new.csv": "SUNACTIVITY\n1\n2\n"}, r"has 2 steps; the model looks back on 6"),
        ("a series", {"new.csv": "SUNACTIVITY\nabc\n"}, r"new.csv:2: 'SUNACTIVITY' is 'abc', no number"),
        ("rows", {"new.csv": ""}, r"new.csv: the file is empty"),
    ],
)
def test_what_cannot_be_given_is_refused(made, here, name, write, said):
    for file, text in write.items():
        Path(file).write_text(text)

    with pytest.raises(DataError, match=said):
        all_of(read_files([next(iter(write), "new")], made(name).predictor, []))


def test_large_cells_make_small_parts(made, here, monkeypatch):
    monkeypatch.setattr("snaketorch.inference.reading.parquet_rows.PART_BYTES", 4000)
    parquet.write_table(pa.table({"value": [np.ones(500).tolist()] * 9}), "some.parquet", use_dictionary=False)

    parts = [read() for read in read_files(["some.parquet"], made("sequences").predictor, []).parts()]

    assert sum(len(part.samples) for part in parts) == 9
    assert len(parts) == 9
