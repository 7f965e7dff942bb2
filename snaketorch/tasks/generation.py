"""Text from a language model, token by token."""

import torch
from torch import Tensor, nn

from snaketorch.config.tasks.language_modelling import Sampling
from snaketorch.data.tokenizers import UNKNOWN
from snaketorch.models.stepwise import Stepwise


@torch.no_grad()
def generate(network: nn.Module, prompt: Tensor, window: int, options: Sampling, generator: torch.Generator) -> Tensor:
    """Texts that go on from ``prompt``.

    A network that can go on from where it is reads each token once and keeps its state; any other reads the
    last ``window`` tokens again for each token.

    Args:
        network: Gives logits (B, T, V) for tokens (B, T); in evaluation mode.
        prompt: Tokens (P,), at least one.
        window: Tokens that the network reads at once.
        options: Length and number of the texts, and how a token is drawn.
        generator: Of the CPU, where all draws are made: they are the same on every device.

    Returns:
        Tokens (count, length) on the CPU, without the prompt.
    """
    device = next(network.parameters()).device
    text = prompt.to(device).expand(options.count, -1)
    written = []
    state = None
    if isinstance(network, Stepwise):
        for token in text.T:
            logits, state = network.step(token, state)
    else:
        logits = network(text[:, -window:])[:, -1]
    while True:
        token = draw(logits.cpu(), options, generator)
        written.append(token)
        if len(written) == options.length:
            return torch.stack(written, 1)
        if isinstance(network, Stepwise):
            logits, state = network.step(token.to(device), state)
        else:
            text = torch.cat([text, token.to(device)[:, None]], 1)[:, -window:]
            logits = network(text)[:, -1]


def draw(logits: Tensor, options: Sampling, generator: torch.Generator) -> Tensor:
    """A token (B,) for each row of ``logits`` (B, V); never padding or the unknown."""
    logits = logits.double() / options.temperature
    logits[:, : UNKNOWN + 1] = -torch.inf
    if options.top_k is not None and options.top_k < logits.shape[1]:
        least = logits.topk(options.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    probability = logits.softmax(1)
    if options.top_p is not None:
        ordered, order = probability.sort(dim=1, descending=True, stable=True)
        # a token stays while those before it do not yet make up top_p; the likeliest always does
        ordered = ordered.masked_fill(ordered.cumsum(1) - ordered >= options.top_p, 0)
        probability = torch.zeros_like(probability).scatter(1, order, ordered)
    return torch.multinomial(probability, 1, generator=generator)[:, 0]
