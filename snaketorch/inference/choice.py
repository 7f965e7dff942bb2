"""Which of an experiment's trainings is used outside of it."""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from snaketorch.config.specs import BundleSpec
from snaketorch.config.tasks import Task
from snaketorch.errors import UserError
from snaketorch.inference.bundle import write_bundle

log = logging.getLogger(__name__)


def bundle_chosen(
    spec: BundleSpec, *, manifest: Path, models: Sequence[Path], records: Sequence[Path], bundle: Path
) -> None:
    """Publishes the bundle of one of the models: of the seed that ``spec`` names, else of the best.

    Args:
        spec: Which experiment, and perhaps which seed.
        manifest: The prepared dataset.
        models: The trained model of each seed.
        records: Where each comes from, in the same order.
        bundle: Folder, published; what is in it is replaced.

    Raises:
        UserError: There is no such seed, or a file is damaged.
    """
    found = [_read(path) for path in records]
    seed = best_seed(found) if spec.seed is None else spec.seed
    seeds = [record["seed"] for record in found]
    if seed not in seeds:
        raise UserError(f"{spec.experiment} has no seed {seed}; allowed: {', '.join(map(str, seeds))}")
    place = seeds.index(seed)
    write_bundle(bundle, models[place], records[place], manifest)
    log.info("%s holds the model of %s, seed %d, and all that it needs", bundle, spec.experiment, seed)


def best_seed(records: Sequence[Mapping[str, Any]]) -> int:
    """The seed of the training whose validation went best, as ``checkpoint.monitor`` measures it.

    Never by the test, whose numbers would then be better than those of new data. Of equals it is the first; of
    trainings that never had a finite value too.
    """
    values = [_goodness(record) for record in records]
    best = max(range(len(records)), key=values.__getitem__)
    if len(records) > 1:
        told = records[best]["best"]
        shown = f"{told['metric']} {told['value']:.4g}" if told else "no finite value in any of them"
        log.info("seed %d is the best of %d on the validation data: %s", records[best]["seed"], len(records), shown)
    return records[best]["seed"]


def _goodness(record: Mapping[str, Any]) -> float:
    """Of the best epoch: more is better."""
    best = record["best"]
    if best is None:
        return -math.inf
    modes = TypeAdapter(Task).validate_python(record["spec"]["task"]).logged
    return best["value"] if modes[best["metric"].rpartition("/")[2]] == "max" else -best["value"]


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not the record of a training: {error}") from error
