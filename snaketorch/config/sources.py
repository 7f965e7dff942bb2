"""Where samples come from.

To add a source: one section here that names its implementation, and one line in ``Source``. What it
gives is one of ``contents``, as ``provides``; the keys that are files of the user are its ``files``.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from snaketorch.config import contents
from snaketorch.config.base import Arguments, ClassPath, Section

Path = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00-\x1f]+$")]
"""A file or folder, relative to the folder that holds `config/`."""

Column = Annotated[str, StringConstraints(min_length=1)]
Columns = Annotated[list[Column], Field(min_length=1)]


class _Source(Section):
    files: ClassVar[tuple[str, ...]] = ()
    """Keys that name files or folders of the user; when their content changes, the dataset is prepared again."""
    possible_files: ClassVar[tuple[str, ...]] = ()
    """Keys that name a folder of the user where there is one of that name, and something else where there is none."""
    has_image_files: ClassVar[bool] = False
    """Whether its samples can be image files, which `prepare.decoder` is about."""


class SklearnSource(_Source):
    """An image set that is installed with scikit-learn."""

    provides: ClassVar[str] = contents.IMAGES
    implementation: ClassVar[str] = "snaketorch.data.sources.sklearn:load"

    kind: Literal["sklearn"]
    name: Literal["digits"]
    """`digits`: 1,797 grey images of 8x8 pixels in ten classes."""


class StatsmodelsSource(_Source):
    """A time series that is installed with statsmodels."""

    provides: ClassVar[str] = contents.SERIES
    implementation: ClassVar[str] = "snaketorch.data.sources.statsmodels:load"

    kind: Literal["statsmodels"]
    name: Literal["sunspots", "nile", "co2", "macrodata"]
    """`sunspots` (309 years), `nile` (100 years), `co2` (2,284 weeks, with gaps), `macrodata` (203 quarters)."""
    columns: Columns | None = None
    """Channels to take, by column name; all numeric ones when absent."""


class PythonSource(_Source):
    """Running text that comes with Python."""

    provides: ClassVar[str] = contents.CORPUS
    implementation: ClassVar[str] = "snaketorch.data.sources.python:load"

    kind: Literal["python"]
    name: Literal["language_reference"]
    """`language_reference`: the topics of `help()` in the order of their names, about 370,000 characters of English
    prose and Python code; another Python version has a slightly different text."""


class BabelSource(_Source):
    """Names with the language that they are in, from the locale data (CLDR) that is installed with Babel."""

    provides: ClassVar[str] = contents.TEXTS
    implementation: ClassVar[str] = "snaketorch.data.sources.babel:load"

    kind: Literal["babel"]
    name: Literal["names"]
    """`names`: what languages, scripts, countries and currencies are called, about 800 names a language, without those
    that two of the languages share. Of the languages and so on a tenth is set apart for validation and a tenth for the
    test, so that no model meets there another language's word for what it has learnt."""
    languages: Annotated[list[Column], Field(min_length=2)] = Field(
        ["cs", "da", "de", "en", "es", "fi", "fr", "it", "nl", "pl"]
    )
    """Codes of the languages to tell apart."""


class TorchvisionSource(_Source):
    """An image classification set of torchvision, with the test set that belongs to it."""

    provides: ClassVar[str] = contents.IMAGES
    implementation: ClassVar[str] = "snaketorch.data.sources.torchvision:load"
    has_image_files: ClassVar[bool] = True

    kind: Literal["torchvision"]
    name: Literal[
        "MNIST",
        "FashionMNIST",
        "KMNIST",
        "QMNIST",
        "EMNIST",
        "USPS",
        "CIFAR10",
        "CIFAR100",
        "SVHN",
        "STL10",
        "Caltech101",
        "Caltech256",
        "Country211",
        "DTD",
        "EuroSAT",
        "FER2013",
        "FGVCAircraft",
        "Flowers102",
        "Food101",
        "GTSRB",
        "Imagenette",
        "ImageNet",
        "Omniglot",
        "OxfordIIITPet",
        "PCAM",
        "Places365",
        "RenderedSST2",
        "SEMEION",
        "StanfordCars",
        "SUN397",
    ]
    """torchvision's own names; of EMNIST it is the split `balanced`."""
    root: Path = "data/torchvision"
    """Folder that holds the files, or gets them."""
    download: bool = True
    """Fetch what is not in `root`; false where there is no network, and then the dataset is prepared again when
    anything in `root` changes."""

    @property
    def files(self) -> tuple[str, ...]:
        return () if self.download else ("root",)


class ImageFolderSource(_Source):
    """Image files in one folder a class, or such folders inside `train`, `val` and `test`."""

    provides: ClassVar[str] = contents.IMAGES
    implementation: ClassVar[str] = "snaketorch.data.sources.image_folder:load"
    has_image_files: ClassVar[bool] = True
    files: ClassVar[tuple[str, ...]] = ("path",)

    kind: Literal["image_folder"]
    path: Path
    """The folder; JPEG, PNG, WebP and BMP files are read."""


class VideoFolderSource(_Source):
    """Video files in one folder a class, or such folders inside `train`, `val` and `test`."""

    provides: ClassVar[str] = contents.CLIPS
    implementation: ClassVar[str] = "snaketorch.data.sources.video_folder:load"
    files: ClassVar[tuple[str, ...]] = ("path",)

    kind: Literal["video_folder"]
    path: Path
    """The folder; needs `pip install snaketorch[video]`."""


class ArraysSource(_Source):
    """Arrays in `.npy`, `.npz`, `.pt` or HDF5 (`.h5`, `.hdf5`) files."""

    implementation: ClassVar[str] = "snaketorch.data.sources.arrays:load"
    files: ClassVar[tuple[str, ...]] = ("path", "labels_path")

    kind: Literal["arrays"]
    path: Path
    """The file that holds the samples, and their labels if it holds several arrays."""
    content: Literal["images", "number_images", "sequences", "number_sequences", "rows", "number_rows", "series"]
    """What the samples are: images (N, H, W[, C]), sequences (N, T[, C]) or rows (N, F) with a class for each, or with
    a number for each (`number_...`), or one time series (T[, C])."""
    samples: Column | None = None
    """Name of the array of samples in a file with several; needed there."""
    labels: Column | None = None
    """Name of the array of labels (or numbers) in the file: (N,), or for images and sequences (N, K), a 0 or 1 for each
    of K labels, any number of which can apply (`multi_label`)."""
    labels_path: Path | None = None
    """A file of its own for the labels (or numbers)."""
    classes: Columns | None = None
    """Names of the classes, in the order of the labels; the labels themselves when absent."""
    channels: Literal["first", "last"] = "last"
    """Where the channels of images and sequences are."""

    @property
    def provides(self) -> str:
        return getattr(contents, self.content.upper())

    @model_validator(mode="after")
    def _has_the_keys_of_its_content(self) -> Self:
        if self.content == "series" and (self.labels is not None or self.labels_path is not None):
            raise ValueError("labels and labels_path have no meaning for content: series; allowed: to leave them out")
        if self.classes is not None and self.content not in ("images", "sequences", "rows"):
            raise ValueError(f"classes has no meaning for content: {self.content}; allowed: to leave it out")
        if self.channels == "first" and self.content in ("rows", "number_rows", "series"):
            shape = "(T[, C])" if self.content == "series" else "(N, F)"
            raise ValueError(
                f"channels has no meaning for content: {self.content}, whose shape is {shape}; allowed: to leave it out"
            )
        return self

    @model_validator(mode="after")
    def _has_labels_in_one_place(self) -> Self:
        if self.labels is not None and self.labels_path is not None and self.path == self.labels_path:
            raise ValueError("path and labels_path are the same file; allowed: one of labels and labels_path")
        return self


class TableSource(_Source):
    """Rows of a CSV, JSON-lines or Parquet file: numbers and categories that tell a class or a number."""

    implementation: ClassVar[str] = "snaketorch.data.sources.table:load"
    files: ClassVar[tuple[str, ...]] = ("path", "test_path")

    kind: Literal["table"]
    path: Path
    """A `.csv`, `.tsv`, `.jsonl` (each also `.gz`) or `.parquet` file."""
    target: Column
    """The column to tell."""
    predict: Literal["class", "number"] = "class"
    """Whether the target is a class or a number."""
    columns: Columns | None = None
    """Columns to tell it from; all others when absent."""
    categorical: list[Column] | None = None
    """Columns that are categories; when absent, those in which fewer than half of the values are numbers, or numbers
    have zeros in front."""
    test_path: Path | None = None
    """A file of its own for the test."""

    @property
    def provides(self) -> str:
        return contents.ROWS if self.predict == "class" else contents.NUMBER_ROWS


class TextSource(_Source):
    """Texts with labels from a CSV, JSON-lines or Parquet file, or running text from `.txt` files."""

    implementation: ClassVar[str] = "snaketorch.data.sources.text:load"
    files: ClassVar[tuple[str, ...]] = ("path", "test_path")

    kind: Literal["text"]
    path: Path
    """A `.csv`, `.tsv`, `.jsonl` (each also `.gz`) or `.parquet` file. Running text: a `.txt` file, a folder of them
    (in the order of their names, a blank line between two), or the rows of such a file, a line each."""
    text: Column = "text"
    """The column that holds the texts."""
    label: Column | None = None
    """The column that holds the labels; without one the file is running text."""
    test_path: Path | None = None
    """A file of its own for the test."""

    @property
    def provides(self) -> str:
        return contents.CORPUS if self.label is None else contents.TEXTS

    @model_validator(mode="after")
    def _plain_text_has_no_columns(self) -> Self:
        if self.path.lower().endswith((".txt", ".txt.gz")) and self.text != "text":
            raise ValueError(f"text: '{self.path}' has no columns; allowed: to leave it out, or a file of rows")
        return self

    @model_validator(mode="after")
    def _running_text_is_cut_in_order(self) -> Self:
        if self.label is None and self.test_path is not None:
            raise ValueError("test_path: running text is cut in its order; allowed: only with a label")
        return self


class TimeseriesSource(_Source):
    """One series with a time column from CSV, JSON lines or Parquet, or labelled sequences from `.ts` (UCR/UEA)."""

    implementation: ClassVar[str] = "snaketorch.data.sources.timeseries:load"
    files: ClassVar[tuple[str, ...]] = ("path", "test_path")

    kind: Literal["timeseries"]
    path: Path
    """A `.csv`, `.tsv`, `.jsonl` (each also `.gz`), `.parquet` or `.ts` file."""
    time: Column | None = None
    """The column of times: dates, or numbers that rise; needed except for `.ts`."""
    columns: Columns | None = None
    """Channels to take; all other columns when absent."""
    test_path: Path | None = None
    """For `.ts`: the file of the test, which the archives keep apart."""

    @property
    def provides(self) -> str:
        return contents.SEQUENCES if self.path.lower().endswith(".ts") else contents.SERIES

    @model_validator(mode="after")
    def _has_the_keys_of_its_format(self) -> Self:
        if self.provides == contents.SERIES:
            if self.time is None:
                raise ValueError("time: the file needs a column of times; allowed: the name of that column")
            if self.test_path is not None:
                raise ValueError("test_path: a series is cut by time; allowed: only for .ts files")
        elif self.time is not None or self.columns is not None:
            raise ValueError("time and columns have no meaning for a .ts file; allowed: to leave them out")
        return self


class HuggingfaceSource(_Source):
    """A dataset of the Hugging Face hub, or of its local cache."""

    implementation: ClassVar[str] = "snaketorch.data.sources.huggingface:load"
    possible_files: ClassVar[tuple[str, ...]] = ("path",)
    has_image_files: ClassVar[bool] = True

    kind: Literal["huggingface"]
    path: Path
    """Name on the hub, such as `ag_news`, or a folder written by `Dataset.save_to_disk`."""
    name: Column | None = None
    """Configuration of the dataset."""
    revision: Column | None = None
    """Commit, tag or branch; set it, for what a name stands for can change."""
    content: Literal["images", "texts"]
    """What the samples are."""
    input: Column | None = None
    """The column of samples; `image` or `text` when absent."""
    label: Column = "label"
    """The column of labels."""

    @property
    def provides(self) -> str:
        return contents.IMAGES if self.content == "images" else contents.TEXTS


class CustomSource(_Source):
    """Your own class: see "Your own data" below."""

    implementation: ClassVar[str] = "snaketorch.data.sources.custom:load"
    has_image_files: ClassVar[bool] = True
    files: ClassVar[tuple[str, ...]] = ("files_to_watch",)

    kind: Literal["custom"]
    class_path: ClassPath
    """Module and class, such as `my_lab.data.Leaves`; importable from the folder that holds `config/`."""
    content: Literal[
        "images",
        "number_images",
        "clips",
        "sequences",
        "number_sequences",
        "texts",
        "corpus",
        "series",
        "rows",
        "number_rows",
    ]
    """What its `load` gives."""
    init_args: Arguments = Field({})
    """Keyword arguments of the class."""
    files_to_watch: list[Path] = Field([])
    """Files and folders that it reads; when their content changes, the dataset is prepared again."""

    @property
    def provides(self) -> str:
        return getattr(contents, self.content.upper())


Source = Annotated[
    SklearnSource
    | StatsmodelsSource
    | PythonSource
    | BabelSource
    | TorchvisionSource
    | ImageFolderSource
    | VideoFolderSource
    | ArraysSource
    | TableSource
    | TextSource
    | TimeseriesSource
    | HuggingfaceSource
    | CustomSource,
    Field(discriminator="kind"),
]
