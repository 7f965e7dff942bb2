"""Raw samples as they come to a model in use, one module a kind; registered by the content that it was trained on."""

from snaketorch.config import contents
from snaketorch.config.datasets import Prepare
from snaketorch.inference.inputs.base import Input
from snaketorch.inference.inputs.images import Images
from snaketorch.inference.inputs.rows import Rows
from snaketorch.inference.inputs.seeds import Seeds
from snaketorch.inference.inputs.sequences import Sequences
from snaketorch.inference.inputs.series import Histories
from snaketorch.inference.inputs.texts import Passages, Texts
from snaketorch.tasks.base import TaskModule

OF_CONTENTS: dict[str, type[Input]] = {
    contents.IMAGES: Images,
    contents.NUMBER_IMAGES: Images,
    contents.ROWS: Rows,
    contents.NUMBER_ROWS: Rows,
    contents.SEQUENCES: Sequences,
    contents.NUMBER_SEQUENCES: Sequences,
    contents.TEXTS: Texts,
    contents.CORPUS: Passages,
    contents.SERIES: Histories,
}
OF_TASKS: dict[str, type[Input]] = {"gan": Seeds}
"""Of tasks that do not read what they were trained on."""


def input_of(task: TaskModule, options: Prepare, most_pixels: int) -> Input:
    """What reads raw samples for ``task``, whose training data were prepared by ``options``."""
    kind = OF_TASKS.get(task.options.kind) or OF_CONTENTS[task.facts["provides"]]
    return kind(task, options, most_pixels)
