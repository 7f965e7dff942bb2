"""Image files in class folders."""

from pathlib import Path

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.decoding.pictures import SUFFIXES
from snaketorch.data.raw.images import RawImages
from snaketorch.data.readers import FileReader
from snaketorch.data.sources.class_folders import read_class_folders


def load(spec: PrepareSpec) -> RawImages:
    """The images below ``spec.source.path``. DataError when its folders are not what they should be."""
    found = read_class_folders(Path(spec.source.path), SUFFIXES, "images")
    return RawImages(
        labels=found.labels,
        classes=found.classes,
        names=found.names,
        given=found.given,
        findings=found.findings,
        reader=FileReader(found.paths),
    )
