"""A device whose memory ends early."""

import torch

from snaketorch.tasks import base


def little_memory(patch, training: int = 10**6, validation: int = 10**6) -> list[int]:
    """From now on networks run out of memory above so many samples at once; gives the sizes that were too large."""
    real, refused = base.build_network, []

    def check(module, arguments):
        count = len(next(argument for argument in arguments if argument is not None))
        if count > (training if module.training else validation):
            refused.append(count)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    def build(*arguments):
        network = real(*arguments)
        parts = [network.generator, network.discriminator] if hasattr(network, "generator") else [network]
        for part in parts:
            part.register_forward_pre_hook(check)
        return network

    patch.setattr(base, "build_network", build)
    return refused
