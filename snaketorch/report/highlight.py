"""Colours for YAML as this package writes it: keys, values, comments."""

import re

from markupsafe import Markup

_LINE = re.compile(r"(?P<lead>\s*(?:- )*)(?:(?P<key>[\w.-]+)(?P<colon>:))?(?P<rest>.*)")
_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:''|[^'])*')"""
    r"|(?P<number>(?<![\w.+-])[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.+-]))"
    r"|(?P<word>(?<![\w.+-])(?:true|false|null)(?![\w.+-]))"
)


def highlight(yaml: str) -> Markup:
    """HTML of ``yaml`` with a span around what has a colour; everything in it is escaped."""
    return Markup("\n").join(map(_line, yaml.splitlines()))


def _line(line: str) -> Markup:
    if line.lstrip().startswith("#"):
        return _span("comment", line)
    parts = _LINE.fullmatch(line)
    key = _span("key", parts["key"]) + parts["colon"] if parts["key"] else Markup()
    return Markup("{}{}{}").format(parts["lead"], key, _values(parts["rest"]))


def _values(text: str) -> Markup:
    found, end = Markup(), 0
    for token in _TOKEN.finditer(text):
        found += text[end : token.start()]
        found += _span(token.lastgroup, token.group())
        end = token.end()
    return found + text[end:]


def _span(kind: str, text: str) -> Markup:
    return Markup('<span class="y-{}">{}</span>').format(kind, text)
