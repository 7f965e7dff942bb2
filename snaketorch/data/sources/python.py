"""Text that comes with Python itself."""

from pydoc_data.topics import topics

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.texts import RawCorpus

SHORTEST = 40
"""Characters of a paragraph that two topics do not share by chance."""
BETWEEN_TOPICS = "\n\n\n"


def load(spec: PrepareSpec) -> RawCorpus:
    """The text that ``spec.source.name`` names."""
    parts = {"language_reference": language_reference}[spec.source.name]()
    return RawCorpus(parts=lambda: iter(parts), characters=sum(map(len, parts)))


def language_reference() -> list[str]:
    """The topics of Python's `help()`, sections of its language reference, in the order of their names.

    Several are parts of longer ones. A topic is left out when most of its text is in a longer topic: else
    what a model is tested on would be in what it was trained on.
    """
    paragraphs = {name: _paragraphs(text) for name, text in topics.items()}
    longest_first = sorted(topics, key=lambda name: (-len(topics[name]), name))
    kept: list[str] = []
    for name in longest_first:
        length = sum(map(len, paragraphs[name]))
        shared = (sum(len(one) for one in paragraphs[name] if one in paragraphs[other]) for other in kept)
        if 2 * max(shared, default=0) <= length:
            kept.append(name)
    texts = [topics[name].strip("\n") for name in sorted(kept)]
    return [text + BETWEEN_TOPICS for text in texts[:-1]] + [texts[-1] + "\n"]


def _paragraphs(text: str) -> set[str]:
    found = (paragraph.strip() for paragraph in text.split("\n\n"))
    return {paragraph for paragraph in found if len(paragraph) >= SHORTEST}
