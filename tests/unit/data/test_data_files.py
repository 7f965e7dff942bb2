import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from snaketorch.data.files import delimited, lines, running_text, tabular
from snaketorch.data.files.open import open_table
from snaketorch.errors import DataError


@pytest.fixture
def write(tmp_path):
    """Writes a file of that name; gives its path."""

    def make(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return make


def read(path, *columns):
    """Places, columns as lists, and bad rows of a whole file."""
    file = open_table(path)
    chunks = list(file.chunks(columns or file.columns))
    places = [place for chunk in chunks for place in chunk.places.tolist()]
    values = [[cell for chunk in chunks for cell in chunk.columns[index].to_pylist()] for index in range(len(columns))]
    return places, values, [bad for chunk in chunks for bad in chunk.bad]


def test_rows_have_the_line_on_which_they_begin(write):
    path = write("a.csv", 'x,y\n1,"two\nlines"\n\n2,b\r\n   \n3,"c ""quoted"""\n')
    assert read(path, "y", "x") == ([2, 5, 7], [["two\nlines", "b", 'c "quoted"'], ["1", "2", "3"]], [])


def test_bad_rows_are_named_by_line_and_the_others_are_read(write):
    path = write("a.csv", b'x,y\n1,2\n1,2,3\n1\ncaf\xe9,1\n"a"b,1\n1,a\0b\n3,4\n')
    places, (x, _), bad = read(path, "x", "y")
    assert (places, x) == ([2, 8], ["1", "3"])
    assert bad == [
        (3, "has 3 cells, the header has 2"),
        (4, "has 1 cell, the header has 2"),
        (5, "is not UTF-8: byte 0xe9 at position 19 of the file (Latin-1 or Windows-1252?)"),
        (6, "text follows a closing quote; allowed: a quote inside quotes written twice"),
        (7, "has a NUL byte at position 33 of the file"),
    ]


def test_a_quote_that_is_never_closed_is_named_where_it_opens_and_the_lines_that_it_takes_in_are_counted(write):
    assert read(write("a.csv", 'x,y\n1,2\n3,"4\n5,6\n7,8\n'), "x")[2] == [
        (3, "a quote is opened and never closed"),
        (4, "is within the quote of line 3"),
        (5, "is within the quote of line 3"),
    ]


def test_lines_up_to_a_quote_that_closes_another_row_s_are_counted(write):
    places, _, bad = read(write("a.csv", 'x,y\n1,2\n3,"4\n5,6\n7,"8"\n9,0\n'), "x")
    assert (places, [line for line, _ in bad]) == ([2, 6], [3, 4, 5])


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(write, monkeypatch):
    monkeypatch.setattr(delimited, "MOST_CHARACTERS", 50)
    places, _, bad = read(write("a.csv", 'x\n"1\n' + "2\n" * 100), "x")
    assert sorted([*places, *(line for line, _ in bad)]) == list(range(2, 103))
    assert "is a quote never closed?" in bad[0][1]
    assert len(places) > 50


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [False, True])
def test_a_byte_order_mark_and_compression_change_nothing(write, mark, pack):
    content = mark + "x,y\né,2\n".encode()
    path = write("a.csv.gz" if pack else "a.csv", gzip.compress(content, mtime=0) if pack else content)
    assert read(path, "x", "y") == ([2], [["é"], ["2"]], [])


def test_tabs_separate_in_tsv(write):
    assert read(write("a.tsv", "x\ty\n1,5\t2\n"), "x")[1] == [["1,5"]]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", "x,y\n1,2\n".encode("utf-16"), "is UTF-16; allowed: UTF-8"),
        ("a.csv", "x,y\n1,2\n".encode("utf-16-le"), "holds NUL bytes"),
        ("a.csv", b"PK\x03\x04 rest", "ZIP archive, as Excel writes"),
        ("a.csv", gzip.compress(b"x,y\n1,2\n", mtime=0), r"is compressed, but its name does not end in \.gz"),
        ("a.csv.gz", b"x,y\n1,2\n", "cannot be unpacked"),
        ("a.csv", b"PAR1....", "is a Parquet file"),
        ("a.csv", b"x,y,x\n1,2,3\n", "column 3 and column 1 are both called 'x'"),
        ("a.csv", b"x;y\n1;2\n", "single name, 'x;y'; is the delimiter ';'"),
        ("a.csv", b"x,caf\xe9\n1,2\n", r"the header \(line 1\): is not UTF-8: byte 0xe9 at position 5"),
        ("a.csv", b",,\n1,2,3\n", "there is no header"),
        ("a.csv", b"x,y\r1,2\r3,4\r", "bare carriage return"),
        ("a.jsonl", b'[{"x": 1}]\n', "line 1 is a list, not an object; allowed: a JSON object on every line"),
        ("a.jsonl", b"\n\n", "there is no object"),
        ("a.parquet", b"x,y\n1,2\n", "this is no whole Parquet file"),
        ("a.xlsx", b"PK", r"not the name of a file of rows; allowed endings: \.csv"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_refused(write, name, content, said):
    with pytest.raises(DataError, match=said):
        open_table(write(name, content))


def test_a_compressed_file_that_is_cut_off_is_refused(write):
    path = write("a.csv.gz", gzip.compress(b"x,y\n1,2\n" * 100, mtime=0)[:30])
    with pytest.raises(DataError, match=r"cannot be unpacked .*; it may be cut off"):
        read(path, "x")


def test_a_folder_is_no_file_of_rows(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match="this is a folder"):
        open_table(str(tmp_path / "a.csv"))


def test_bad_lines_of_json_are_named_by_line(write):
    rows = [
        '{"x": "a", "y": 1}',
        "{",
        '{"x": "b"}',
        "",
        "[1]",
        '{"x": {"z": 1}}',
        '{"x": "\\ud800"}',
        '{"x": "é\\u00e9"}',
    ]
    places, (x, y), bad = read(write("a.jsonl", "\n".join(rows)), "x", "y")
    assert (places, x, y) == ([1, 3, 8], ["a", "b", "éé"], ["1", None, None])
    assert [line for line, _ in bad] == [2, 5, 6, 7]
    assert bad[0][1].startswith("is no JSON: ")
    assert [why for _, why in bad[1:]] == [
        "is a list, not an object",
        "'x' is an object, not text",
        "'x' has half a surrogate pair; allowed: Unicode text",
    ]


def test_a_column_of_json_may_begin_late(write):
    path = write("a.jsonl", "\n".join([*(json.dumps({"x": "a"}) for _ in range(5)), '{"y": true}']))
    assert read(path, "y")[1] == [[None] * 5 + ["true"]]


def test_parquet_keeps_its_types_and_has_row_numbers(tmp_path):
    frame = pd.DataFrame({"x": [1.5, None], "y": ["a", "b"]}, index=["r", "s"])
    frame.to_parquet(tmp_path / "a.parquet")
    file = open_table(str(tmp_path / "a.parquet"))
    assert file.columns == ("x", "y"), "the index of pandas is no column"
    (chunk,) = file.chunks(["y", "x"])
    assert chunk.places.tolist() == [1, 2]
    assert chunk.columns[1].type == pa.float64()


def test_parquet_without_rows_is_refused(tmp_path):
    parquet.write_table(pa.table({"x": pa.array([], pa.int64())}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="1 columns and 0 rows"):
        open_table(str(tmp_path / "a.parquet"))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_chunks_are_bounded_and_lose_nothing(tmp_path, monkeypatch, ending):
    for module in ("delimited", "json_lines", "parquet"):
        monkeypatch.setattr(f"snaketorch.data.files.{module}.CHUNK_ROWS", 10)
    frame = pd.DataFrame({"x": [f"text {row}" for row in range(95)]})
    path = tmp_path / f"a.{ending}"
    {
        "csv": lambda: frame.to_csv(path, index=False),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        "parquet": lambda: frame.to_parquet(path),
    }[ending]()
    sizes = [len(chunk.places) for chunk in open_table(str(path)).chunks(["x"])]
    assert max(sizes) == 10
    assert read(str(path), "x")[1] == [frame["x"].tolist()]


def test_long_texts_make_small_chunks(write, monkeypatch):
    monkeypatch.setattr(delimited, "CHUNK_CHARACTERS", 1000)
    chunks = list(open_table(write("a.csv", "x\n" + f"{'a' * 400}\n" * 9)).chunks(["x"]))
    assert max(len(chunk.places) for chunk in chunks) == 3
    assert tabular.CHUNK_CHARACTERS > 1000


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(write, monkeypatch):
    monkeypatch.setattr(lines, "MOST_BYTES", 100)
    with pytest.raises(DataError, match="line 1 is longer than"):
        open_table(write("a.csv", "x," * 200))


@pytest.mark.parametrize("part", [1, 2, 3, 1000])
def test_running_text_is_the_same_in_parts_of_any_size(write, monkeypatch, part):
    monkeypatch.setattr(running_text, "PART_BYTES", part)
    path = write("a.txt", b"\xef\xbb\xbf" + "one\r\ntwo é€😀\rthree\n\r\n".encode())
    assert "".join(running_text.read_text(Path(path))) == "one\ntwo é€😀\nthree\n\n"


@pytest.mark.parametrize("part", [1, 3, 1000])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ab\néé".encode() + b"\xffx", "byte 0xff at position 7"),
        (b"abc\xe2\x82", "byte 0xe2 at position 3"),
        (b"a" * 300 + b"\0", "NUL byte at position 300"),
    ],
)
def test_bytes_that_are_no_text_are_named_by_their_position(write, monkeypatch, part, content, said):
    monkeypatch.setattr(running_text, "PART_BYTES", part)
    with pytest.raises(DataError, match=said):
        list(running_text.read_text(Path(write("a.txt", content))))
