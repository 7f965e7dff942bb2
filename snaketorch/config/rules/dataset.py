"""One dataset: keys that have no meaning for its source, or without another key."""

from collections.abc import Iterator

from snaketorch.config.contents import CONTENTS
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.problems import Conflict, listed
from snaketorch.config.rules.data import without_meaning
from snaketorch.config.rules.devices import a_model_is_of_the_gpu_that_prepares


def dataset_conflicts(dataset: DatasetConfig, usable: set[str]) -> Iterator[Conflict]:
    """Every key in the ``usable`` sections of ``dataset`` that has no meaning for its source, or without another."""
    if "resources" in usable:
        yield from a_model_is_of_the_gpu_that_prepares(dataset)
    if "source" not in usable:
        return
    source, content = dataset.source, CONTENTS[dataset.source.provides]
    gives = f"source '{source.kind}', which gives {source.provides}"
    for section in {"split", "prepare"} & usable:
        meant = getattr(content, section)
        for key in sorted(getattr(dataset, section).model_fields_set - meant):
            yield (
                (section, key),
                f"has no meaning for {gives}; allowed: {listed(sorted(meant), most=30) or 'nothing'}",
            )
    if "prepare" not in usable:
        return
    prepare = dataset.prepare
    if "missing" in prepare.model_fields_set & content.prepare and prepare.missing not in content.missing:
        yield (
            ("prepare", "missing"),
            f"'{prepare.missing}' cannot be done to {gives}; allowed: {listed(sorted(content.missing))}",
        )
    if "decoder" in prepare.model_fields_set & content.prepare and not source.has_image_files:
        yield ("prepare", "decoder"), f"has no meaning for source '{source.kind}'; allowed: to leave it out"
    if "max_bad_share" in prepare.model_fields_set & content.prepare and prepare.on_bad_sample == "error":
        yield ("prepare", "max_bad_share"), "has no effect without on_bad_sample: skip; allowed: with it, or not at all"
    if "augment" in content.prepare and prepare.augment is not None:
        yield from without_meaning(prepare.augment, source.provides, ("prepare", "augment"))
