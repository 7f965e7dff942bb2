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
`sequences` RawSequences, `texts` RawTexts, `corpus` RawCorpus, `series` RawSeries, `rows` and `number_rows` RawRows
(with and without classes). ``MemoryReader`` and ``FileReader`` are in ``snaketorch.data.readers``; any object with
their method ``parts`` will do. For data that cannot be used, raise ``snaketorch.errors.DataError``.
"""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any

from snaketorch.config.problems import did_you_mean, listed
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.images import RawClips, RawImages
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.raw.texts import RawCorpus, RawTexts
from snaketorch.errors import DataError, UserError

_TYPES = {
    "images": RawImages,
    "clips": RawClips,
    "sequences": RawSequences,
    "texts": RawTexts,
    "corpus": RawCorpus,
    "series": RawSeries,
    "rows": RawRows,
    "number_rows": RawRows,
}


def load(spec: PrepareSpec) -> Any:
    """What the user's class gives. DataError when it is not there, cannot be made, or gives something else."""
    options = spec.source
    maker = _find(options.class_path)
    try:
        inspect.signature(maker).bind(**options.init_args)
    except TypeError as error:
        raise DataError(
            f"source.init_args do not fit {options.class_path}{inspect.signature(maker)}: {error}"
        ) from error
    with _code_of_the_user(f"{options.class_path} cannot be made"):
        made = maker(**options.init_args)
    if not callable(getattr(made, "load", None)):
        raise DataError(f"source.class_path: {options.class_path} has no method load(); see the reference")
    with _code_of_the_user(f"{options.class_path}.load() fails"):
        raw = made.load()
    wanted = _TYPES[options.content]
    if not isinstance(raw, wanted):
        raise DataError(
            f"{options.class_path}.load() gives {type(raw).__name__}; allowed for `content: {options.content}`: "
            f"{wanted.__name__} (of {wanted.__module__})"
        )
    if isinstance(raw, RawRows) and bool(raw.classes) != (options.content == "rows"):
        raise DataError(
            f"{options.class_path}.load() gives rows {'with' if raw.classes else 'without'} classes; allowed: "
            "with classes for `content: rows`, without for `content: number_rows`"
        )
    return raw


def _find(class_path: str) -> Any:
    module_name, _, name = class_path.rpartition(".")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # `python -m` does this too, the command `snaketorch` does not
    with _code_of_the_user(f"source.class_path: {module_name} cannot be imported"):
        try:
            module = import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
                raise DataError(
                    f"source.class_path: there is no module '{error.name}' for '{class_path}'; allowed: modules in "
                    f"{here}, or installed ones"
                ) from error
            raise DataError(
                f"source.class_path: {module_name} needs the module '{error.name}', which is not installed"
            ) from error
    if not hasattr(module, name):
        there = [
            key for key, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module_name
        ]
        raise DataError(
            f"source.class_path: {module_name} ({module.__file__}) has no class '{name}'{did_you_mean(name, there)}; "
            f"allowed: {listed(there)}"
        )
    maker = getattr(module, name)
    if not callable(maker):
        raise DataError(f"source.class_path: {class_path} is a {type(maker).__name__}; allowed: a class")
    return maker


@contextmanager
def _code_of_the_user(what: str) -> Iterator[None]:
    """Says as a `DataError` what goes wrong inside, and on which line of the user's code."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, SyntaxError):
            said, place = error.msg, f"{error.filename}:{error.lineno}"
        else:
            frames = extract_tb(error.__traceback__)
            own = [frame for frame in frames if Path(frame.filename).is_relative_to(Path.cwd())]
            last = (own or frames)[-1]
            said, place = str(error), f"{last.filename}:{last.lineno}"
        raise DataError(f"{what}: {place}: {type(error).__name__}: {said}") from error
