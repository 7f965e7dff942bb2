"""One class for each sample, or of several labels each that applies."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from snaketorch.config import contents
from snaketorch.config.models import base as models
from snaketorch.config.tasks.base import TaskSection

Weight = Annotated[float, Field(gt=0)]


def _text_or_list(value: Any) -> str:
    return "text" if isinstance(value, str) else "list"


ClassWeights = Annotated[
    Annotated[Literal["balanced"], Tag("text")] | Annotated[list[Weight], Field(min_length=1), Tag("list")],
    Discriminator(_text_or_list),
]


class _Classification(TaskSection):
    """What is measured depends on the options, so much of what other tasks say of their class is a property here."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the target given to all classes alike; of several labels, to both answers."""
    class_weights: ClassWeights | None = None
    """How much the samples of each class count in the loss, in the order of the classes; `balanced` makes all classes
    count alike: samples over classes times samples of the class, in training. Of several labels, how much a label
    counts where it applies: `balanced` is how often it does not, over how often it does. All count alike when absent.
    """
    top_k: Annotated[int, Field(ge=2)] | None = None
    """Also measure how often the class is among that many most probable ones: `top_3_accuracy` for 3."""
    multi_label: bool = False
    """The samples have any number of labels, each of which applies or not."""

    @model_validator(mode="after")
    def _ranks_classes_of_which_one_is_right(self) -> Self:
        if self.multi_label and self.top_k is not None:
            raise ValueError("top_k has no meaning for several labels (multi_label); allowed: to leave it out")
        return self

    @property
    def implementation(self) -> str:
        if self.multi_label:
            return "snaketorch.tasks.multi_label:MultiLabelClassification"
        return "snaketorch.tasks.classification:Classification"

    @property
    def evaluator(self) -> str:
        if self.multi_label:
            return "snaketorch.evaluation.multi_label:evaluate"
        return "snaketorch.evaluation.classification:evaluate"

    @property
    def goal(self) -> str:
        return "f1_micro" if self.multi_label else "accuracy"

    @property
    def logged(self) -> dict[str, str]:
        if self.multi_label:
            return {"loss": "min", "f1_micro": "max", "exact_match": "max"}
        return {"loss": "min", "accuracy": "max"} | self._top_k

    @property
    def metrics(self) -> dict[str, str]:
        if self.multi_label:
            best_high = ("f1_micro", "f1_macro", "average_precision", "auroc", "exact_match")
            return dict.fromkeys(best_high, "max") | {"loss": "min"}
        best_high = {"accuracy": "max", **self._top_k, "f1_macro": "max", "auroc": "max"}
        return best_high | {"calibration_error": "min", "loss": "min"}

    @property
    def _top_k(self) -> dict[str, str]:
        return {} if self.top_k is None else {f"top_{self.top_k}_accuracy": "max"}


class ImageClassification(_Classification):
    """One class for each image."""

    data: ClassVar[dict[str, str]] = {contents.IMAGES: models.IMAGE}
    kind: Literal["image_classification"]


class SequenceClassification(_Classification):
    """One class for each sequence; an image is read as a sequence."""

    data: ClassVar[dict[str, str]] = {contents.IMAGES: models.SEQUENCE, contents.SEQUENCES: models.SEQUENCE}
    kind: Literal["sequence_classification"]
    read: Literal["rows", "columns"] = "rows"
    """What one step of the sequence is when the samples are images."""


class TextClassification(_Classification):
    """One class for each text, read as the tokens that the dataset's tokenizer makes of it."""

    data: ClassVar[dict[str, str]] = {contents.TEXTS: models.TOKENS}
    kind: Literal["text_classification"]


class TabularClassification(_Classification):
    """One class for each row of a table, from its numbers and categories."""

    data: ClassVar[dict[str, str]] = {contents.ROWS: models.ROW}
    kind: Literal["tabular_classification"]
