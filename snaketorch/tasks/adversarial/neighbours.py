"""Where sets of features lie among each other, by nearest neighbours."""

from collections.abc import Iterator

import torch
from torch import Tensor

MANIFOLD_NEIGHBOURS = 3
"""Of improved precision and recall, as in the paper."""
COVERAGE_NEIGHBOURS = 5
"""With these, coverage between two samples of one distribution is about 1 - 2 ** -5, that is 97 %."""
ROWS_AT_ONCE = 1024


def radii(features: Tensor, neighbours: int) -> Tensor:
    """Squared distance (N,) of each of ``features`` (N, D) to its ``neighbours``-th nearest other one.

    Of fewer features it is the farthest.
    """
    rank = min(neighbours + 1, len(features))  # the nearest of all is the feature itself
    return torch.cat([part.kthvalue(rank, dim=1).values for part in _squared_distances(features, features)])


def inside(points: Tensor, centres: Tensor, around: Tensor) -> Tensor:
    """Which of ``points`` (N, D) lie in a ball about any of ``centres`` (M, D), of squared radii ``around`` (M,)."""
    return torch.cat([(part <= around).any(1) for part in _squared_distances(points, centres)])


def precision(real: Tensor, generated: Tensor, neighbours: int = MANIFOLD_NEIGHBOURS) -> float:
    """Share of generated features in the manifold of real ones: how many look real.

    Recall is the same with the two in each other's place: how much of what is real can be made.
    Kynkäänniemi et al., arXiv 1904.06991.
    """
    return float(inside(generated, real, radii(real, neighbours)).float().mean())


def coverage(real: Tensor, generated: Tensor, neighbours: int = COVERAGE_NEIGHBOURS) -> float:
    """Share of real features with a generated one among their nearest neighbours (Naeem et al., arXiv 2002.09797)."""
    nearest = torch.cat([part.min(1).values for part in _squared_distances(real, generated)])
    return float((nearest <= radii(real, neighbours)).float().mean())


def nearest(points: Tensor, others: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """Distances (N, count) from each of ``points`` to the nearest of ``others``, and their numbers (N, count)."""
    found = [part.topk(min(count, len(others)), largest=False) for part in _squared_distances(points, others)]
    return torch.cat([part.values for part in found]).sqrt(), torch.cat([part.indices for part in found])


def _squared_distances(points: Tensor, others: Tensor) -> Iterator[Tensor]:
    """Rows of the table (N, M), some at a time; in double precision, where the short way is exact enough."""
    points, others = points.double(), others.double()
    lengths = others.square().sum(1)
    for rows in points.split(ROWS_AT_ONCE):
        yield (rows.square().sum(1, keepdim=True) + lengths - 2 * rows @ others.T).clamp_min(0)
