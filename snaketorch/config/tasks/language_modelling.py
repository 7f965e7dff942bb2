"""The next token of a running text."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snaketorch.config import contents
from snaketorch.config.base import Positive, Section
from snaketorch.config.models import base as models
from snaketorch.config.tasks.base import TaskSection


class Sampling(Section):
    """How the model writes: texts after each epoch, for which an edit trains again, and after the test."""

    prompt: Annotated[str, Field(min_length=1)] = ". "
    """Text to go on from."""
    length: Positive = 400
    """Tokens of each text."""
    count: Positive = 3
    """Texts."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """What the logits are divided by: below 1 likely tokens become likelier, above 1 all become alike."""
    top_k: Positive | None = None
    """Draw from that many likeliest tokens; from all when absent."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Draw from the fewest likeliest tokens that have this probability together; from all when absent."""


class LanguageModelling(TaskSection):
    """The next token from those before it: characters, words or parts of words, as the dataset's tokenizer makes them.

    Every token of the validation and test text is scored once, with `window / 2` to `window` tokens before it.
    """

    data: ClassVar[dict[str, str]] = {contents.CORPUS: models.TOKENS}
    implementation: ClassVar[str] = "snaketorch.tasks.language_modelling:LanguageModelling"
    evaluator: ClassVar[str] = "snaketorch.evaluation.language_modelling:evaluate"
    goal: ClassVar[str] = "bits_per_character"
    logged: ClassVar[dict[str, str]] = {"loss": "min", "perplexity": "min", "bits_per_character": "min"}
    metrics: ClassVar[dict[str, str]] = {"bits_per_character": "min", "perplexity": "min", "loss": "min"}
    each_step: ClassVar[bool] = True

    kind: Literal["language_modelling"]
    window: Annotated[int, Field(ge=2)] = 128
    """Tokens that the network reads at once."""
    stride: Positive | None = None
    """Tokens from one training window to the next; as many as the window has when absent."""
    sampling: Sampling = Sampling()
    """How the model writes."""
