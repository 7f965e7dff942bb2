"""The parts of a network in the order of its layers."""

from torch import nn


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """From the input to the head, which is last; each parameter belongs to one of them.

    A network that does not say so with ``blocks()`` counts as its children other than the head, in the order of
    their definition, and the head; one without a ``head`` as a single part. What only holds modules, such as a
    ``ModuleList``, counts as its members.
    """
    if hasattr(network, "blocks"):
        return _callable(network.blocks())
    head = getattr(network, "head", None)
    if not isinstance(head, nn.Module):
        return [network]
    return [*_callable([child for child in network.children() if child is not head]), head]


def _callable(parts: list[nn.Module]) -> list[nn.Module]:
    found = []
    for part in parts:
        has_forward = type(part).forward is not nn.Module.forward
        found += [part] if has_forward else _callable([*part.children()])
    return found
