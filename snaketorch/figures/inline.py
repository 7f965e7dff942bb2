"""SVG files as parts of a page: responsive, recoloured, and without clashes between their ids."""

import re
from xml.etree import ElementTree

from snaketorch.figures.style import GRID, INK, MUTED, PAPER

VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)", PAPER: "var(--paper)"}
"""The page's CSS variable for each colour of the house style that is not a data colour."""

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
HREF = f"{XLINK}href"
_COLOUR = re.compile("|".join(VARIABLES), re.IGNORECASE)
_URL = re.compile(r"url\(#([^)]+)\)")


def themed(svg: str, prefix: str) -> str:
    """An SVG document as an element for an HTML page.

    It fills the width it gets, up to its own. Only ids that the figure refers to are kept, and start
    with ``prefix``, so a page may hold many figures. Colours of the house style become ``VARIABLES``,
    and the title becomes the text that a screen reader says.

    Raises:
        ElementTree.ParseError: ``svg`` is not XML.
    """
    root = ElementTree.fromstring(svg)
    _make_responsive(root)
    _take_title(root)
    _drop_style_sheet(root)
    wanted = {name for element in root.iter() for item in element.items() for name in _references(*item)}
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        attributes = list(element.items())
        element.attrib.clear()
        for key, value in attributes:
            if key != "id" or value in wanted:
                element.set(key.removeprefix(XLINK), _rewritten(key, value, prefix))
    return ElementTree.tostring(root, encoding="unicode")


def _make_responsive(root: ElementTree.Element) -> None:
    width = root.attrib.pop("width", "100%")
    root.attrib.pop("height", None)
    root.set("style", f"width: 100%; max-width: {width}; height: auto")


def _take_title(root: ElementTree.Element) -> None:
    if (metadata := root.find(f"{SVG}metadata")) is not None:
        root.remove(metadata)
    if (title := root.find(f"{SVG}title")) is not None:
        root.set("role", "img")
        root.set("aria-label", title.text or "")
        root.remove(title)  # browsers would show it as a tooltip over the whole figure


def _drop_style_sheet(root: ElementTree.Element) -> None:
    """Moves Matplotlib's ``*{...}`` rule, which would reach the whole page, to the root element."""
    for parent in list(root.iter()):
        for sheet in parent.findall(f"{SVG}style"):
            parent.remove(sheet)
            rule = re.fullmatch(r"\s*\*\s*\{([^{}]*)\}\s*", sheet.text or "")
            root.set("style", f"{root.get('style')}; {rule[1].strip() if rule else ''}".rstrip("; "))


def _references(key: str, value: str) -> list[str]:
    if key == HREF:
        return [value[1:]] if value.startswith("#") else []
    return _URL.findall(value)


def _rewritten(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == HREF:
        return f"#{prefix}-{value[1:]}" if value.startswith("#") else value
    if key == "aria-label":
        return value
    value = _URL.sub(rf"url(#{prefix}-\1)", value)
    return _COLOUR.sub(lambda found: VARIABLES[found[0].lower()], value)
