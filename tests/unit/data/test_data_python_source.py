from pydoc_data.topics import topics

from snaketorch.config.datasets import Prepare, Split
from snaketorch.config.sources import PythonSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources import python
from snaketorch.data.sources.python import language_reference


def test_the_reference_is_a_running_text_that_can_be_read_again():
    source = PythonSource(kind="python", name="language_reference")
    raw = python.load(PrepareSpec(dataset="docs", source=source, split=Split(), prepare=Prepare()))
    first, second = "".join(raw.parts()), "".join(raw.parts())
    assert first == second
    assert raw.characters == len(first) > 300_000
    assert first.startswith('The "assert" statement\n')


def test_topics_come_in_the_order_of_their_names():
    starts = [text[:60] for text in language_reference()]
    names = sorted(topics, key=lambda name: name)
    places = [next(i for i, name in enumerate(names) if topics[name].strip("\n").startswith(start)) for start in starts]
    assert places == sorted(places)


def test_hardly_any_paragraph_is_there_twice():
    """A model is not tested on what it was trained on."""
    text = "".join(language_reference())
    long = [part for part in text.split("\n\n") if len(part.strip()) >= 100]
    assert len(long) - len(set(long)) < 0.005 * len(long)
    assert sum(map(len, topics.values())) > 1.1 * len(text), "some topics are parts of others"


def test_what_is_left_out_is_in_a_topic_that_is_kept():
    text = "".join(language_reference())
    for name in ("while", "exceptions", "customization"):
        longest = max(topics[name].split("\n\n"), key=len)
        assert longest.strip() in text
