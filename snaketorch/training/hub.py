"""Weights that torchvision's authors trained, by their names."""

import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchvision.models import WeightsEnum, get_model, get_model_weights

from snaketorch.config.models import Torchvision
from snaketorch.errors import UserError
from snaketorch.provenance import file_sha256

TIMEOUT = 60.0  # seconds without a byte from the server

HALF = ([0.5] * 3, [0.5] * 3)
OWN_STATISTICS = {"googlenet": HALF}
"""Mean and deviation of networks that change torchvision's normalisation themselves (`transform_input`)."""


class HubWeights(NamedTuple):
    """Trained weights of a network of torchvision."""

    file: Path
    url: str
    statistics: tuple[list[float], list[float]]
    """Mean and standard deviation of each channel, by which its images were normalised."""
    classes: tuple[str, ...]


def hub_weights(options: Torchvision) -> HubWeights:
    """The weights that ``options.pretrained`` names, downloaded where they are not there yet.

    Raises:
        UserError: There are no such weights, they cannot be downloaded, or the file is damaged.
    """
    weights = _named(options)
    url = weights.url
    name = url.rpartition("/")[2]
    file = Path(torch.hub.get_dir(), "checkpoints", name)
    start = re.search(r"-([0-9a-f]{8,})\.", name).group(1)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _download(weights, file, start)
    elif not file_sha256(file).startswith(start):
        raise UserError(
            f"{file} is damaged: its SHA-256 should begin with {start}; delete it, or put there what {url} gives"
        )
    return HubWeights(file, url, _statistics(options, weights), tuple(weights.meta.get("categories", ())))


def own_shapes(options: Torchvision) -> dict[str, Tensor]:
    """The weights of torchvision's own network by their names, as tensors without values: those of a download."""
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore", FutureWarning)  # of how GoogLeNet's would be initialised
        return get_model(options.torchvision_name, weights=None).state_dict()


def _named(options: Torchvision) -> WeightsEnum:
    known = get_model_weights(options.torchvision_name)
    try:
        return known[options.pretrained]
    except KeyError:
        names = ", ".join(known.__members__)
        raise UserError(
            f"model.pretrained: torchvision has no weights '{options.pretrained}' of {options.torchvision_name}; "
            f"allowed: {names}, a file, {{from_experiment: NAME}}"
        ) from None


def _download(weights: WeightsEnum, file: Path, start: str) -> None:
    try:
        with _impatient():
            torch.hub.download_url_to_file(weights.url, str(file), hash_prefix=start, progress=False)
    except (OSError, RuntimeError) as error:  # RuntimeError: another hash
        raise UserError(
            f"the weights {weights} cannot be downloaded ({error}). Without a network: download {weights.url} "
            f"elsewhere and put it into {file.parent} as {file.name} (its SHA-256 begins with {start})"
        ) from error


@contextmanager
def _impatient() -> Iterator[None]:
    """A server that does not answer is no reason to wait for ever, which torch would."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _statistics(options: Torchvision, weights: Any) -> tuple[list[float], list[float]]:
    if options.kind in OWN_STATISTICS:
        return OWN_STATISTICS[options.kind]
    transforms = weights.transforms()
    return list(transforms.mean), list(transforms.std)
