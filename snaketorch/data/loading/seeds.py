"""Seeds for everything that is drawn in a training."""

import hashlib


def stable_seed(*parts: object) -> int:
    """A seed below 2**56 that depends on ``parts`` alone, on every machine and in every process."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest(), "little")
