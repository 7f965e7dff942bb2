"""What ``mlflow models serve`` answers, for every kind of raw sample."""

import base64
import io
import re

import mlflow
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.serving.small_bundles import as_json

BAD = {
    "images": ("image", [[0, 1], [2]]),
    "sequences": ("value", [[1, 2], [3, "x"]] * 2),
    "texts": ("text", 5),
    "language": ("text", None),
    "rows": ("size", "abc"),
    "series": ("value", [[1, 2]]),
    "gan": ("seed", 1.5),
}
"""For each kind: a column, and what must not stand in it."""


def only(*kinds):
    return pytest.mark.parametrize("served", kinds, indirect=True)


def same(answers, expected):
    """Equal, but for the last digits: the server is another process, which may share out its sums otherwise."""
    assert len(answers) == len(expected)
    for one, other in zip(answers, expected, strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            if isinstance(value, float | list) and not _holds_words(value):
                np.testing.assert_allclose(one[name], value, rtol=1e-5, atol=1e-6)
            else:
                assert one[name] == value, name
    return True


def _holds_words(value):
    return isinstance(value, list) and any(isinstance(item, str) for item in value)


def test_it_answers_what_the_bundle_predicts(served):
    frame, parameters = served.predictor.example, served.predictor.example_parameters
    expected = as_json(served.predictor.predict(frame, parameters=parameters))
    settings = {"params": parameters} if parameters else {}

    for body in (
        {"dataframe_records": served.records()},
        {"dataframe_split": {"columns": list(frame.columns), "data": [[*row.values()] for row in served.records()]}},
        {"inputs": served.records()},
    ):
        status, answer = served.server.post({**body, **settings})

        assert status == 200, answer
        assert same(answer["predictions"], expected), body


def test_several_requests_at_once_have_their_own_answers(served):
    parameters = served.predictor.example_parameters
    bodies = [{"dataframe_records": [row], "params": parameters} for row in served.records()] * 3
    expected = [
        as_json(served.predictor.predict(pd.DataFrame([row]), parameters=parameters)) for row in served.records()
    ] * 3

    answers = served.server.post_at_once(bodies)

    assert [status for status, _ in answers] == [200] * len(bodies)
    assert all(same(answer["predictions"], rows) for (_, answer), rows in zip(answers, expected, strict=True))


def test_a_bad_row_is_told_with_its_number_and_column_and_the_server_lives_on(served):
    column, value = BAD[served.kind]
    good, other = served.records()

    status, answer = served.server.post({"dataframe_records": [good, {**other, column: value}]})

    assert status == 400, answer
    assert re.search(f"row 1: .*{column}", answer), answer
    assert "Traceback" not in answer
    assert served.server.get("/ping") == 200
    assert served.server.post({"dataframe_records": [good]})[0] == 200


def test_a_missing_column_is_named(served):
    column = served.predictor.inputs[0].name
    row = {name: value for name, value in served.records()[0].items() if name != column}

    status, answer = served.server.post({"dataframe_records": [{**row, "beside": 1}]})

    assert status == 400
    assert f"Model is missing inputs ['{column}']" in answer
    assert "beside" in answer


@only("language")
def test_a_text_goes_on_as_the_parameters_say(served):
    body, long = {"dataframe_records": served.records()}, {"max_tokens": 3, "temperature": 0.5, "seed": 7}

    (_, first), (_, again), (_, other) = served.server.post_at_once(
        [{**body, "params": long}, {**body, "params": long}, {**body, "params": {**long, "seed": 8, "max_tokens": 5}}]
    )
    status, told = served.server.post({**body, "params": {"temperature": -1.0}})

    expected = as_json(served.predictor.predict(served.predictor.example, parameters=long))
    assert same(first["predictions"], expected)
    assert first == again != other
    assert [len(row["continuation"]) for row in other["predictions"]] == [5, 5]
    assert status == 400
    assert "temperature" in told


@only("rows")
def test_whole_numbers_in_a_column_of_numbers_and_empty_cells(served):
    good, other = served.records()
    status, answer = served.server.post({"dataframe_records": [{**good, "size": 2}]})
    expected = as_json(served.predictor.predict(pd.DataFrame([{**good, "size": 2}])))
    empty, told = served.server.post({"dataframe_records": [good, {**other, "age": None}]})

    assert status == 200
    assert same(answer["predictions"], expected)
    assert empty == 400
    assert re.search("row 1: .*age", told)


@only("images")
def test_an_image_comes_as_numbers_a_file_in_base64_or_a_data_address(served):
    text = served.records()[0]["image"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
    images = [pixels.tolist(), pixels[None].tolist(), pixels[..., None].tolist(), text, f"data:image/png;base64,{text}"]
    expected = as_json(served.predictor.predict(pd.DataFrame({"image": [pixels]})))

    status, answer = served.server.post({"dataframe_records": [{"image": image} for image in images]})

    assert status == 200, answer
    assert same(answer["predictions"], expected * len(images))


@only("images")
@pytest.mark.parametrize("image", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/x.png", None, 3, [[300]]])
def test_no_file_or_address_is_opened_and_nothing_else_is_an_image(served, image):
    status, answer = served.server.post({"dataframe_records": [{"image": image}]})

    assert status == 400
    assert re.search("row 0: .*image", answer), answer
    assert "root:" not in answer


@only("images")
def test_an_image_of_too_many_pixels_is_refused(served):
    file = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")

    status, answer = served.server.post({"dataframe_records": [{"image": base64.b64encode(file.getvalue()).decode()}]})

    assert status == 400
    assert "10000x10000" in answer


@only("images")
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1, 2]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        ({"rows": []}, "application/json", 400),
        ({"dataframe_records": []}, "application/json", 400),
        ({"dataframe_records": {"image": 1}}, "application/json", 400),
        ({"dataframe_split": {"columns": ["image"], "data": [[1, 2]]}}, "application/json", 400),
        ({"instances": 5}, "application/json", 400),
        (b"image\n1\n", "text/csv", 400),
        (b"no file", "application/vnd.apache.parquet", 400),
        (b"image=1", "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_request_that_is_none_is_the_clients_error(served, body, content_type, status):
    assert served.server.post(body, content_type)[0] == status
    assert served.server.get("/ping") == 200


@only("images")
def test_it_tells_its_health_and_version(served):
    assert served.server.get("/health") == 200
    assert served.server.get("/version") == 200
    assert served.server.body == mlflow.__version__


@only("images")
def test_a_table_of_image_files_comes_as_parquet(served):
    frame, table = pd.DataFrame({"image": [base64.b64decode(row["image"]) for row in served.records()]}), io.BytesIO()
    frame.to_parquet(table)

    status, answer = served.server.post(table.getvalue(), "application/vnd.apache.parquet")

    assert status == 200, answer
    assert same(answer["predictions"], as_json(served.predictor.predict(frame)))
