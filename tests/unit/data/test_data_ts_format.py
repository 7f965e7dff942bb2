import numpy as np
import pytest

from snaketorch.data.sources.ts_format import read_ts
from snaketorch.errors import DataError

HEADER = """# a comment
% another
@ProblemName Gestures
@timestamps FALSE
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true wave point
@data
"""


def written(tmp_path, cases, header=HEADER):
    path = tmp_path / "some_TRAIN.ts"
    path.write_text(header + cases)
    return path


def test_cases_of_unequal_lengths_are_read_with_their_lines(tmp_path):
    found = read_ts(written(tmp_path, "1,2,3:4,?,6:point\n\n# between\n7 , 8:9,10: wave \n"))
    assert found.classes == ("wave", "point")
    assert found.labels.tolist() == [1, 0]
    assert found.lines == [11, 14]
    assert np.array_equal(found.values[0], [[1, 4], [2, np.nan], [3, 6]], equal_nan=True)
    assert found.values[1].tolist() == [[7, 9], [8, 10]]


def test_a_header_line_without_a_word_says_nothing(tmp_path):
    assert read_ts(written(tmp_path, "1:2:wave\n", HEADER.replace("@missing true", "@"))).labels.tolist() == [0]


def test_the_number_of_dimensions_may_be_left_to_the_first_case(tmp_path):
    header = HEADER.replace("@dimensions 2\n", "").replace("@univariate false\n", "")
    assert read_ts(written(tmp_path, "1:2:3:wave\n", header)).values[0].shape == (1, 3)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ("1,2:wave\n", r"_TRAIN.ts:11: 1 dimensions and a class; allowed: 2 dimensions"),
        (
            "1:2:wave\n1:2:wvae\n",
            r":12: class 'wvae' is not in the header; did you mean 'wave'\?; allowed: wave, point",
        ),
        ("1,2:3:wave\n", r":11: dimension 2 has 1 values, dimension 1 has 2"),
        ("1,x:2,3:wave\n", r":11: value 2 of dimension 1 is 'x'"),
        ("1,2:2,inf:wave\n", r":11: value 2 of dimension 2 is 'inf'"),
        ("1,2:2,:wave\n", r":11: value 2 of dimension 2 is ''"),
        ("", "there are no cases after @data"),
    ],
)
def test_a_bad_case_is_named_with_its_line(tmp_path, cases, message):
    with pytest.raises(DataError, match=message):
        read_ts(written(tmp_path, cases))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("@timestamps FALSE", "@timeStamps true", r":4: .*@timeStamps true\), which are not read"),
        ("@classLabel true wave point", "@targetLabel true", r":9: .*number as target"),
        ("@classLabel true wave point", "@classLabel false", "the cases have no classes"),
        ("@classLabel true wave point", "@classLabel true", ":9: @classLabel has the classes ''"),
        ("@classLabel true wave point", "@classLabel true a a", "each class once"),
        ("@missing true", "1:2:wave", r":5: '1:2:wave' stands before @data"),
        ("@data\n", "", "stands before @data|there is no line @data"),
        ("@dimensions 2", "@dimensions two", r":7: @dimensions is 'two'"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(tmp_path, old, new, message):
    with pytest.raises(DataError, match=message):
        read_ts(written(tmp_path, "1:2:wave\n", HEADER.replace(old, new)))


def test_cases_have_the_length_that_the_header_says(tmp_path):
    header = HEADER.replace("@equalLength false", "@equalLength true\n@seriesLength 3")
    with pytest.raises(DataError, match=r":12: 2 values in a dimension, but @seriesLength says 3"):
        read_ts(written(tmp_path, "1,2:3,4:wave\n", header))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (HEADER.encode("utf-16"), "the file is UTF-16; allowed: UTF-8"),
        (b"@problemName a\n# caf\xe9 ole\n", r":2: the line is not UTF-8: byte 0xe9 at position 20 of the file"),
        (b"@problemName a\n\n\x00\x00", "the file holds NUL bytes"),
    ],
)
def test_what_is_no_utf8_text_is_refused(tmp_path, content, message):
    path = tmp_path / "bad.ts"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_ts(path)
