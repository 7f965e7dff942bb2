"""Random changes of training samples, on whole batches and on the device that holds them.

Every sample has its own draw, a function of (seed, epoch, index of the sample) alone: the same in any
batch, in any order, with any number of processes, and after a resume. On a GPU no step asks for a value, and
no shape depends on one; on a CPU, which has nothing to wait for, a rare change is made to those that drew it.
"""

from typing import Any

from snaketorch.config.augment import Augment
from snaketorch.config.contents import (
    CLIPS,
    CONTENTS,
    CORPUS,
    IMAGES,
    NUMBER_IMAGES,
    NUMBER_SEQUENCES,
    SEQUENCES,
    SERIES,
    TEXTS,
)
from snaketorch.data.augment.images import ImageAugmentation
from snaketorch.data.augment.sequences import SequenceAugmentation
from snaketorch.data.augment.tokens import TokenAugmentation
from snaketorch.data.loading.batches import Augmentation
from snaketorch.errors import UserError


def build_augmentation(options: Augment, content: str, fields: dict[str, Any], seed: int) -> Augmentation:
    """The changes that ``options`` ask for, of samples with these ``fields`` of a manifest.

    Raises:
        UserError: A key has no meaning for the content.
    """
    wrong = options.active - CONTENTS[content].augment
    if wrong:
        raise UserError(
            f"augment: {', '.join(sorted(wrong))} has no meaning for {content}; "
            f"allowed: {', '.join(sorted(CONTENTS[content].augment)) or 'nothing'}"
        )
    if content in (IMAGES, NUMBER_IMAGES, CLIPS):
        key = "clip" if content == CLIPS else "image"
        return ImageAugmentation(options, key, fields[key]["statistics"], seed)
    if content in (SEQUENCES, NUMBER_SEQUENCES, SERIES):
        key, target = ("window", "target") if content == SERIES else ("value", None)
        return SequenceAugmentation(options, key, target, fields["value"]["statistics"], seed)
    if content in (TEXTS, CORPUS):
        return TokenAugmentation(options, fields["token"], seed)
    raise UserError(f"augment: nothing can be changed in {content}; allowed: no augment section")
