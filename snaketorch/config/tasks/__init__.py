"""The tasks an experiment can name: what is learnt, from which data, and what is measured.

To add one: a section in a file here that names its implementation, and its name in ``Task``.
"""

from typing import Annotated

from pydantic import Field

from snaketorch.config.tasks.classification import (
    ImageClassification as ImageClassification,
)
from snaketorch.config.tasks.classification import (
    SequenceClassification as SequenceClassification,
)
from snaketorch.config.tasks.classification import (
    TabularClassification as TabularClassification,
)
from snaketorch.config.tasks.classification import (
    TextClassification as TextClassification,
)
from snaketorch.config.tasks.forecasting import Forecasting as Forecasting
from snaketorch.config.tasks.gan import Gan as Gan
from snaketorch.config.tasks.language_modelling import LanguageModelling as LanguageModelling
from snaketorch.config.tasks.regression import Regression as Regression

Task = Annotated[
    ImageClassification
    | SequenceClassification
    | TextClassification
    | TabularClassification
    | Regression
    | Forecasting
    | LanguageModelling
    | Gan,
    Field(discriminator="kind"),
]
