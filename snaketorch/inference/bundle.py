"""What travels with a trained model: everything that raw data need to become its answers, in one folder.

``weights.safetensors`` holds tensors alone; ``bundle.json`` says the rest and the SHA-256 of every other file;
``code/`` holds the user's own modules where the network is one of them. Nothing is unpickled, and no code but these
modules comes from a bundle.
"""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load as weights_from
from safetensors.torch import save as weights_as_bytes

from snaketorch.config.models import Custom
from snaketorch.data.decoding.pictures import MOST_PIXELS
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.inference.own_code import copy_modules, imported_from
from snaketorch.inference.predictor import BATCH_SIZE, Predictor
from snaketorch.provenance import file_sha256
from snaketorch.publish import whole_file, whole_folder, write_json
from snaketorch.tasks import build_task
from snaketorch.tasks.base import TaskModule
from snaketorch.training.model_file import Description, check_origin, load_model

FORMAT = 1
DESCRIPTION, WEIGHTS, CODE = "bundle.json", "weights.safetensors", "code"
EXAMPLES = 2
DIGITS = 6
"""Of numbers in the examples' outputs: the last ones differ between machines."""


def write_bundle(folder: Path, model: Path, record: Path, manifest: Path) -> None:
    """Publishes the bundle of a trained model; what was in ``folder`` is replaced. Equal inputs give equal bytes.

    Args:
        folder: To write.
        model: The trained model, ``model.ckpt``.
        record: Where it comes from, ``record.json``.
        manifest: Of the dataset that it was trained on.

    Raises:
        UserError: The files do not belong together, or the network holds something other than tensors.
    """
    dataset, training, task = Manifest.load(manifest), json.loads(record.read_text("utf-8")), load_model(model)
    sha256 = file_sha256(model)
    check_origin(training, model, sha256, dataset)
    description = _description(model)
    prepare = without_absolute_paths(dataset.spec)
    with whole_folder(folder) as temporary:
        with whole_file(temporary / WEIGHTS) as file:
            file.write_bytes(weights_as_bytes(_weights(task, model)))
        if isinstance(description.model, Custom):
            copy_modules(description.model.class_path, Path.cwd(), temporary / CODE)
        content = {
            "format": FORMAT,
            "task": description.task.model_dump(mode="json"),
            "model": without_absolute_paths(description.model.model_dump(mode="json")),
            "facts": description.facts,
            "prepare": prepare,
            "lineage": _lineage(training, dataset, sha256),
            "versions": training["versions"],
            **_examples(Predictor(task, prepare, device=torch.device("cpu")), dataset),
            "files": _files(temporary),
        }
        write_json(temporary / DESCRIPTION, content)


def load_bundle(
    folder: Path,
    device: torch.device | None = None,
    *,
    batch_size: int = BATCH_SIZE,
    most_pixels: int = MOST_PIXELS,
) -> Predictor:
    """The model in a bundle, ready to answer.

    Args:
        folder: Of the bundle.
        device: Where it computes; the GPU where there is one when None.
        batch_size: Samples at once, at most.
        most_pixels: Of an encoded image that it is given; a server for strangers wants fewer than a study.

    Raises:
        UserError: It is no bundle of this format, or damaged, or lacks the user's own module.
    """
    try:
        content = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        if content["format"] != FORMAT:
            raise UserError(f"{folder} has format {content['format']}; this version reads format {FORMAT}")
        if (found := _files(folder)) != content["files"]:
            raise UserError(f"{folder} is damaged: {_difference(found, content['files'])}")
        description = Description.model_validate({**content, "format": FORMAT})
        task = _task(description, folder)
        predictor = Predictor(
            task,
            content["prepare"],
            lineage=content["lineage"],
            device=device,
            batch_size=batch_size,
            most_pixels=most_pixels,
        )
        names = [column.name for column in predictor.inputs]
        predictor.example = pd.DataFrame(content["example"], columns=names)
        predictor.example_parameters = content["example_parameters"]
        predictor.example_outputs = content["example_outputs"]
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, SafetensorError) as error:
        raise UserError(f"{folder} is not a bundle that Snaketorch wrote, or it is damaged: {error}") from error
    return predictor


def bundle_sha256(folder: Path) -> str:
    """What stands for a bundle: the SHA-256 of its description, which has those of all other files."""
    return file_sha256(folder / DESCRIPTION)


def _task(description: Description, folder: Path) -> TaskModule:
    code = folder / CODE
    has_code = isinstance(description.model, Custom) and code.is_dir()
    with imported_from(code, description.model.class_path) if has_code else nullcontext():
        task = build_task(description.task, description.model, description.facts)
    task.network.load_state_dict(weights_from((folder / WEIGHTS).read_bytes()))
    return task


def _description(model: Path) -> Description:
    content = torch.load(model, map_location="cpu", weights_only=True)
    return Description.model_validate_json(content["description"])


def _weights(task: TaskModule, model: Path) -> dict[str, torch.Tensor]:
    """Each with memory of its own, as the format wants it: layers may share theirs."""
    state = task.network.state_dict()
    if others := [name for name, value in state.items() if not isinstance(value, torch.Tensor)]:
        raise UserError(
            f"{model}: the network keeps {', '.join(others)} in its state_dict, which a bundle cannot hold; allowed: "
            "tensors"
        )
    return {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in state.items()}


def _lineage(training: Mapping[str, Any], dataset: Manifest, sha256: str) -> dict[str, Any]:
    slurm = (training.get("host") or {}).get("slurm", {})
    optional = {"git_commit": (training.get("git") or {}).get("commit"), "slurm_job": slurm.get("SLURM_JOB_ID")}
    return {
        **{name: training[name] for name in ("experiment", "seed", "spec_digest")},
        "data": dataset.dataset,
        "data_digest": dataset.digest,
        **{name: training[name] for name in ("code_digest", "run_key")},
        "model_sha256": sha256,
        **{name: value for name, value in optional.items() if value},
    }


def _examples(predictor: Predictor, dataset: Manifest) -> dict[str, Any]:
    """Two training samples as raw rows, and what the model says of them."""
    count = dataset.splits["train"].count
    rows = [predictor.example_of(dataset, count * number // EXAMPLES) for number in range(EXAMPLES)]
    parameters = predictor.quick_parameters
    answers, _ = predictor.predict_good(pd.DataFrame(rows), parameters=parameters)
    return {
        "example": [rows[place] for place in answers.pop("row")],
        "example_parameters": parameters,
        "example_outputs": [_rounded(row) for row in answers.to_dict("records")],
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    if isinstance(value, float):
        # JSON has no NaN
        return float(f"{value:.{DIGITS}g}") if value == value else None
    return value


def without_absolute_paths(value: Any) -> Any:
    """JSON with file names alone in the place of absolute paths, which say nothing elsewhere and much of a machine."""
    if isinstance(value, dict):
        return {name: without_absolute_paths(part) for name, part in value.items()}
    if isinstance(value, list):
        return [without_absolute_paths(part) for part in value]
    return Path(value).name if isinstance(value, str) and value.startswith(("/", "~/")) else value


def _files(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file but the description, by its place in the bundle; hidden ones are Snakemake's own."""
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path != folder / DESCRIPTION
        and "__pycache__" not in path.parts
        and not path.name.startswith(".")
    }


def _difference(found: Mapping[str, str], told: Mapping[str, str]) -> str:
    name = sorted(name for name in {*found, *told} if found.get(name) != told.get(name))[0]
    if name not in found:
        return f"{name} is not there"
    return f"{name} is not the file that was written (SHA-256)" if name in told else f"{name} does not belong to it"
