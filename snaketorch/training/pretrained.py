"""A network that starts from trained weights: another experiment's, a file's, or torchvision's."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from snaketorch.config.models import Network
from snaketorch.config.transfer import Transfer
from snaketorch.errors import UserError
from snaketorch.models.input_map import SCALE, SHIFT
from snaketorch.provenance import file_sha256
from snaketorch.tasks.base import TaskModule
from snaketorch.training.fitting_inputs import Facts, check_meaning, has_other_target, map_to_training
from snaketorch.training.fitting_weights import first_convolution_of, fitted
from snaketorch.training.hub import hub_weights, own_shapes
from snaketorch.training.weight_files import read_weights, without_prefix

log = logging.getLogger(__name__)

HEAD = "head."
COUNTER = "num_batches_tracked"
"""Of batch normalisation, no weight: files of before torch 0.4.1 lack it, as many of torchvision's do."""
SHOWN = 3  # names in a message; the record has all


@dataclass
class _Trained:
    """Trained weights, and what is known of where they come from."""

    origin: dict[str, Any]
    """For the record."""
    weights: dict[str, Tensor]
    facts: Facts
    """Of the data that they were trained on."""


@dataclass
class _Fit:
    """How trained weights fit a network."""

    taken: dict[str, Tensor] = field(default_factory=dict)
    adapted: dict[str, str] = field(default_factory=dict)
    """Weights that were changed to fit, and how."""
    fresh: list[str] = field(default_factory=list)
    """Weights of a new head."""
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    other_shapes: list[str] = field(default_factory=list)
    """Weights with the shapes that they have and should have."""


def start_from_trained(
    task: TaskModule, options: Network, transfer: Transfer | None, path: Path | None
) -> dict[str, Any] | None:
    """Puts the trained weights that ``options.pretrained`` names into the network of ``task``.

    The head is fresh where its classes or their number are others, or ``transfer`` wants it so. The first convolution
    is adapted to the number of channels, a vision transformer's positions to the size of the images. Images, sequences
    and numbers of rows are mapped to what the weights were trained on, see ``models.input_map``.

    Args:
        task: With its fresh network.
        options: The network's section.
        transfer: How it goes on learning.
        path: The file of the weights; None for those of torchvision.

    Returns:
        For the record: where the weights come from and how they fit. None where there are none to start from.

    Raises:
        UserError: The file cannot be read, its weights are those of another network, or their tokens, columns or
            categories are others.
    """
    if options.pretrained is None:
        return None
    network = task.network
    trained = _read(options, path, network)
    own_map = {name: trained.weights.pop(name, None) for name in (SCALE, SHIFT)}
    check_meaning(task.facts, trained.facts, _named(trained.origin))
    new_head = _has_new_head(task, trained, transfer)
    found = _compare(network, trained.weights, new_head)
    _check(found, options, trained.origin, all_needed=transfer is not None and transfer.freezes)
    network.load_state_dict(found.taken, strict=False)
    _tell(found, trained.origin)
    mapping = {}
    if hasattr(network, SCALE):
        mapping["statistics"] = map_to_training(network, task.facts, trained.facts, own_map)
        mapping |= {name: getattr(network, name).flatten().tolist() for name in own_map}
        log.info("Statistics by which samples are normalised: %s", mapping["statistics"])
    return {
        **trained.origin,
        "head": "fresh" if found.fresh else "kept",
        "adapted": found.adapted,
        "missing": found.missing,
        "unexpected": found.unexpected,
        "input": mapping,
    }


def _read(options: Network, path: Path | None, network: nn.Module) -> _Trained:
    if options.hub_name:
        expected = _compare(network, network.from_torchvision(own_shapes(options)), new_head=True)
        _check(expected, options, {"torchvision": options.hub_name}, all_needed=True)  # before a download in vain
        hub = hub_weights(options)
        origin = {"torchvision": options.hub_name, "url": hub.url, "sha256": file_sha256(hub.file)}
        weights = network.from_torchvision(read_weights(hub.file).weights)
        mean, std = hub.statistics
        image = {"statistics": {"mean": mean, "std": std}}
        return _Trained(origin, weights, {"fields": {"image": image}, "classes": hub.classes})
    if path is None:
        raise UserError("model.pretrained needs a file; give it with --uses pretrained=PATH")
    content = read_weights(path)
    named = {"experiment": options.upstream} if options.upstream else {"file": str(path)}
    origin = {**named, "sha256": file_sha256(path)}
    names = network.state_dict().keys()
    weights = without_prefix(content.weights, names)
    if hasattr(network, "from_torchvision") and not names & weights.keys():
        weights = network.from_torchvision(without_prefix(content.weights, network.names))
    return _Trained(origin, weights, content.facts)


def _has_new_head(task: TaskModule, trained: _Trained, transfer: Transfer | None) -> bool:
    if transfer is not None and transfer.new_head:
        return True
    own, theirs = (tuple(facts.get("classes") or ()) for facts in (task.facts, trained.facts))
    if (own and theirs and own != theirs) or has_other_target(task.facts, trained.facts):
        return True
    head = {name: weight for name, weight in task.network.state_dict().items() if name.startswith(HEAD)}
    found = trained.weights
    return any(name not in found or found[name].shape != weight.shape for name, weight in head.items())


def _compare(network: nn.Module, weights: Mapping[str, Tensor], new_head: bool) -> _Fit:
    targets = {name: value for name, value in network.state_dict().items() if name not in (SCALE, SHIFT)}
    first = first_convolution_of(network)
    found = _Fit(unexpected=sorted(name for name in weights.keys() - targets.keys() if not name.startswith(HEAD)))
    for name, target in targets.items():
        if new_head and name.startswith(HEAD):
            found.fresh.append(name)
        elif name not in weights:
            if name.rpartition(".")[2] != COUNTER:
                found.missing.append(name)
        elif weights[name].shape == target.shape:
            found.taken[name] = weights[name]
        elif adapted := fitted(name, weights[name], target, first):
            found.taken[name], found.adapted[name] = adapted
        else:
            theirs, ours = (" x ".join(map(str, value.shape)) or "one value" for value in (weights[name], target))
            found.other_shapes.append(f"{name} ({theirs} instead of {ours})")
    return found


def _check(found: _Fit, options: Network, origin: Mapping[str, Any], all_needed: bool) -> None:
    where = _named(origin)
    if found.other_shapes:
        hint = ", another model.stem where images differ in size" if options.hub_weights else ""
        raise UserError(
            f"model.pretrained: the weights of {where} are of another network than this '{options.kind}': "
            f"{_some(found.other_shapes)}; allowed: weights of a network with the same keys in `model`{hint}"
        )
    if found.missing and (all_needed or "file" not in origin or len(found.missing) > len(found.taken)):
        also = f", and has what this network has not: {_some(found.unexpected)}" if found.unexpected else ""
        raise UserError(
            f"model.pretrained: {where} lacks {len(found.missing)} of the weights of this '{options.kind}': "
            f"{_some(found.missing)}{also}; allowed: weights of a network with the same keys in `model`"
        )


def _tell(found: _Fit, origin: Mapping[str, Any]) -> None:
    head = ", with a fresh head" if found.fresh else ""
    log.info("Starting from the weights of %s%s (SHA-256 %s...)", _named(origin), head, origin["sha256"][:12])
    for name, how in found.adapted.items():
        log.info("Adapted %s: %s", name, how)
    if found.missing:
        log.warning("%d weights are not among them and start afresh: %s", len(found.missing), _some(found.missing))
    if found.unexpected:
        log.warning("%d weights have no place here: %s", len(found.unexpected), _some(found.unexpected))


def _named(origin: Mapping[str, Any]) -> str:
    kind = next(iter(origin))
    return f"{kind} '{origin[kind]}'"


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f", ... ({len(names)} in all)" if len(names) > SHOWN else "")
