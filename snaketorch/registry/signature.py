"""What a model takes and gives, in MLflow's words."""

from collections.abc import Iterable

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import AnyType, Array

from snaketorch.inference.columns import Column, Parameter
from snaketorch.inference.predictor import Predictor

_TYPES = {"string": DataType.string, "double": DataType.double, "long": DataType.long}


def signature_of(predictor: Predictor) -> ModelSignature:
    """Names and types of columns and parameters."""
    return ModelSignature(
        inputs=Schema([_input(column) for column in predictor.inputs]),
        outputs=Schema([_output(column) for column in predictor.outputs]),
        params=_parameters(predictor.parameters),
    )


def _input(column: Column) -> ColSpec:
    """Only texts have a type.

    An image may come as bytes, base64 or numbers, which no type of MLflow's can say. And what MLflow knows the type of
    it converts before the model sees it: 1.5 silently to 1 where a whole number is asked for; and of "abc" it would
    say that it is no number, but not in which row.
    """
    is_text = column.type == "string" and column.shape is None
    return ColSpec(DataType.string if is_text else AnyType(), column.name)


def _output(column: Column) -> ColSpec:
    kind = _TYPES.get(column.type, AnyType())
    for _ in column.shape or ():
        kind = Array(kind)
    return ColSpec(kind, column.name, required=column.required)


def _parameters(parameters: Iterable[Parameter]) -> ParamSchema | None:
    specs = [ParamSpec(parameter.name, _TYPES[parameter.type], parameter.default) for parameter in parameters]
    return ParamSchema(specs) if specs else None
