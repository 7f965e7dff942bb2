"""The layers of AlexNet and VGG as parts: stages of convolutions that end in a pooling, then dense layers."""

from torch import nn


def convolution_stages(features: nn.Sequential) -> list[nn.Sequential]:
    """The layers of ``features``, cut behind each pooling."""
    ends = [number + 1 for number, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    return [features[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def dense_layers(classifier: nn.Sequential) -> tuple[list[nn.Sequential], nn.Linear]:
    """The hidden dense layers of ``classifier``, each with what follows it, and the last layer."""
    starts = [number for number, layer in enumerate(classifier) if isinstance(layer, nn.Linear)]
    hidden = zip([0, *starts[1:]], starts[1:], strict=False)
    return [classifier[start:end] for start, end in hidden], classifier[-1]


def parts_of(stages: list[nn.Sequential], pooling: nn.Module, hidden: list[nn.Sequential]) -> dict[str, nn.Module]:
    """All of them in order, by name."""
    named_stages = {f"stage{number}": stage for number, stage in enumerate(stages, 1)}
    named_hidden = {f"hidden{number}": layer for number, layer in enumerate(hidden, 1)}
    return {**named_stages, "pooling": nn.Sequential(pooling, nn.Flatten()), **named_hidden}
