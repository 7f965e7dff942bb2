from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError, field_validator

from snaketorch.config import specs
from snaketorch.config.base import NAME_IN_WORDS, Name, Section, Text
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.explain import allowed, concrete, explain, kinds, schema_of, shown
from snaketorch.config.study import StudyConfig
from snaketorch.config.yaml_loader import read_yaml


class Round(Section):
    kind: Literal["round"]
    radius: Annotated[float, Field(gt=0)] = 1.0


class Square(Section):
    kind: Literal["square"]
    side: Annotated[int, Field(ge=1, le=9)]


class Drawing(Section):
    name: Name = "x"
    title: Text = "x"
    colour: Literal["red", "green"] = "red"
    corners: Literal[3] = 3
    shape: Annotated[Round | Square, Field(discriminator="kind")] = Round(kind="round")
    more: list[Annotated[Round | Square, Field(discriminator="kind")]] = Field([])
    frame: Square | None = None
    sizes: list[int] = Field([1, 2], min_length=2, max_length=2)
    tags: list[str] = Field(["x"], min_length=1)
    bold: bool = False

    @field_validator("bold")
    @classmethod
    def _never(cls, value: bool) -> bool:
        if value:
            raise ValueError("bold is ugly; allowed: false")
        return value


def said(folder: Path, text: str, whole: bool = True) -> list[str]:
    (folder / "x.yaml").write_text(text)
    document = read_yaml(folder / "x.yaml", "x.yaml")
    with pytest.raises(ValidationError) as error:
        Drawing.model_validate(document.data)
    return [str(problem) for problem in explain(error.value, document, Drawing, whole)]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            "names: y",
            "1: names",
            "unknown key; allowed: name, title, colour, corners, shape, more, frame, sizes, tags, bold; "
            "did you mean 'name'?",
        ),
        ("shape: {kind: round, side: 3}", "1: shape.side", "unknown key; allowed: kind, radius"),
        ("shape: {kind: round, round: 3}", "1: shape.round", "unknown key; allowed: kind, radius"),
        (
            "shape: {kind: square}",
            "1: shape.side",
            "is required; allowed: a whole number of at least 1 and of at most 9",
        ),
        ("shape:\n  kind: circle", "2: shape.kind", "'circle' (text) is not possible; allowed: round, square"),
        (
            "shape: {kind: Square, side: 1}",
            "1: shape.kind",
            "'Square' (text) is not possible; allowed: round, square; did you mean 'square'?",
        ),
        ("shape: {radius: 3}", "1: shape", "needs 'kind'; allowed: round, square"),
        (
            "shape: square",
            "1: shape",
            "'square' (text) is not possible; allowed: a mapping with 'kind': round, square; "
            "did you mean {kind: square}?",
        ),
        ("shape:", "1: shape", "nothing (null) is not possible; allowed: a mapping with 'kind': round, square"),
        (
            "more:\n- {kind: round, radius: 1}\n- {kind: round, radius: 0}",
            "3: more.1.radius",
            "0 is not possible; allowed: a number above 0",
        ),
        ("frame: 3", "1: frame", "3 is not possible; allowed: a mapping with the keys kind, side"),
        (
            "frame: {kind: square, side: 10}",
            "1: frame.side",
            "10 is not possible; allowed: a whole number of at least 1 and of at most 9",
        ),
        ("frame: {kind: round, side: 1}", "1: frame.kind", "'round' (text) is not possible; allowed: square"),
        ("colour: gren", "1: colour", "'gren' (text) is not possible; allowed: red, green; did you mean 'green'?"),
        ("corners: 4", "1: corners", "4 is not possible; allowed: 3"),
        ("sizes: [1]", "1: sizes", "a list of 1 is not possible; allowed: a list of 2, each a whole number"),
        ("sizes: [1, a]", "1: sizes.1", "'a' (text) is not possible; allowed: a whole number"),
        ("sizes: 3", "1: sizes", "3 is not possible; allowed: a list of 2, each a whole number; did you mean [3]?"),
        ("tags: []", "1: tags", "an empty list is not possible; allowed: a list of at least one, each text"),
        ("bold: 1", "1: bold", "1 is not possible; allowed: true or false"),
        ("bold: true", "1: bold", "bold is ugly; allowed: false"),
        ("name: a b", "1: name", f"'a b' (text) is not possible; allowed: {NAME_IN_WORDS}"),
        (
            "title: ''",
            "1: title",
            "'' (text) is not possible; allowed: one line of text of at most 200 characters, not empty",
        ),
        ("shape: {kind: round, radius: .nan}", "1: shape.radius", "nan is not possible; allowed: a number above 0"),
        ("shape: {kind: round, radius: true}", "1: shape.radius", "true is not possible; allowed: a number above 0"),
        (
            "shape: {kind: round, radius: {a: 1}}",
            "1: shape.radius",
            "a mapping is not possible; allowed: a number above 0",
        ),
    ],
)
def test_an_error_is_explained_where_it_is(tmp_path: Path, text: str, place: str, message: str):
    assert said(tmp_path, text) == [f"x.yaml:{place}: {message}"]


def test_what_could_not_be_read_is_no_second_problem(tmp_path: Path):
    text = "name: 007\nshape: {kind: !x round}\nframe: {<<: {}, side: 3}\nsizes: [01, 2]\n"

    assert said(tmp_path, text) == []


def test_a_document_that_is_not_whole_may_leave_out_keys_but_no_more(tmp_path: Path):
    text = "shape: {radius: 3}\nframe: {kind: square, sides: 1}\n"

    assert [line.partition(";")[0] for line in said(tmp_path, text, whole=False)] == [
        "x.yaml:2: frame.sides: unknown key",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing (null)"),
        (True, "true"),
        ("a", "'a' (text)"),
        ("a" * 100, f"'{'a' * 57}...' (text)"),
        ([], "an empty list"),
        ([1, 2], "a list of 2"),
        ({}, "a mapping"),
        (1.5, "1.5"),
        (10**70, "1" + "0" * 56 + "..."),
    ],
)
def test_a_value_is_shown_as_it_was_written(value: object, text: str):
    assert shown(value) == text


@pytest.mark.parametrize("model", [StudyConfig, DatasetConfig, ExperimentConfig, specs.TrainSpec, specs.EvaluateSpec])
def test_there_are_words_for_every_key(model: type[Section]):
    root = schema_of(model)
    for section in [root, *root["$defs"].values()]:
        for schema in section["properties"].values():
            assert allowed(schema, root)


def test_kinds_come_in_the_order_in_which_they_are_declared():
    root = schema_of(Drawing)

    assert kinds(concrete(root, root["properties"]["shape"])) == ["round", "square"]
    assert kinds(root) == []
