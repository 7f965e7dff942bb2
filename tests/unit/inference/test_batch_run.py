"""Predictions in parts: killed at any moment and started again, they are those of a run that nothing disturbed."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from snaketorch import __main__ as command_line
from snaketorch.errors import DataError, InUse, UserError
from snaketorch.inference.batch.by_hand import predict_files
from snaketorch.inference.batch.run import Options
from snaketorch.inference.batch.table import carried, in_schema, joined_schema
from snaketorch.state.lock import sole_writer

ROWS = 40
STATE = Path("state/predict/by-hand")


NEVER_DONE = """
import sys, time
from snaketorch.__main__ import main
from snaketorch.inference.batch.parts import Parts
add = Parts.add
def add_most(self, table, bad):
    if self.done == 35:
        time.sleep(600)
    add(self, table, bad)
Parts.add = add_most
sys.exit(main())
"""


class Killed(BaseException):
    """As a kill, nothing catches it."""


@pytest.fixture
def here(tmp_path, monkeypatch, caplog) -> Path:
    """A folder with rows in four files, which are four parts."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")
    for number in range(4):
        rows = [f"{number * 10 + row},{row / 10},red,1,True,{'ab'[row % 2]}" for row in range(ROWS // 4)]
        Path(f"data-{number}.csv").write_text("\n".join(["id,size,colour,other,flag,class", *rows]) + "\n")
    return tmp_path


@pytest.fixture
def predict(made, here):
    """Predicts the files by the model of rows."""

    def run(out: str = "out.parquet", **changes):
        told = {
            "data": ["data-*.csv"],
            "count": None,
            "seed": 0,
            "out": Path(out),
            "keep": ["id", "class"],
            "every_step": False,
            "batch_size": 256,
            "options": Options(),
            "code": "c",
            "threads": 1,
        }
        return predict_files(made("rows").bundle, **told | changes)

    return run


def killed_after(parts: int, monkeypatch, predict, **changes) -> None:
    """A run that is killed when so many parts are done."""
    from snaketorch.inference.batch.parts import Parts

    add = Parts.add

    def dying(self, table, bad):
        if self.done == parts:
            raise Killed
        add(self, table, bad)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Parts, "add", dying)
        predict(**changes)


def test_columns_are_the_source_what_is_kept_and_the_answers(predict):
    done = predict()

    table = parquet.read_table("out.parquet")
    assert table.column_names == ["source", "id", "given_class", "class", "probability", "probabilities"]
    assert table["source"].to_pylist()[:2] == ["data-0.csv:2", "data-0.csv:3"]
    assert table["id"].to_pylist() == [str(row) for row in range(ROWS)]
    assert table["given_class"].to_pylist() == ["a", "b"] * (ROWS // 2)
    assert table["probabilities"].type == pa.list_(pa.float64())
    assert (done.rows, list(done.bad), done.rows_now) == (ROWS, [], ROWS)
    assert not list(Path("state/predict").rglob("part-*"))
    assert not Path("out.parquet.bad.jsonl").exists()


def test_answers_are_those_of_a_single_call(predict, made):
    predict()
    rows = pd.concat([pd.read_csv(f"data-{number}.csv", dtype=str) for number in range(4)], ignore_index=True)

    expected = made("rows").predictor.predict(rows[[column.name for column in made("rows").predictor.inputs]])

    found = parquet.read_table("out.parquet").to_pandas()
    assert found["class"].tolist() == expected["class"].tolist()
    assert found["probability"].tolist() == pytest.approx(expected["probability"].tolist(), rel=1e-5)


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_a_killed_run_goes_on_and_gives_the_same_bytes(predict, monkeypatch, caplog, parts):
    predict("whole.parquet")
    killed_after(parts, monkeypatch, predict)
    assert not Path("out.parquet").exists()

    done = predict()

    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    assert done.rows_now == ROWS - 10 * parts
    assert ("going on after 10 rows" in caplog.text) == (parts == 1)


def test_a_run_that_was_killed_after_it_published_gives_the_same_again(predict, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("snaketorch.inference.batch.run.clear", lambda folder: (_ for _ in ()).throw(Killed))
        predict()
    before = Path("out.parquet").read_bytes()

    assert predict().rows_now == 0
    assert Path("out.parquet").read_bytes() == before


def test_files_that_changed_in_between_are_noticed(predict, monkeypatch, caplog):
    killed_after(2, monkeypatch, predict)
    text = Path("data-1.csv").read_text()
    Path("data-1.csv").write_text(text.replace("red", "green"))

    assert predict().rows_now == ROWS
    assert "beginning anew: data-1.csv has changed since the predictions were begun" in caplog.text


def test_other_code_begins_anew(predict, monkeypatch, caplog):
    killed_after(2, monkeypatch, predict)

    assert predict(code="d").rows_now == ROWS
    assert "beginning anew: another code than when the predictions were begun" in caplog.text


def test_a_new_start_can_be_asked_for(predict, monkeypatch):
    killed_after(2, monkeypatch, predict)

    assert predict(options=Options(restart=True)).rows_now == ROWS


def test_a_damaged_part_is_made_again(predict, monkeypatch):
    predict("whole.parquet")
    killed_after(3, monkeypatch, predict)
    (part,) = STATE.rglob("part-00001.parquet")
    part.write_bytes(part.read_bytes()[:100])

    assert predict().rows_now == ROWS - 10
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def test_a_file_that_changes_while_it_is_read_is_an_error(predict, monkeypatch, made):
    answer = type(made("rows").predictor).predict_good

    def changing(self, rows, **options):
        os.utime("data-0.csv", ns=(1, 1))
        return answer(self, rows, **options)

    monkeypatch.setattr(type(made("rows").predictor), "predict_good", changing)

    with pytest.raises(DataError, match=r"data-0\.csv has changed while it was read; run again"):
        predict()
    assert not Path("out.parquet").exists()


def test_two_runs_at_once_are_refused(predict, monkeypatch):
    killed_after(1, monkeypatch, predict)
    (folder,) = STATE.iterdir()
    monkeypatch.setattr("snaketorch.state.lock.LOCK_WAIT_SECONDS", 0.1)
    program = "import time\nfrom pathlib import Path\nfrom snaketorch.state.lock import sole_writer\n"
    program += f"with sole_writer(Path({str(folder)!r}), 0):\n    print('held', flush=True)\n    time.sleep(60)\n"
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        monkeypatch.setattr("snaketorch.inference.batch.run.sole_writer", lambda folder: sole_writer(folder, 0.1))
        with pytest.raises(InUse, match="another run makes these predictions now"):
            predict()
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def spoil(rows: int) -> None:
    lines = Path("data-2.csv").read_text().splitlines()
    for row in range(1, rows + 1):
        lines[row] = lines[row].replace("red", "red,too much") if row == 1 else lines[row].replace(",0.", ",no ", 1)
    Path("data-2.csv").write_text("\n".join(lines) + "\n")


def test_bad_rows_are_listed_and_the_others_predicted(predict, caplog):
    spoil(2)

    done = predict()

    listed = [json.loads(line) for line in Path("out.parquet.bad.jsonl").read_text().splitlines()]
    assert [row["source"] for row in listed] == ["data-2.csv:2", "data-2.csv:3"]
    assert listed[0]["why"] == "has 7 cells, the header has 6"
    assert "'size' is 'no 1'" in listed[1]["why"]
    assert (done.rows, len(done.bad)) == (ROWS - 2, 2)
    ids = parquet.read_table("out.parquet")["id"].to_pylist()
    assert ids == [str(row) for row in range(ROWS) if row not in (20, 21)]
    assert "2 rows had no prediction; out.parquet.bad.jsonl lists them" in caplog.text


def test_too_many_bad_rows_are_an_error_and_more_may_be_allowed_then(predict):
    spoil(5)

    with pytest.raises(DataError, match=r"^5 of \d+ rows so far cannot .* max_bad_share allows 5\.00%; out.*bad.jsonl"):
        predict()
    assert not Path("out.parquet").exists()
    assert len(Path("out.parquet.bad.jsonl").read_text().splitlines()) == 5

    done = predict(options=Options(max_bad_share=0.2))
    assert (done.rows, done.rows_now) == (ROWS - 5, 10), "what was done is kept"


def test_a_bad_row_can_be_the_end(predict):
    spoil(1)

    with pytest.raises(DataError, match=r"^1 row cannot be predicted; .*: data-2\.csv:2: has 7 cells"):
        predict(options=Options(on_bad_row="fail"))


def test_no_good_row_at_all_is_an_error(predict):
    Path("bad.csv").write_text("id,size,colour,other,flag,class\n1,x,red,1,True,a\n")

    with pytest.raises(DataError, match="none of 1 row can be predicted"):
        predict(data=["bad.csv"], options=Options(max_bad_share=1))


def test_a_list_of_bad_rows_of_an_earlier_run_is_removed(predict):
    Path("out.parquet.bad.jsonl").write_text("{}\n")

    predict()

    assert not Path("out.parquet.bad.jsonl").exists()


def test_the_ending_says_the_format(predict):
    for name in ("out.parquet", "out.jsonl", "out.csv"):
        predict(name)

    rows = parquet.read_table("out.parquet").to_pylist()
    assert [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()] == rows
    with Path("out.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == list(rows[0])
    assert [json.loads(row["probabilities"]) for row in found] == [row["probabilities"] for row in rows]
    assert [float(row["probability"]) for row in found] == [row["probability"] for row in rows]
    with pytest.raises(UserError, match=r"out\.xlsx: .*allowed endings: \.parquet, \.jsonl, \.csv"):
        predict("out.xlsx")


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("folder.csv", "folder.csv is a folder; allowed: the name of a file to write"),
        ("file.txt/some.csv", "file.txt/some.csv cannot be written: File exists: file.txt"),
        ("file.txt/deep/some.csv", "file.txt/deep/some.csv cannot be written: Not a directory: file.txt"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_predicted(predict, here, out, said):
    (here / "folder.csv").mkdir()
    (here / "file.txt").write_text("")

    with pytest.raises(UserError, match=said):
        predict(out=Path(out))

    assert not Path("state").exists()


def test_a_file_that_is_read_is_never_written_over(predict):
    before = Path("data-1.csv").read_bytes()

    with pytest.raises(UserError, match=r"data-1\.csv is one of the files to predict; allowed: another name"):
        predict("data-1.csv")
    with pytest.raises(UserError, match="is one of the files to predict"):
        predict(str(Path.cwd() / "data-1.csv"), data=["data-0.csv", "./data-1.csv"])

    assert Path("data-1.csv").read_bytes() == before


def test_numbers_that_would_lose_digits_beside_those_of_other_files_are_text(predict, here):
    table = pd.read_csv("data-0.csv")
    table.assign(id=2**53 + 1).to_parquet("a.parquet")
    table.assign(id=1.5).to_parquet("b.parquet")
    predict(data=["a.parquet", "b.parquet"], keep=["id", "size"])

    found = pd.read_parquet("out.parquet")
    assert found["id"].tolist() == 10 * ["9007199254740993"] + 10 * ["1.5"]
    assert found["size"].dtype == "float64"


def test_numbers_and_letters_that_no_column_holds_cost_one_row_each(predict):
    rows = [{"size": 0.5, "colour": "red", "other": 1, "flag": True, "id": row} for row in range(20)]
    rows[3]["other"], rows[5]["colour"], rows[7]["id"] = 10**60, "\ud800", "\udfff"
    Path("rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    done = predict(data=["rows.jsonl"], keep=["id"], options=Options(max_bad_share=0.5))

    assert done.rows == 17
    assert sorted(row.source for row in done.bad) == ["rows.jsonl:4", "rows.jsonl:6", "rows.jsonl:8"]


def test_columns_that_are_not_there_cannot_be_kept(predict):
    with pytest.raises(DataError, match=r"data-0\.csv: there is no column 'idd'; did you mean 'id'"):
        predict(keep=["idd"])


def test_an_unknown_parameter_is_refused(predict):
    with pytest.raises(UserError, match="--set: the model has no parameter heat; allowed: none"):
        predict(options=Options(parameters={"heat": 1}))


def test_a_kept_column_of_several_types_is_text():
    assert carried([1, float("nan"), 2]).to_pylist() == [1, None, 2]
    assert carried([1, "a", [2]]).to_pylist() == ["1", "a", "[2]"]
    parts = [pa.table({"id": [1]}), pa.table({"id": ["a"]}), pa.table({"id": [[1]]}), pa.table({"x": [1]})]
    schema = joined_schema(part.schema for part in parts)
    assert [in_schema(part, schema)["id"].to_pylist() for part in parts] == [["1"], ["a"], ["[1]"], [None]]


def test_the_command_makes_samples_of_a_generator(made, here, caplog):
    words = ["predict", "--model", str(made("a generator").bundle), "--count", "3", "--seed", "7"]

    assert command_line.main([*words, "--out", "made.parquet"]) == 0

    table = parquet.read_table("made.parquet")
    assert table.column_names == ["source", "image"]
    assert table["source"].to_pylist() == ["seed 7", "seed 8", "seed 9"]


def test_a_process_that_is_killed_loses_at_most_a_part(made, here, caplog):
    """The real command, killed without warning, whatever it was doing; however late, it is not done."""
    lines = Path("data-0.csv").read_text().splitlines()
    for number in range(40):
        Path(f"data-{number}.csv").write_text("\n".join(lines[:1] + lines[1:] * 20) + "\n")
    words = ["predict", "--model", str(made("rows").bundle), "--keep", "id", "--data"]
    words += [*(f"data-{number}.csv" for number in range(40)), "--out"]
    command = [sys.executable, "-c", NEVER_DONE, *words, "out.parquet"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not list(STATE.rglob("part-00002.parquet")):
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    assert not Path("out.parquet").exists()

    assert command_line.main([*words, "out.parquet"]) == 0
    assert command_line.main([*words, "whole.parquet"]) == 0

    assert "going on after " in caplog.text
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()
