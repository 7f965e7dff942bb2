import datetime
import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.data.prepare import prepare
from snaketorch.data.sources.timeseries import load
from snaketorch.data.times import describe_steps, say_length, say_time
from snaketorch.errors import DataError

TS = "@univariate true\n@classLabel true a b\n@data\n"


def spec_of(path, prepare_options=None, split=None, **source):
    source = {"kind": "timeseries", "path": str(path), **source}
    if not str(path).endswith(".ts"):
        source.setdefault("time", "when")
    return PrepareSpec.model_validate(
        {"dataset": "some", "source": source, "split": split or {}, "prepare": prepare_options or {}}
    )


def load_csv(tmp_path, text, name="some.csv", **source):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load(spec_of(path, **source))


def prepared(tmp_path, spec):
    prepare(spec, tmp_path / "manifest.json", tmp_path / "preview.png", tmp_path / "arrays", "c0de", None)
    return Manifest.load(tmp_path / "manifest.json")


def test_dates_of_whole_hours_are_days_since_1970(tmp_path):
    raw = load_csv(tmp_path, "when,a,b\n1970-01-02,1,\n1970-01-02 12:00,2.5,NA\n1970/01/03,3,4\n")
    assert raw.time.tolist() == [1, 1.5, 2]
    assert raw.time_unit == "days since 1970-01-01"
    assert raw.names == ("a", "b")
    assert np.array_equal(raw.values, [[1, np.nan], [2.5, np.nan], [3, 4]], equal_nan=True)


@pytest.mark.parametrize("name", ["some.csv", "some.jsonl"])
def test_days_without_hyphens_are_days_and_no_numbers(tmp_path, name):
    days = (20200131, 20200201, 20200203)
    rows = ["when,a", *(f"{day},1" for day in days)]
    text = "\n".join(rows if name == "some.csv" else [f'{{"when": {day}, "a": 1}}' for day in days])
    raw = load_csv(tmp_path, text, name)
    assert np.diff(raw.time).tolist() == [1, 2]
    assert say_time(raw.time[0], raw.time_unit) == "2020-01-31"


def test_numbers_of_eight_digits_that_count_stay_numbers(tmp_path):
    rows = "\n".join(f"{20200100 + row},1" for row in range(200))
    raw = load_csv(tmp_path, f"when,a\n{rows}\n")
    assert (raw.time_unit, set(np.diff(raw.time))) == ("when", {1})


def test_every_second_is_told_apart(tmp_path):
    start = datetime.datetime(2026, 3, 29)
    rows = [f"{start + datetime.timedelta(seconds=row)},{row}" for row in range(4000)]
    raw = load_csv(tmp_path, "when,a\n" + "\n".join(rows))
    assert raw.time_unit == "seconds since 1970-01-01"
    assert (np.diff(raw.time) == 1).all()
    assert say_time(raw.time[1], raw.time_unit) == "2026-03-29 00:00:01"


def test_zones_become_utc(tmp_path):
    raw = load_csv(tmp_path, "when,a\n2026-10-25T02:30:00+02:00,1\n2026-10-25T02:30:00+01:00,2\n")
    assert [say_time(time, raw.time_unit) for time in raw.time] == ["2026-10-25 00:30", "2026-10-25 01:30"]


def test_numbers_that_rise_are_times_too(tmp_path):
    raw = load_csv(tmp_path, "a\twhen\n5\t1.5\n6\t2.5\n", "some.tsv")
    assert (raw.time.tolist(), raw.time_unit) == ([1.5, 2.5], "when")


@pytest.mark.parametrize("name", ["some.csv.gz", "some.jsonl"])
def test_every_format_of_rows_can_hold_a_series(tmp_path, name):
    text = "when,a\n1,2\n3,4.5\n" if ".csv" in name else '{"when": 1, "a": 2}\n{"when": 3, "a": 4.5}\n'
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    raw = load(spec_of(path))
    assert (raw.time.tolist(), raw.values.tolist()) == ([1, 3], [[2], [4.5]])


def test_columns_that_are_left_out_are_told(tmp_path):
    rows = "".join(f"{row},{row % 7},Oslo\n" for row in range(50))
    (tmp_path / "some.csv").write_text(f"when,a,city\n{rows}")
    manifest = prepared(tmp_path, spec_of(tmp_path / "some.csv", columns=["a"]))
    assert manifest.report["facts"]["columns left out"] == ["city"]


def test_channels_come_as_asked_for(tmp_path):
    raw = load_csv(tmp_path, "a,when,city,b\n1,1,Oslo,2\n3,2,Rome,4\n", columns=["b", "a"])
    assert raw.names == ("b", "a")
    assert raw.values.tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,a\n01/02/2020,1\n", r"some.csv:2: 'when' is '01/02/2020', which begins with the day or the month"),
        ("when,a\n2020-01-01,1\n\n02.01.2020,2\n", r"some.csv:4: 'when' is '02.01.2020'"),
        ("when,a\n2020-01-01,1\nsoon,2\n", r"some.csv:3: 'when' is 'soon', which is no date or number"),
        ("when,a\n20200229,1\n20200230,1\n", r"some.csv:3: 'when' is '2020-02-30', which is no day"),
        ("when,a\n20200130,1\n20200131,1\n20200132,1\n", r"some.csv:4: .*'20200132', which is no day such as"),
        ("when,a\n2020-02-30,1\n", r"some.csv:2: 'when' is '2020-02-30', which is no day"),
        ("when,a\n2020-01-01 00:00Z,1\n2020-01-01 01:00,2\n", r"some.csv:3: .* without a time zone, unlike the rows"),
        ("when,a\n2020-01-01,1\n,2\n", r"some.csv:3: 'when' is missing"),
        ("when,a\n2020-01-03,1\n2020-01-02,2\n", r"some.csv:3: .*'2020-01-02' comes after '2020-01-03'"),
        ("when,a\n2020-01-03,1\n2020-01-03,2\n", r"some.csv:3: .*is the time of the row before it too"),
        ("when,a\n3,1\n2,2\n", r"some.csv:3: time does not go forwards: 'when' '2.0' comes after '3.0'"),
        ("when,a\ninf,1\n", r"some.csv:2: 'when' is inf"),
        ("when,a\n1,1\n2,cold\n", r"some.csv:3: 'a' is 'cold', no number; allowed: finite numbers"),
        ("when,a\n1,\"1,5\"\n", r"some.csv:2: 'a' is '1,5', with a comma"),
        ("when,a\n1,1\n2,-inf\n", r"some.csv:3: 'a' is infinite"),
        ("when,a\n", "there are no rows"),
        ("when\n1\n", "there is no column but 'when'"),
        ("whenn,a\n1,2\n", r"source.time: there is no column 'when' in .*; did you mean 'whenn'"),
        ("when,a,a\n1,2,3\n", "column 3 and column 2 are both called 'a'"),
        ("when;a\n1;2\n", "the header is a single name, 'when;a'; is the delimiter ';'"),
        ("when,a\n1,2\n3\n", "some.csv:3: the row has 1 cell, the header has 2"),
        ("", "the file is empty"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_the_place(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        load_csv(tmp_path, text)


def test_a_column_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"source.columns: there is no column 'tmep'; did you mean 'temp'"):
        load_csv(tmp_path, "when,temp\n1,2\n", columns=["tmep"])


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_other_encodings_are_refused(tmp_path, encoding):
    path = tmp_path / "some.csv"
    path.write_bytes("when,größe\n1,2\n".encode(encoding))
    with pytest.raises(DataError, match=r"allowed: UTF-8|is not UTF-8: byte 0xf6"):
        load(spec_of(path))


@pytest.mark.parametrize("zone", [None, "Europe/Oslo"])
def test_parquet_gives_what_csv_gives(tmp_path, zone):
    times = pa.array([0, 3600, 7200], pa.timestamp("s", zone))
    table = pa.table({"when": times, "a": pa.array([1, None, 3], pa.int32()), "b": pa.array([0.5, 1, 2], pa.float32())})
    pq.write_table(table, tmp_path / "some.parquet", row_group_size=2)
    raw = load(spec_of(tmp_path / "some.parquet"))
    assert raw.time.tolist() == [0, 1 / 24, 2 / 24]
    assert np.array_equal(raw.values, [[1, 0.5], [np.nan, 1], [3, 2]], equal_nan=True)


def test_parquet_that_cannot_be_used_is_refused(tmp_path):
    path = tmp_path / "some.parquet"
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match=r"this is no whole Parquet file"):
        load(spec_of(path))
    pq.write_table(pa.table({"when": [2, 1], "a": [1, 2]}), path)
    with pytest.raises(DataError, match=r"some.parquet: row 2: time does not go forwards"):
        load(spec_of(path))
    pq.write_table(pa.table({"when": [1, 2], "a": [True, False]}), path)
    with pytest.raises(DataError, match=r"column 'a' holds bool, no numbers"):
        load(spec_of(path))


def test_gaps_are_found_and_named():
    hours = np.array([0, 1, 2, 5, 6, 7, 8, 32, 33]) / 24
    facts = describe_steps(hours, "days since 1970-01-01")
    assert facts == {
        "step": "1 hour",
        "gaps": 2,
        "longest gap": "1 day after row 6 (1970-01-01 08:00)",
        "first gaps": ["3 hours after row 2 (1970-01-01 02:00)", "1 day after row 6 (1970-01-01 08:00)"],
    }


def test_months_have_no_gaps_and_uneven_steps_no_length():
    months = np.arange("2001-01", "2004-01", dtype="datetime64[M]").astype("datetime64[D]").astype(np.float64)
    assert describe_steps(months, "days since 1970-01-01")["gaps"] == 0
    assert "uneven" in describe_steps(np.array([0, 1, 3.5, 7, 7.2]), "s")["step"]
    assert describe_steps(np.array([1.0]), "s") == {}
    assert say_length(0.25, "year") == "0.25 year"


def test_a_series_is_prepared_with_its_gaps_in_the_report(tmp_path):
    days = [day for day in range(100) if day not in (10, 11)]
    rows = [f"{datetime.date(2020, 1, 1) + datetime.timedelta(day)},{day * day % 17}" for day in days]
    (tmp_path / "some.csv").write_text("when,a\n" + "\n".join(rows))
    manifest = prepared(tmp_path, spec_of(tmp_path / "some.csv"))
    manifest.verify()
    facts = json.loads(manifest.path.read_text())["report"]["facts"]
    assert (facts["step"], facts["gaps"]) == ("1 day", 1)
    assert facts["longest gap"] == "3 days after row 9 (2020-01-10)"
    assert sum(split.count for split in manifest.splits.values()) == 98


def test_filling_looks_back_only(tmp_path):
    values = [str(row % 7) for row in range(50)]
    values[34:37] = ["", "", ""]  # on both sides of the cut between train and val
    (tmp_path / "some.csv").write_text("when,a\n" + "\n".join(f"{row},{value}" for row, value in enumerate(values)))
    manifest = prepared(tmp_path, spec_of(tmp_path / "some.csv", {"missing": "forward_fill"}))
    assert manifest.arrays("train")["value"][-2:, 0].tolist() == [33 % 7, 33 % 7]
    assert manifest.arrays("val")["value"][:3, 0].tolist() == [33 % 7, 33 % 7, 37 % 7]


def gestures(tmp_path, lengths, name="g_TRAIN.ts"):
    draw = np.random.default_rng(len(lengths))
    cases = [
        ",".join(f"{value:.3f}" for value in draw.normal(size=length)) + f":{'ab'[row % 2]}"
        for row, length in enumerate(lengths)
    ]
    (tmp_path / name).write_text(TS + "\n".join(cases))
    return tmp_path / name


def test_sequences_of_one_length_are_dense(tmp_path):
    path = gestures(tmp_path, [5] * 20)
    raw = load(spec_of(path))
    manifest = prepared(tmp_path, spec_of(path))
    manifest.verify()
    assert manifest.fields["value"]["shape"] == [5, 1]
    assert manifest.classes == ("a", "b")
    for split in SPLITS:
        arrays = manifest.arrays(split)
        assert arrays["value"].shape == (manifest.splits[split].count, 5, 1)
        assert np.bincount(arrays["label"], minlength=2).tolist() == list(manifest.splits[split].class_counts)
    train = manifest.arrays("train")["value"].astype(np.float64)
    statistics = manifest.fields["value"]["statistics"]
    assert (statistics["mean"], statistics["std"]) == (pytest.approx([train.mean()]), pytest.approx([train.std()]))
    every = np.sort(np.concatenate([manifest.arrays(split)["value"].ravel() for split in SPLITS]))
    assert np.array_equal(every, np.sort(np.concatenate(raw.values).ravel().astype(np.float32)))


def test_sequences_of_several_lengths_lie_one_after_the_other(tmp_path):
    train, test = gestures(tmp_path, range(3, 23)), gestures(tmp_path, [4, 30], "g_TEST.ts")
    raw = load(spec_of(train, test_path=str(test)))
    manifest = prepared(tmp_path, spec_of(train, test_path=str(test)))
    manifest.verify()
    assert (manifest.fields["value"]["shape"], manifest.fields["value"]["longest"]) == ([None, 1], 30)
    arrays = manifest.arrays("test")
    assert arrays["value_start"].tolist() == [0, 4, 34]
    assert np.array_equal(arrays["value"], np.concatenate(raw.values[-2:]).astype(np.float32))
    assert raw.names[-1] == "g_TEST.ts line 5"


def test_the_parts_of_an_archive_must_fit(tmp_path):
    train, test = gestures(tmp_path, [3] * 4), tmp_path / "test.ts"
    test.write_text(TS.replace("a b", "a c") + "1:a\n")
    with pytest.raises(DataError, match=r"test.ts: its classes are a, c, those of .* are a, b"):
        load(spec_of(train, test_path=str(test)))
    test.write_text("@classLabel true b a\n@data\n1:2:a\n")
    with pytest.raises(DataError, match=r"its cases have 2 dimensions, those of .* 1"):
        load(spec_of(train, test_path=str(test)))
    test.write_text(TS.replace("a b", "b a") + "1:a\n1:b\n")
    assert load(spec_of(train, test_path=str(test))).labels[-2:].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("cases", "options", "message"),
    [
        ("1,?:a", {}, "line 44: 'value' is missing at step 1 .1 of 2 values"),
        ("?,1:a", {"missing": "forward_fill"}, "line 44: 'value' is missing at the first step"),
        ("1,1e39:a", {}, "'value' is 1e.39 at step 1"),
    ],
)
def test_a_bad_sequence_is_named_or_left_out(tmp_path, cases, options, message):
    path = gestures(tmp_path, [2] * 40)
    path.write_text(f"{path.read_text()}\n{cases}\n")
    with pytest.raises(DataError, match=message):
        prepared(tmp_path, spec_of(path, options))
    manifest = prepared(tmp_path, spec_of(path, options | {"on_bad_sample": "skip", "max_bad_share": 0.05}))
    assert sum(split.count for split in manifest.splits.values()) == 40
    (skipped,) = json.loads(manifest.path.read_text())["report"]["skipped"]
    assert skipped["sample"] == "g_TRAIN.ts line 44"


def test_sequences_of_classes_that_are_left_out_are_not_looked_at(tmp_path):
    path = tmp_path / "g.ts"
    cases = [f"{row % 5},{row % 7}:{'abc'[row % 3]}" for row in range(60)] + ["1,?,9:c"]
    path.write_text("@classLabel true a b c\n@data\n" + "\n".join(cases))
    manifest = prepared(tmp_path, spec_of(path, split={"classes": ["b", "a"]}))
    assert manifest.classes == ("b", "a")
    assert sum(split.count for split in manifest.splits.values()) == 40
    assert manifest.fields["value"]["shape"] == [2, 1]
    assert json.loads(manifest.path.read_text())["report"]["skipped"] == []


def test_missing_steps_are_filled(tmp_path):
    path = gestures(tmp_path, [3] * 40)
    path.write_text(f"{path.read_text()}\n8,?,9:a\n")
    manifest = prepared(tmp_path, spec_of(path, {"missing": "forward_fill"}))
    every = np.concatenate([manifest.arrays(split)["value"] for split in SPLITS])
    assert [8, 8, 9] in every[:, :, 0].tolist()


def flat(tmp_path, first):
    path = tmp_path / "flat.ts"
    lines = "\n".join(f"{first(row)},2:7,7:{'ab'[row % 2]}" for row in range(40))
    path.write_text(f"@classLabel true a b\n@data\n{lines}")
    return spec_of(path)


def test_sequences_that_do_not_change_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"'dimension 1' is 2, 'dimension 2' is 7 all through the training split"):
        prepared(tmp_path, flat(tmp_path, lambda row: 2))


def test_one_channel_that_does_not_change_is_kept_and_told_of(tmp_path):
    found = prepared(tmp_path, flat(tmp_path, lambda row: row))
    assert found.fields["value"]["statistics"]["std"][1] == 1
    assert "train: dimension 2 is 7" in [
        example for finding in found.report["findings"] for example in finding["examples"]
    ]


@pytest.mark.parametrize("name", ["some.xlsx", "gone.csv"])
def test_files_that_cannot_be_read_are_refused(tmp_path, name):
    (tmp_path / "some.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"allowed endings: \.csv, .*, \.ts$|there is no such file"):
        load(spec_of(tmp_path / name))


@pytest.mark.parametrize(("name", "text"), [("some.csv", "when,a\n1,2\n2,3\n"), ("some.ts", f"{TS}1,2:a\n3,4:b\n")])
def test_a_file_that_does_not_fit_into_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch, name, text):
    monkeypatch.setattr("snaketorch.data.sources.memory.free_host_memory", lambda: 3 * len(text))
    load_csv(tmp_path, text, name)
    monkeypatch.setattr("snaketorch.data.sources.memory.free_host_memory", lambda: 3 * len(text) - 1)
    with pytest.raises(DataError, match=r"all its rows need about .*Cut the file, or give the job more memory"):
        load_csv(tmp_path, text, name)
