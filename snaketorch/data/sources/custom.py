"""Your own data: a class that gives samples.

A dataset file names the class, its arguments and what it gives::

    source:
      kind: custom
      class_path: my_lab.data.Leaves     # my_lab/data.py, beside the folder `config/`
      content: images
      init_args: {folder: leaves}
      files_to_watch: [leaves]           # when these change, the dataset is prepared again

The class takes ``init_args`` as keyword arguments and has one method, ``load``::

    class Leaves:
        def __init__(self, folder: str):
            self.folder = Path(folder)

        def load(self) -> RawImages:
            pixels = np.load(self.folder / "pixels.npy")  # uint8, (samples, channels, height, width)
            labels = np.load(self.folder / "labels.npy")  # int64, (samples,)
            return RawImages(
                reader=MemoryReader(pixels),
                labels=labels,
                classes=("oak", "elm"),
                names=[f"leaf {row}" for row in range(len(labels))],
                given={"test": np.arange(900, 1000)},  # only if a part is set apart
            )

What ``load`` returns, by ``content``, all from ``snaketorch.data.raw``: `images` RawImages, `clips` RawClips,
`sequences` RawSequences, `texts` RawTexts, `corpus` RawCorpus, `series` RawSeries, `rows` RawRows. `number_images`,
`number_sequences` and `number_rows` are the same without classes, and float64 numbers for labels (or target).
``MemoryReader`` and ``FileReader`` are in ``snaketorch.data.readers``; any object with their method ``parts`` will do.
For data that cannot be used, raise ``snaketorch.errors.DataError``.
"""

from typing import Any

from snaketorch.class_path import check_arguments, code_of_the_user, find_class
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.images import RawClips, RawImages
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.raw.texts import RawCorpus, RawTexts
from snaketorch.errors import DataError

_TYPES = {
    "images": RawImages,
    "number_images": RawImages,
    "clips": RawClips,
    "sequences": RawSequences,
    "number_sequences": RawSequences,
    "texts": RawTexts,
    "corpus": RawCorpus,
    "series": RawSeries,
    "rows": RawRows,
    "number_rows": RawRows,
}


def load(spec: PrepareSpec) -> Any:
    """What the user's class gives. DataError when it is not there, cannot be made, or gives something else."""
    options = spec.source
    maker = find_class(options.class_path, "source", DataError)
    if not callable(maker):
        raise DataError(f"source.class_path: {options.class_path} is a {type(maker).__name__}; allowed: a class")
    check_arguments(maker, options.class_path, options.init_args, "source", DataError)
    with code_of_the_user(f"{options.class_path} cannot be made", DataError):
        made = maker(**options.init_args)
    if not callable(getattr(made, "load", None)):
        raise DataError(f"source.class_path: {options.class_path} has no method load(); see the reference")
    with code_of_the_user(f"{options.class_path}.load() fails", DataError):
        raw = made.load()
    wanted = _TYPES[options.content]
    if not isinstance(raw, wanted):
        raise DataError(
            f"{options.class_path}.load() gives {type(raw).__name__}; allowed for `content: {options.content}`: "
            f"{wanted.__name__} (of {wanted.__module__})"
        )
    kind = options.content.removeprefix("number_")
    if f"number_{kind}" in _TYPES and bool(raw.classes) != (options.content == kind):
        raise DataError(
            f"{options.class_path}.load() gives {kind} {'with' if raw.classes else 'without'} classes; allowed: "
            f"with classes for `content: {kind}`, without for `content: number_{kind}`"
        )
    return raw
