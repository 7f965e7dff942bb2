import pytest

from snaketorch.config.sources import SklearnSource, StatsmodelsSource
from snaketorch.implementation import resolve
from snaketorch.publish import write_json


def test_a_name_becomes_the_object():
    assert resolve("snaketorch.publish:write_json") is write_json


@pytest.mark.parametrize("section", [SklearnSource, StatsmodelsSource])
def test_every_source_names_a_function_that_is_there(section):
    assert callable(resolve(section.implementation))
