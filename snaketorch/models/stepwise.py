"""Networks that can go on from where they are."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Stepwise(Protocol):
    """A network with an output at each step that need not read again what it has read."""

    def step(self, sample: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """One step.

        Args:
            sample: The next step of each sequence: tokens (B,), or values (B, F).
            state: What the last call gave; None at the beginning.

        Returns:
            The output (B, num_outputs), as ``forward`` gives it at that step, and the state for the next call.
        """
        ...
