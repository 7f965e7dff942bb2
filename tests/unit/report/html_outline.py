"""What a test asks of an HTML page: its elements in order, and whether it is well made."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br", "hr"}
LOADING = {"src", "srcset", "poster", "data", "action", "xlink:href"}
"""Attributes by which a page asks for something; ``href`` as well, except on links that people follow."""


@dataclass
class Element:
    """One element, and the text in it and in all that it holds."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())


class Page(HTMLParser):
    """A parsed page; ``problems`` lists what is wrong with its structure."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[Element] = []
        self.problems: list[str] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{element.tag}> is never closed" for element in self._open]
        self._check_ids()
        self._check_headings()
        self.problems += [
            f"an image has no alt: {image.attributes}" for image in self.all("img") if not image.attributes.get("alt")
        ]

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements with a tag whose attributes have these words."""
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(word in element.attributes.get(name.rstrip("_"), "").split() for name, word in attributes.items())
        ]

    def within(self, element: Element, tag: str) -> list[Element]:
        """Elements below another one."""
        return [other for other in self.elements if other.tag == tag and element in _ancestors(other)]

    def requests(self) -> list[str]:
        """Addresses that a browser would fetch by itself, other than data in the page."""
        found = []
        for element in self.elements:
            names = LOADING | ({"href"} if element.tag != "a" else set())
            found += [element.attributes[name] for name in names & set(element.attributes)]
        return [address for address in found if not address.startswith(("data:", "#"))]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open[-1] if self._open else None)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        if not self._open or self._open[-1].tag != tag:
            self.problems.append(
                f"line {self.getpos()[0]}: </{tag}> where {self._open[-1:] and self._open[-1].tag} is open"
            )
        else:
            self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element.parts.append(data)

    def _check_ids(self) -> None:
        ids = Counter(element.attributes["id"] for element in self.elements if "id" in element.attributes)
        self.problems += [f"id {name} is given {count} times" for name, count in ids.items() if count > 1]
        for element in self.elements:
            href = element.attributes.get("href", "")
            wanted = [href[1:]] if href.startswith("#") else []
            wanted += element.attributes.get("aria-labelledby", "").split()
            self.problems += [
                f"<{element.tag}> refers to #{name}, which is not there" for name in wanted if name not in ids
            ]

    def _check_headings(self) -> None:
        level = 0
        for element in self.elements:
            if element.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
                if int(element.tag[1]) > level + 1:
                    self.problems.append(f"<{element.tag}> {element.text!r} follows a heading of level {level}")
                level = int(element.tag[1])


def _ancestors(element: Element) -> list[Element]:
    found = []
    while element := element.parent:
        found.append(element)
    return found
