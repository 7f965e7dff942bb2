"""What a comparison of two samples gives, before anybody says what of it matters."""

from typing import NamedTuple


class Measured(NamedTuple):
    """A statistic, and how far chance alone takes it."""

    value: float
    chance: float
    """What is exceeded with the probability of the level that was asked for, when both samples have one source."""
    n: int
    """New samples."""
    reference_n: int
    """Samples that they are compared with."""
