"""The monitoring page as text: one file, offline, in the look of the study page."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from snaketorch.monitoring.histogram import HEIGHT, WIDTH
from snaketorch.monitoring.words import GROUPS, TESTS, said
from snaketorch.report import formats

FILTERS = (formats.number, formats.moment, formats.plain, formats.sentence)


def render(**content: Any) -> str:
    """The whole HTML document. All text is escaped, and a browser runs and fetches nothing for it."""
    templates = Environment(
        loader=ChoiceLoader([PackageLoader("snaketorch.monitoring"), PackageLoader("snaketorch.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {function.__name__: function for function in FILTERS} | {"said": said}
    style = Markup("\n".join(templates.loader.get_source(templates, name)[0] for name in ("page.css", "monitor.css")))
    return templates.get_template("monitor.html").render(
        style=style, tests=TESTS, groups=GROUPS, width=WIDTH, height=HEIGHT, **content
    )
