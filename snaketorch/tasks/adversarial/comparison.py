"""How generated samples compare with real ones, by their features."""

from dataclasses import dataclass

import torch
from torch import Tensor

from snaketorch.tasks.adversarial import neighbours
from snaketorch.tasks.adversarial.frechet import Gaussian, frechet_distance

LEAST_SPREAD = 0.25
LEAST_RECALL = 0.1
"""Below either the generator is said to have collapsed; between samples of one distribution both are near 1."""


@dataclass(frozen=True)
class Comparison:
    """Generated against real features."""

    frechet: float
    """Distance between the two taken for Gaussians; 0 is best, the unit is that of the features, squared."""
    precision: float
    """Share of generated ones that lie among real ones."""
    recall: float
    """Share of real ones that lie among generated ones."""
    coverage: float
    """Share of real ones with a generated one near."""
    spread: float
    """Variance of the generated ones over that of the real ones."""

    @property
    def collapse(self) -> str | None:
        """What says that the generator makes little of the variety of real images; None where nothing does."""
        if self.spread < LEAST_SPREAD:
            return f"generated images vary {self.spread:.0%} as much as real ones"
        if self.recall < LEAST_RECALL:
            return f"{self.recall:.0%} of the real images lie among generated ones"
        return None


def compare(real: Tensor, generated: Tensor) -> Comparison:
    """Compares features (N, D) and (M, D); all is NaN where a feature is."""
    real, generated = real.cpu(), generated.cpu()
    if not (real.isfinite().all() and generated.isfinite().all()):
        return Comparison(*[torch.nan] * 5)
    gaussians = Gaussian.of(real.numpy()), Gaussian.of(generated.numpy())
    variances = [max(float(gaussian.covariance.trace()), 1e-12) for gaussian in gaussians]
    return Comparison(
        frechet=frechet_distance(*gaussians),
        precision=neighbours.precision(real, generated),
        recall=neighbours.precision(generated, real),
        coverage=neighbours.coverage(real, generated),
        spread=variances[1] / variances[0],
    )
