import torch

from snaketorch.models.shapes import ImageShape, RowShape, SequenceShape, TokensShape
from snaketorch.tasks.inputs import inputs_of

NUMBER = {"names": ["length", "width"], "statistics": {"mean": [1.0, 2.0], "std": [2.0, 4.0]}}
CATEGORY = {"names": ["colour"], "values": [["blue", "red"]]}
IMAGE = {"shape": [2, 3, 5], "statistics": {"mean": [0.0, 0.0], "std": [1.0, 1.0]}}


def test_an_image_is_read_as_it_is_or_as_rows_or_columns():
    image = torch.randint(0, 256, (4, 2, 3, 5), dtype=torch.uint8)
    shapes = {None: ImageShape(2, 3, 5), "rows": SequenceShape(3, 10), "columns": SequenceShape(5, 6)}
    for read, shape in shapes.items():
        inputs = inputs_of({"fields": {"image": IMAGE}}, read)
        assert inputs.shape == shape
        (given,) = inputs.of({"image": image, "label": None})
        assert given.shape[1:] == (shape if read is None else shape[:2])


def test_sequences_say_whether_their_lengths_differ():
    value = {"statistics": {"mean": [1.0], "std": [2.0]}}
    inputs = inputs_of({"fields": {"value": value | {"shape": [4, 1]}}})
    assert inputs.shape == SequenceShape(4, 1, ragged=False)
    assert len(inputs.of({"value": torch.zeros(2, 4, 1)})) == 1
    inputs = inputs_of({"fields": {"value": value | {"shape": [None, 1], "longest": 6}}})
    assert inputs.shape == SequenceShape(6, 1, ragged=True)
    assert len(inputs.of({"value": torch.zeros(2, 4, 1), "length": torch.tensor([4, 2])})) == 2


def test_texts_are_tokens_with_their_lengths():
    inputs = inputs_of({"fields": {"token": {"longest": 9, "vocabulary_size": 30}}})
    assert inputs.shape == TokensShape(9, 30, ragged=True)
    batch = {"token": torch.tensor([[3, 4], [5, 0]], dtype=torch.int32), "length": torch.tensor([2, 1])}
    token, length = inputs.of(batch)
    assert token.dtype == torch.int64
    assert (token.tolist(), length.tolist()) == ([[3, 4], [5, 0]], [2, 1])


def test_the_numbers_of_rows_are_normalised_beside_their_categories():
    inputs = inputs_of({"fields": {"number": NUMBER, "category": CATEGORY}})
    assert inputs.shape == RowShape(2, (3,))
    number, category = inputs.of({"number": torch.tensor([[3.0, 10.0]]), "category": torch.tensor([[2]]).int()})
    assert (number.tolist(), category.tolist(), category.dtype) == ([[1, 2]], [[2]], torch.int64)


def test_rows_without_numbers_or_without_categories_lack_that_argument():
    inputs = inputs_of({"fields": {"category": CATEGORY}})
    assert inputs.shape == RowShape(0, (3,))
    assert inputs.of({"category": torch.tensor([[1]])})[0] is None
    inputs = inputs_of({"fields": {"number": NUMBER}})
    assert inputs.shape == RowShape(2, ())
    assert inputs.of({"number": torch.zeros(1, 2)})[1] is None


def test_what_normalises_is_no_weight_of_the_model():
    assert not inputs_of({"fields": {"number": NUMBER}}).state_dict()
