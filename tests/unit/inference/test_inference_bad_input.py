"""What a model cannot read is said with its row and column, and costs no other row."""

import base64
import struct
import zlib
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from snaketorch.inference.bundle import load_bundle
from snaketorch.inference.columns import BadInput

PIXELS = np.random.default_rng(1).integers(0, 256, (7, 9, 3), dtype=np.uint8)


def encoded(pixels: np.ndarray = PIXELS, kind: str = "PNG") -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that promises that many pixels."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"")) + part(b"IEND", b"")


def test_an_image_may_come_as_bytes_as_base64_or_as_numbers(made):
    predictor = made("images").predictor
    text = base64.b64encode(encoded()).decode()
    wrapped = "\n".join(text[start : start + 60] for start in range(0, len(text), 60))
    forms = [
        *(encoded(), bytearray(encoded()), encoded(kind="BMP"), text, wrapped, f"data:image/png;base64,{text}"),
        *(PIXELS, PIXELS.transpose(2, 0, 1), PIXELS.tolist(), PIXELS.astype(float).tolist()),
        np.array([[np.array(pixel) for pixel in line] for line in PIXELS], dtype=object),
    ]
    answers = predictor.predict(pd.DataFrame({"image": pd.Series(forms, dtype=object)}))
    assert answers["probabilities"].map(tuple).nunique() == 1
    assert answers["class"].nunique() == 1


def test_a_grey_image_needs_no_channels(made):
    predictor = made("resized images").predictor
    grey = PIXELS[..., 0]
    forms = [grey, grey[None], grey[..., None], grey.tolist(), encoded(grey)]
    answers = predictor.predict(pd.DataFrame({"image": pd.Series(forms, dtype=object)}))
    assert answers["probabilities"].map(tuple).nunique() == 1


def test_sides_that_could_be_channels_are_told_by_the_size_of_the_dataset(made):
    predictor = made("images").predictor
    assert np.array_equal(predictor.fields(pd.DataFrame({"image": [PIXELS]}))[0]["image"][0], PIXELS.transpose(2, 0, 1))
    narrow = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
    reader = made("resized images").predictor
    first = reader.fields(pd.DataFrame({"image": [narrow]}))[0]["image"]
    assert np.array_equal(first, reader.fields(pd.DataFrame({"image": [narrow.transpose(1, 2, 0)]}))[0]["image"])


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (None, "it is missing"),
        (float("nan"), "it is missing"),
        ("", "the file is empty"),
        (b"", "the file is empty"),
        ("/etc/passwd", "it is text that is no base64; allowed: an encoded image as bytes or in base64"),
        ("https://example.org/a.png", "it is text that is no base64"),
        (base64.b64encode(b"hello").decode(), "it is no JPEG, PNG, WebP or BMP image"),
        (b"hello", "it is no JPEG, PNG, WebP or BMP image"),
        (encoded()[:60], "it cannot be read"),
        (bomb(30000, 30000), "it has 30000x30000 pixels, which may be an attack; allowed: up to 268,435,456 pixels"),
        (encoded(PIXELS[:5]), "its size is 5x9 pixels; allowed: 7x9, as the others have"),
        ([[1, 2], [3]], "it is no array of numbers"),
        ([["a", "b"]], "it is no array of numbers"),
        ([[[1.0, 2.5, 3.0]]], "it holds 2.5; allowed: whole numbers from 0 to 255"),
        ([[256]], "it holds 256; allowed: whole numbers from 0 to 255"),
        ([[None, 1]], "it holds nan; allowed: whole numbers from 0 to 255"),
        ([1, 2, 3], r"its shape is \(3,\); allowed: \(height, width\)"),
        (np.zeros((4, 7, 9)), r"its pixels are uint8 of shape \(4, 7, 9\); allowed: uint8 of shape \(channels"),
        (3, r"its shape is \(\); allowed"),
        ({"a": 1}, "it is no array of numbers"),
    ],
)
def test_what_is_no_image_is_said_and_costs_no_other_row(made, cell, why):
    rows = pd.DataFrame({"image": pd.Series([encoded(), cell, PIXELS], dtype=object)})
    predictor = made("images").predictor
    with pytest.raises(BadInput, match=f"row 8: 'image': {why}") as told:
        predictor.predict(rows, first_row=7)
    assert [bad.row for bad in told.value.rows] == [8]
    answers, bad = predictor.predict_good(rows, 7)
    assert answers["row"].tolist() == [7, 9]
    assert bad == list(told.value.rows)


def test_a_server_can_allow_smaller_images_than_a_study(made):
    content = bomb(3000, 2000)
    predictor = load_bundle(made("resized images").bundle, most_pixels=1_000_000)
    with pytest.raises(BadInput, match="it has 3000x2000 pixels, which may be an attack; allowed: up to 1,000,000"):
        predictor.predict(pd.DataFrame({"image": [content]}))


ROW = {"size": 1.5, "other": 0.25, "colour": "red", "flag": "True"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"other": None}, "'other' is missing; training rows"),
        ({"colour": " "}, "'colour' is missing; training rows"),
        ({"other": "much"}, "'other' is 'much', no number"),
        ({"other": "1,234"}, "'other' is '1,234', with a comma"),
        ({"other": float("inf")}, "'other' is infinite"),
        ({"other": 1e300}, r"'other' is 1e\+300; allowed: up to 3.40282e\+38"),
        ({"other": "a", "size": "b"}, "'size' is 'b', no number; 'other' is 'a', no number"),
        ({"other": 10**60}, r"'other' is 1e\+60; allowed: up to 3.40282e\+38"),
        ({"other": "\ud800"}, "'other' is '\ufffd+', no number"),
    ],
)
def test_a_row_of_a_table_that_cannot_be_read_is_named_with_its_column(made, changes, why):
    predictor = made("rows without gaps").predictor
    rows = pd.DataFrame([ROW, ROW | changes], dtype=object)
    with pytest.raises(BadInput, match=f"row 1: {why}"):
        predictor.predict(rows)
    assert predictor.predict_good(rows)[0]["row"].tolist() == [0]


def test_missing_numbers_and_unknown_categories_are_taken_as_in_training(made):
    case = made("rows")
    medians = dict(zip(*(case.manifest.fields["number"][key] for key in ("names", "medians")), strict=True))
    rows = [
        ROW | change for change in ({"size": None}, {"size": medians["size"]}, {"colour": "blue"}, {"colour": None})
    ]
    fields, bad = case.predictor.fields(pd.DataFrame(rows))
    assert not bad
    assert fields["number"][0, 0] == fields["number"][1, 0] == np.float32(medians["size"])
    assert fields["category"][2:, 0].tolist() == [0, 0]


def test_numbers_and_categories_may_be_written_in_other_types(made):
    predictor = made("rows").predictor
    others = {"size": "1.50", "other": " .25", "colour": " red "}
    rows = pd.DataFrame([ROW, ROW | others, ROW | {"size": np.float32(1.5), "other": "0.25"}])
    fields, bad = predictor.fields(rows)
    assert not bad
    assert len(np.unique(fields["number"], axis=0)) == len(np.unique(fields["category"], axis=0)) == 1
    as_booleans = predictor.fields(rows.assign(flag=True))[0]["category"]
    np.testing.assert_array_equal(as_booleans, fields["category"])


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (["size", "colour", "flag"], "column 'other' is missing; needed: size, other, colour, flag"),
        (["size", "othr", "colour", "flag"], "column 'other' is missing; did you mean 'othr'"),
        (["size", "other", "colour", "flag", "price"], "column 'price' is unknown; allowed: size, other, colour, flag"),
        (["size", "other", "colour", "flag", "size"], "column 'size' is there more than once"),
    ],
)
def test_columns_that_are_missing_or_unknown_are_named(made, columns, why):
    predictor = made("rows").predictor
    rows = pd.DataFrame([[1] * len(columns)], columns=columns)
    for ask in (predictor.predict, predictor.predict_good, predictor.fields):
        with pytest.raises(BadInput, match=why):
            ask(rows)


def test_what_is_true_and_where_a_row_is_from_may_stand_beside(made):
    rows = pd.DataFrame([ROW | {"what": "a", "source": "line 2", "truth": "a"}])
    assert len(made("rows").predictor.predict(rows)) == 1


@pytest.mark.parametrize(
    ("name", "cell", "why"),
    [
        ("sequences", [[1, 2]] * 5, "it has 5 steps; allowed: 6, as all training sequences have"),
        ("sequences", [[1, 2, 3]] * 6, r"its shape is \(6, 3\); allowed: \(steps, 2\)"),
        ("sequences", [[1, None]] * 6, "is missing at step 0"),
        ("sequences", "1 2 3", "it is text; allowed: nested lists of numbers"),
        ("sequences", [[1, 10**400]] * 6, r"it is no array of numbers \(int too large"),
        ("sequences", [[1, 1e300]] * 6, r"is 1e\+300 at step 0; allowed: finite"),
        ("sequences of many lengths", [[1, 2]] * 13, "it has 13 steps; allowed: up to 12"),
        ("sequences of many lengths", [[1, None]] * 3, "'b' is missing at the first step"),
        ("sequences of many lengths", [], r"its shape is \(0,\)"),
        ("a series", [1, 2, 3], "it has 3 steps; allowed: at least 6, the model's window"),
        ("a series", [1, 2, 3, None, 5, 6], "'SUNACTIVITY' is missing at step 3"),
        ("a series", [1, 2, 3, float("inf"), 5, 6], "is inf at step 3"),
        ("texts", 5, "it is int; allowed: text"),
        ("texts", None, "it is missing"),
        ("texts", " ", "the text has no token"),
        ("running text", "\ud800", "it holds half a surrogate pair"),
        ("texts", "cat \ud800", "it holds half a surrogate pair"),
    ],
)
def test_a_bad_sequence_history_or_text_is_said(made, name, cell, why):
    predictor = made(name).predictor
    column = predictor.inputs[0].name
    rows = pd.DataFrame({column: pd.Series([cell, predictor.example[column][0]], dtype=object)})
    with pytest.raises(BadInput, match=f"row 0: '{column}': .*{why}"):
        predictor.predict(rows)
    assert predictor.predict_good(rows)[0]["row"].tolist() == [1]


def test_a_history_may_be_longer_than_the_window_and_of_one_channel_without_brackets(made):
    predictor = made("a series").predictor
    forms = [[1, 2, 3, 4, 5, 6], [[value] for value in range(1, 7)], [9, 9, 1, 2, 3, 4, 5, 6], np.arange(1, 7)]
    answers = predictor.predict(pd.DataFrame({"value": pd.Series(forms, dtype=object)}))
    assert answers["forecast"].map(str).nunique() == 1


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"seed": -1, "label": "0"}, "'seed' is -1; allowed: whole numbers from 0 on"),
        ({"seed": 1.5, "label": "0"}, "'seed' is 1.5"),
        ({"seed": "a", "label": "0"}, "'seed' is 'a'"),
        ({"seed": 1, "label": "9"}, "'label' is '9'; allowed: 0, 1"),
        ({"seed": 1, "label": None}, "'label' is None"),
        ({"seed": 1, "label": ["0"]}, r"'label' is \['0'\]; allowed: 0, 1"),
        ({"seed": 10**400, "label": "0"}, "'seed' is 1000"),
    ],
)
def test_a_generator_wants_whole_numbers_and_known_classes(made, row, why):
    with pytest.raises(BadInput, match=f"row 0: {why}"):
        made("a generator of classes").predictor.predict(pd.DataFrame([row]))


def test_of_many_bad_rows_twenty_are_told(made):
    with pytest.raises(BadInput, match=r"row 19: .*; and 10 more rows") as told:
        made("texts").predictor.predict(pd.DataFrame({"text": [None] * 30}))
    assert len(told.value.rows) == 30
    assert "row 20:" not in str(told.value)


def test_answers_that_are_no_numbers_are_told_and_left_out(made, monkeypatch):
    predictor = made("numbers of images").predictor
    good = predictor.task.predict

    def broken(batch):
        values = good(batch)
        values["predicted"][1] = float("nan")
        return values

    monkeypatch.setattr(predictor.task, "predict", broken)
    answers, bad = predictor.predict_good(pd.DataFrame({"image": [PIXELS] * 3}))
    assert answers["row"].tolist() == [0, 2]
    assert [(row.row, row.why) for row in bad] == [(1, "the model's answer is NaN or infinite")]
