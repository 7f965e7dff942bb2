"""Random numbers that are a function of (seed, epoch, sample, name, position) and of nothing else.

Each is a hash, not the next number of a generator, so it is the same in whatever batch, order or process
a sample comes, and after every resume. The arithmetic is on int64, which wraps alike on every device: the
bits are equal everywhere. Floating-point functions of them (normals) agree to rounding.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from snaketorch.data.augment.constants import Constants

_ONES = (1 << 64) - 1


def _signed(bits: int) -> int:
    """The int64 of these 64 bits."""
    bits &= _ONES
    return bits - (1 << 64) if bits >> 63 else bits


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_EPOCH = _signed(0xD1B54A32D192ED03)
_BLOCK = 16  # normal draws of one kind side by side: pairs one by one take 20 times as long to put together
_FACTORS = (_signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB))


def _shifted(bits: Tensor, by: int) -> Tensor:
    """Logical shift to the right; that of int64 repeats the sign."""
    return (bits >> by).bitwise_and_((1 << (64 - by)) - 1)


def mixed(bits: Tensor) -> Tensor:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a change of one bit changes half of the others."""
    # in place where it can be: of the noise of a batch, most of the time goes into touching new memory
    bits = _shifted(bits, 30).bitwise_xor_(bits).mul_(_FACTORS[0])
    bits = _shifted(bits, 27).bitwise_xor_(bits).mul_(_FACTORS[1])
    return _shifted(bits, 31).bitwise_xor_(bits)


def _number(name: str) -> int:
    """FNV-1a of a name: plain arithmetic, so that ``torch.compile`` can follow it."""
    bits = 0xCBF29CE484222325
    for character in name:
        bits = ((bits ^ ord(character)) * 0x100000001B3) & _ONES
    return _signed(bits)


def bits_of(states: Tensor, name: str) -> Tensor:
    """(B,) int64: 64 random bits for each state (B,)."""
    return mixed(states + _number(name))


def bits_at(states: Tensor, name: str, count: int) -> Tensor:
    """(B, count) int64; those of a position do not depend on how many are asked for."""
    position = torch.arange(1, count + 1, device=states.device) * _GOLDEN
    return mixed(bits_of(states, name).unsqueeze(1) + position)


def _unit(bits: Tensor, lowest: int) -> Tensor:
    """Float32 in [0, 1) of 24 bits, as many as it holds exactly."""
    return (bits >> lowest).bitwise_and_(0xFFFFFF).float().mul_(2.0**-24)


def uniform(bits: Tensor) -> Tensor:
    """Float32 in [0, 1)."""
    return _unit(bits, 40)


def normal_at(states: Tensor, name: str, count: int) -> Tensor:
    """(B, count) float32, standard normal, none beyond 5.8; two of each 64 bits (Box and Muller 1958).

    As with ``bits_at``, those of a position do not depend on how many are asked for.
    """
    bits = bits_at(states, name, -(-count // (2 * _BLOCK)) * _BLOCK)
    radius = _unit(bits, 40).add_(2.0**-24).log_().mul_(-2.0).sqrt_()
    angle = _unit(bits, 16).mul_(2 * math.pi)
    both = (part.mul_(radius).unflatten(1, (-1, _BLOCK)) for part in (angle.cos(), angle.sin_()))
    return torch.stack(tuple(both), 2).flatten(1)[:, :count]


def below(bits: Tensor, count: int) -> Tensor:
    """Int64 in [0, count), for a ``count`` of up to 2**32; each as likely as the others to 2**-31."""
    return (_shifted(bits, 33) * count) >> 31


def between(drawn: Tensor, low: float, high: float) -> Tensor:
    """From [0, 1) to [low, high)."""
    return low + drawn * (high - low)


def log_between(drawn: Tensor, low: float, high: float) -> Tensor:
    """From [0, 1) to [low, high), as likely below as above the geometric mean of the two."""
    return between(drawn, math.log(low), math.log(high)).exp()


class Draws:
    """The random numbers of a training's samples; ``names`` are those that ``uniform`` gives, in one go."""

    def __init__(self, seed: int, names: Sequence[str] = ()):
        self.seed, self.names = seed, tuple(names)
        self._constants = Constants(numbers=torch.tensor([_number(name) for name in self.names], dtype=torch.int64))

    def states(self, sample: Tensor, epoch: int) -> Tensor:
        """(B,) int64, one for each of ``sample`` (B,) int64 in an epoch; all that is drawn comes from it."""
        # the seed is mixed on its own: neighbouring seeds must not meet neighbouring samples
        seed = mixed(torch.full_like(sample, self.seed) + _GOLDEN)
        return mixed(mixed(seed + sample * _GOLDEN) + torch.full_like(sample, epoch + 1) * _EPOCH)

    def uniform(self, states: Tensor) -> dict[str, Tensor]:
        """Each of the names: (B,) float32 in [0, 1)."""
        numbers = self._constants.on(states.device)["numbers"]
        return dict(zip(self.names, uniform(mixed(states + numbers.unsqueeze(1))), strict=True))
