import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snaketorch.config.document import UNREAD, Document
from snaketorch.config.problems import Position
from snaketorch.config.yaml_loader import read_yaml
from snaketorch.config.yaml_scalars import parse_scalar

FINITE = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | FINITE | KEYS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS.filter(lambda key: key != "<<"), inner, max_size=3)
    ),
    max_leaves=10,
)


def read(folder: Path, text: str) -> Document:
    (folder / "x.yaml").write_text(text, "utf-8")
    return read_yaml(folder / "x.yaml", "x.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("nul", "nul"),
        ("true", True),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("3:20", "3:20"),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("-1.5e+3", -1500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("0.10", 0.1),
        ("00.5", 0.5),
        (".", "."),
        ("e5", "e5"),
        ("1e", "1e"),
        ("1.2.3", "1.2.3"),
        ("2024-01-31", "2024-01-31"),
        ("٣", "٣"),
    ],
)
def test_a_plain_scalar_is_read_as_yaml_1_2_says(text: str, value: object):
    found = parse_scalar(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["007", "00", "-012", "0_1", "08"])
def test_a_leading_zero_is_refused(text: str):
    with pytest.raises(ValueError, match="octal or decimal"):
        parse_scalar(text)


def test_infinity_and_nan_are_read_so_that_their_key_can_refuse_them():
    assert parse_scalar("-.inf") == float("-inf")
    assert str(parse_scalar(".NaN")) == "nan"


@given(st.integers(-(10**28), 10**28) | FINITE | st.booleans() | st.none())
def test_what_python_writes_is_read_back(value: object):
    found = parse_scalar(json.dumps(value))

    assert found == value
    assert type(found) is type(value)


@given(st.text())
def test_a_plain_scalar_is_never_altered_text(text: str):
    try:
        found = parse_scalar(text)
    except ValueError:
        assert text.lstrip("+-").startswith("0") or len(text) > 30
    else:
        assert found == text or not isinstance(found, str)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(KEYS, st.text(), min_size=1))
def test_quoted_text_is_read_as_it_stands(tmp_path: Path, value: dict[str, str]):
    def quoted(text: str) -> str:
        return '"' + "".join(f"\\U{ord(letter):08x}" for letter in text) + '"'

    document = read(tmp_path, "".join(f"{quoted(key)}: {quoted(item)}\n" for key, item in value.items()))

    assert document.problems == []
    assert document.data == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(KEYS, JSON, min_size=1))
def test_json_is_yaml(tmp_path: Path, value: dict):
    document = read(tmp_path, json.dumps(value, ensure_ascii=False))

    assert document.problems == []
    assert document.data == value


def test_every_value_remembers_its_line(tmp_path: Path):
    document = read(tmp_path, "# a comment\na: 1\nb:\n  c: [2,\n      3]\n\n  d:\n  - {e: 4}\n  - 5\n")

    lines = {path: position.line for path, position in document.positions.items()}
    assert lines == {
        (): 2,
        ("a",): 2,
        ("b",): 3,
        ("b", "c"): 4,
        ("b", "c", 0): 4,
        ("b", "c", 1): 5,
        ("b", "d"): 7,
        ("b", "d", 0): 8,
        ("b", "d", 0, "e"): 8,
        ("b", "d", 1): 9,
    }


def test_what_is_not_there_is_where_its_section_is(tmp_path: Path):
    document = read(tmp_path, "a:\n  b: 1\n")

    assert document.position(("a", "c", 3)) == Position("x.yaml", 1)
    assert document.position(("a", "b", "c")) == Position("x.yaml", 2)
    assert document.gap(("z",)) == Position("x.yaml", 1)


def test_an_alias_is_its_anchor_and_later_anchors_go_first(tmp_path: Path):
    document = read(tmp_path, "a: &x {k: [1, &y 2]}\nb: *x\nc: &x 3\nd: [*x, *y]\n")

    assert document.data == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": 3, "d": [3, 2]}


def test_a_chain_of_aliases_ends_with_a_message(tmp_path: Path):
    links = "".join(f"k{index}: &a{index} [*a{index - 1}]\n" for index in range(1, 2000))

    document = read(tmp_path, f"k0: &a0 [x]\n{links}")

    assert [problem.message.partition(";")[0] for problem in document.problems] == ["is nested more than 20 deep"]


def test_a_value_that_cannot_be_read_does_not_hide_its_neighbours(tmp_path: Path):
    document = read(tmp_path, "a: 012\nb: !x 1\nc: 3\n<<: {d: 4}\nc: 5\n[e]: 6\n")

    assert document.data == {"a": UNREAD, "b": UNREAD, "c": 3, "<<": UNREAD}
    assert [problem.line for problem in document.problems] == [1, 2, 4, 5, 6]


def test_what_may_not_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)

    document = read(tmp_path, "a: 1\n")

    assert [str(problem) for problem in document.problems] == ["x.yaml: cannot be read: Permission denied"]


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    import os

    os.mkfifo(tmp_path / "x.yaml")

    document = read_yaml(tmp_path / "x.yaml", "x.yaml")

    assert [problem.message for problem in document.problems] == ["is no regular file; allowed: a file"]
