import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources import table as table_source
from snaketorch.data.sources.table import load
from snaketorch.errors import DataError


@pytest.fixture
def table(tmp_path):
    """Loads a file of that content: ``table(content, prepare={}, **options of the source)``."""

    def make(content, prepare=None, test=None, **options):
        path = tmp_path / "a.csv"
        if isinstance(content, pd.DataFrame):
            path = tmp_path / "a.parquet"
            content.to_parquet(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if test is not None:
            (tmp_path / "b.csv").write_text(test)
            options["test_path"] = str(tmp_path / "b.csv")
        source = {"kind": "table", "path": str(path), "target": "t", **options}
        spec = {"dataset": "some", "source": source, "split": {}, "prepare": prepare or {}}
        return load(PrepareSpec.model_validate(spec))

    return make


def csv(**columns) -> str:
    """A CSV file whose rows are as many as the longest column has values; the others are repeated."""
    rows = max(map(len, columns.values()))
    lines = [",".join(str(values[row % len(values)]) for values in columns.values()) for row in range(rows)]
    return "\n".join([",".join(columns), *lines, ""])


def test_numbers_and_categories_are_told_apart(table):
    raw = table(
        "n,s,b,code,exp,t\n 1 ,a,true,007,1e-3,x\n+2.5,b,false,12,.5,y\n-3.,NA,true,110,-2E+2,x\n4,a b,false,007,0,y\n"
    )
    assert {name: str(column.type) for name, column in zip(raw.table.column_names, raw.table.columns, strict=True)} == {
        "n": "double",
        "s": "dictionary<values=string, indices=int32, ordered=0>",
        "b": "dictionary<values=string, indices=int32, ordered=0>",
        "code": "dictionary<values=string, indices=int32, ordered=0>",
        "exp": "double",
    }
    assert raw.table["n"].to_pylist() == [1, 2.5, -3, 4]
    assert raw.table["exp"].to_pylist() == [0.001, 0.5, -200, 0]
    assert raw.table["s"].to_pylist() == ["a", "b", "NA", "a b"]
    assert raw.table["code"].to_pylist() == ["007", "12", "110", "007"]
    assert (raw.target.tolist(), raw.classes, raw.target_name) == ([0, 1, 0, 1], ("x", "y"), "t")
    assert list(raw.names) == ["line 2", "line 3", "line 4", "line 5"]


def test_missing_values_are_null(table):
    raw = table(csv(n=["1", "", "NA", "nan", " ", "?", "7"], s=["a", "", " ", "NA"], t="xy"))
    assert raw.table["n"].to_pylist() == [1, None, None, None, None, None, 7]
    assert raw.table["s"].to_pylist() == ["a", None, None, "NA", "a", None, None]


def test_named_categories_hold_and_all_others_are_numbers(table):
    raw = table(csv(zip=["01", "02"], year=["1999", "2000"], t="xy"), categorical=["year"])
    assert raw.table["zip"].to_pylist() == [1, 2]
    assert raw.table["year"].to_pylist() == ["1999", "2000"]


def test_a_few_texts_in_a_column_of_numbers_are_bad_data(table):
    content = csv(n=["1", "2", "3", "many", "5"], s="ab", t="xy")
    with pytest.raises(DataError, match=r"1 of 5 rows cannot be used: line 5: 'n' is 'many', no number\.") as error:
        table(content)
    assert "`categorical: [n, s]`" in str(error.value)
    assert table(content, categorical=["n", "s"]).table["n"].to_pylist() == ["1", "2", "3", "many", "5"]


def test_numbers_in_a_column_of_text_are_categories(table):
    assert table(csv(title=["Up", "1984", "Heat"], t="xy")).table["title"].to_pylist() == ["Up", "1984", "Heat"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('"3,14"', "'3,14', with a comma or separated thousands; allowed: such as 1234.5"),
        ('"1,234.5"', "'1,234.5', with a comma"),
        ("1 234", "'1 234', with a comma"),
        ("inf", "infinite"),
        ("-Infinity", "infinite"),
        ("1e999", "infinite"),
        ("0x1F", "'0x1F', no number"),
        ("1_000", "'1_000', no number"),
        ("12 kg", "'12 kg', no number"),
        ("2020-01-02", "'2020-01-02', no number"),
    ],
)
def test_what_is_no_plain_number_is_named(table, cell, said):
    with pytest.raises(DataError) as error:
        table(csv(n=["1", "2", cell, "4"], t="xy"))
    assert f"line 4: 'n' is {said}" in str(error.value)


def test_a_column_of_decimal_commas_is_not_taken_for_categories(table):
    with pytest.raises(DataError, match="4 of 4 rows cannot be used: line 2: 'n' is '1,5', with a comma"):
        table(csv(n=['"1,5"', '"2,5"', '"3,5"', '"4,5"'], t="xy"))


def test_all_bad_rows_are_counted_and_the_first_are_named(table):
    with pytest.raises(DataError) as error:
        table("n,t\n1,x\n2\n3,\ninf,y\n" + "5,6,7\n" * 4 + "9,y\n")
    said = str(error.value)
    assert "a.csv: 7 of 9 rows cannot be used: line 3: has 1 cell, the header has 2; line 4: 't' is missing; " in said
    assert "; and 2 more. Mend them, or leave them out with `prepare: {on_bad_sample: skip}`" in said


def test_rows_that_are_lost_in_a_quote_count_as_bad(table):
    rows = [f"{row},{'xy'[row % 2]}\n" for row in range(200)]
    rows[100] = '"100,x\n'
    with pytest.raises(DataError, match=r"100 of 200 rows .*line 102: a quote is .*line 103: .*allows 1.00% to be"):
        table("n,t\n" + "".join(rows), prepare={"on_bad_sample": "skip"})


def test_bad_rows_can_be_skipped_and_are_listed(table):
    content = "n,t\n1,x\n2\n3,y\ninf,x\n4,y\n"
    raw = table(content, prepare={"on_bad_sample": "skip", "max_bad_share": 0.4})
    assert raw.table["n"].to_pylist() == [1, 3, 4]
    assert raw.target.tolist() == [0, 1, 1]
    assert list(raw.names) == ["line 2", "line 4", "line 6"]
    assert [(bad.sample, bad.why) for bad in raw.skipped] == [
        ("line 3", "has 1 cell, the header has 2"),
        ("line 5", "'n' is infinite"),
    ]
    with pytest.raises(DataError, match=r"prepare\.max_bad_share allows 39\.00%"):
        table(content, prepare={"on_bad_sample": "skip", "max_bad_share": 0.39})


def test_a_class_that_only_bad_rows_have_is_none(table):
    content = csv(n="1234567", t=["x", "y", "x", "y", "x", "y"]) + "bad,z\n"
    assert table(content, prepare={"on_bad_sample": "skip", "max_bad_share": 0.2}).classes == ("x", "y")


def test_classes_that_are_numbers_are_in_their_order(table):
    assert table(csv(n="1234", t=["10", "9", "2"] * 3)).classes == ("2", "9", "10")


def test_a_number_can_be_the_target(table):
    raw = table(csv(n="123", t=["1.5", "2", "-3e1"]), predict="number")
    assert (raw.target.tolist(), raw.classes) == ([1.5, 2, -30], ())


@pytest.mark.parametrize(("cell", "said"), [("", "missing"), ("NA", "missing"), ("low", "'low', no number")])
def test_a_target_that_is_no_number_is_named(table, cell, said):
    with pytest.raises(DataError, match=f"line 3: 't' is {said}"):
        table(csv(n="123", t=["1.5", cell, "2"]), predict="number")


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("n,tt\n1,x\n", {}, r"source\.target: there is no column 't' in .*a\.csv.*; allowed: n, tt"),
        ("n,target\n1,x\n", {"target": "Targt"}, "did you mean 'target'"),
        ("n,t\n1,x\n", {"columns": ["m"]}, r"source\.columns: there is no column 'm'"),
        ("n,t\n1,x\n", {"columns": ["n", "n"]}, "'n' is listed twice"),
        ("n,t\n1,x\n", {"columns": ["n", "t"]}, "'t' is the target"),
        ("n,t\n1,x\n", {"categorical": ["m"]}, "source.categorical: 'm' is not among the columns"),
        ("t\nx\ny\n", {}, "there is no column besides the target 't'"),
        ("n,t\n", {}, "there is no row below the header"),
        ("n,n,t\n1,2,x\n", {}, "column 2 and column 1 are both called 'n'"),
        (",n,t\n0,1,x\n1,2,y\n", {}, r"column 1 has no name \(the index that pandas writes\?\)"),
        ("n,m,t\n1,,x\n2,NA,y\n", {}, "column 'm' has no values"),
        ("n,t\n1,x\n2,x\n3,x\n", {}, "all values of 't' are 'x'; at least two classes are needed"),
        (
            csv(n="12", t=[f"{row}.5" for row in range(120)]),
            {},
            "120 different values in 120 rows, all of them numbers",
        ),
        (csv(n="12", t=[f"{row}" for row in range(120)]), {}, "to learn a number, set `predict: number`"),
        (csv(n="12", t=[f"name {row}" for row in range(9)]), {}, "9 different values in 9 rows; a class needs"),
        ("1,a,x\n2,b\n3,b\n", {"target": "x"}, "Are the columns named in the first line"),
        (b"n,t\n1,caf\xe9\n2,y\n", {}, "line 2: is not UTF-8: byte 0xe9 at position 9"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, content, options, said):
    with pytest.raises(DataError, match=said):
        table(content, **options)


def test_a_column_without_a_name_may_be_left_out(table):
    assert table(",n,t\n0,1,x\n1,2,y\n", columns=["n"]).table.column_names == ["n"]


def test_a_file_of_its_own_for_the_test(table):
    raw = table(csv(n="1234", s="ab", t="xy"), test="t,m,n,s\ny,?,5,c\nx,?,6,a\n")
    assert {split: rows.tolist() for split, rows in raw.given.items()} == {"test": [4, 5]}
    assert raw.table["n"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert raw.table["s"].to_pylist()[4:] == ["c", "a"]
    assert raw.target.tolist() == [0, 1, 0, 1, 1, 0]
    assert list(raw.names)[3:] == ["line 5", "b.csv, line 2", "b.csv, line 3"]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("n,u\n1,x\n", r"source\.test_path: there is no column 't' in .*b\.csv"),
        ("t\nx\n", r"source\.test_path: there is no column 'n'"),
        ("n,t\nmany,x\n", "b.csv, line 2: 'n' is 'many', no number"),
        ("n,t\n", r"b\.csv: there is no row below the header"),
    ],
)
def test_a_file_for_the_test_that_does_not_fit_is_refused(table, test, said):
    with pytest.raises(DataError, match=said):
        table(csv(n="1234", t="xy"), test=test)


def test_parquet_columns_are_what_their_types_say(table):
    frame = pd.DataFrame(
        {
            "whole": [1, 2, 3, 4],
            "part": [0.5, None, 2.5, 3.5],
            "flag": [True, False, True, True],
            "text": ["a", None, "b", "a"],
            "as_text": ["1", "2", "3", "4"],
            "category": pd.Categorical(["u", "v", "u", "v"]),
            "day": pd.to_datetime(["2020-01-01"] * 4),
            "t": [1.0, 0.0, 1.0, 0.0],
        }
    )
    raw = table(frame)
    kinds = {name: raw.table[name].type == pa.float64() for name in raw.table.column_names}
    assert [name for name, is_number in kinds.items() if is_number] == ["whole", "part", "as_text"]
    assert raw.table["part"].to_pylist() == [0.5, None, 2.5, 3.5]
    assert raw.table["flag"].to_pylist() == ["true", "false", "true", "true"]
    assert raw.table["text"].to_pylist() == ["a", None, "b", "a"]
    assert raw.table["day"].to_pylist()[0].startswith("2020-01-01")
    assert raw.classes == ("0", "1")
    assert raw.names[3] == "row 4"


def test_infinity_in_parquet_is_named(table):
    with pytest.raises(DataError, match="row 2: 'n' is infinite"):
        table(pd.DataFrame({"n": [1.0, float("inf")], "t": ["x", "y"]}))


def test_a_type_that_is_neither_number_nor_text_is_refused(table):
    with pytest.raises(DataError, match=r"column 'n' holds list<.*>; allowed: numbers, text, dates"):
        table(pd.DataFrame({"n": [[1], [2]], "t": ["x", "y"]}))


def test_the_same_table_is_the_same_whatever_the_size_of_chunks(table, monkeypatch):
    content = csv(n=[str(row) for row in range(50)], s="abcde", t="xyz")
    whole = table(content)
    monkeypatch.setattr("snaketorch.data.files.delimited.CHUNK_ROWS", 7)
    parts = table(content)
    assert parts.table.to_pydict() == whole.table.to_pydict()
    assert parts.target.tolist() == whole.target.tolist()
    assert list(parts.names) == list(whole.names)


def test_parquet_of_large_strings_and_dictionaries_is_read(tmp_path):
    columns = {
        "s": pa.array(["a", "b"], pa.large_string()),
        "v": pa.array(["a", "b"]).dictionary_encode(),
        "d": pa.array([1, 2], pa.decimal128(5, 2)),
        "t": pa.array(["x", "y"]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    source = {"kind": "table", "path": str(tmp_path / "a.parquet"), "target": "t"}
    raw = load(PrepareSpec.model_validate({"dataset": "some", "source": source, "split": {}, "prepare": {}}))
    assert raw.table.to_pydict() == {"s": ["a", "b"], "v": ["a", "b"], "d": [1, 2]}


@pytest.mark.parametrize(("free", "is_refused"), [(0.5, True), (1.5, False), (3, None)])
def test_a_table_that_hardly_fits_into_the_memory_is_told_before_it_is_read(
    table, monkeypatch, caplog, free, is_refused
):
    rows = csv(x=range(30), t="ab")
    needed = 60 * 2 * table_source.CELL_BYTES
    monkeypatch.setattr("snaketorch.data.sources.memory.free_host_memory", lambda: free * needed)
    if is_refused:
        monkeypatch.setattr(table_source._Table, "read", None)
        with pytest.raises(
            DataError, match=r"a.csv: 60 rows of 1 columns need about .*are free here. Take fewer columns"
        ):
            table(rows, test=rows)
    else:
        table(rows, test=rows)
        assert ("60 rows of 1 columns need about" in caplog.text) == (is_refused is False)
