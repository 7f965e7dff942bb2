import pytest
from drawn_figures import DRAW

from snaketorch.figures.style import as_svg


@pytest.fixture(params=DRAW, scope="session")
def draw(request):
    """Draws one kind of figure, anew at every call."""
    return DRAW[request.param]


@pytest.fixture(scope="session")
def svg(draw):
    """The figure as SVG, drawn once for all tests."""
    return as_svg(draw(), "name")
