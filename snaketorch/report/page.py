"""The page as text: templates filled, style and script put in, nothing loaded from anywhere."""

import base64
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from snaketorch.report import formats
from snaketorch.report.highlight import highlight
from snaketorch.report.interval_plot import WIDTH

FILTERS = (
    formats.number,
    formats.signed,
    formats.aligned,
    formats.estimate,
    formats.duration,
    formats.mebibytes,
    formats.milliseconds,
    formats.moment,
    formats.plain,
    formats.metric_name,
    formats.sentence,
    highlight,
)


def render(**content: Any) -> str:
    """The whole HTML document. All text is escaped, whatever its file is called."""
    templates = Environment(
        loader=PackageLoader("snaketorch.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {function.__name__: function for function in FILTERS}
    style, script = (_asset(templates, name) for name in ("page.css", "page.js"))
    return templates.get_template("page.html").render(
        style=style, script=script, policy=_policy(script), plot_width=WIDTH, **content
    )


def _asset(templates: Environment, name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    source, _, _ = templates.loader.get_source(templates, name)
    return Markup(source)


def _policy(script: str) -> str:
    """What a browser may do with the page: run this one script, and fetch nothing.

    Names and descriptions are escaped anyway; this holds even if some way around that were found.
    """
    sha256 = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{sha256}'"
