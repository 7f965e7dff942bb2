import pytest
from torch import nn

from snaketorch.errors import UserError
from snaketorch.training.batch_normalization import check_batches


@pytest.mark.parametrize(("batch_size", "samples"), [(1, 50), (8, 1)])
def test_a_single_sample_is_refused_where_statistics_are_taken(batch_size, samples):
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    with pytest.raises(UserError, match=r"data_loader.batch_size: .* normalises by batch \(1\).* allowed: 2 or more"):
        check_batches(network, network.parameters(), batch_size, samples)


def test_a_single_sample_is_fine_without_batch_normalisation_or_where_it_stays_frozen():
    check_batches(nn.LayerNorm(3), nn.LayerNorm(3).parameters(), 1, 50)
    network = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))
    check_batches(network, network[1].parameters(), 1, 50)
    check_batches(network, network.parameters(), 2, 50)
