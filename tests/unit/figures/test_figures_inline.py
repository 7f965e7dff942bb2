import re
from xml.etree import ElementTree

import numpy as np
import pytest

from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.inline import VARIABLES, themed
from snaketorch.figures.style import BLUE, INK, MUTED, as_svg


def ids(svg):
    return re.findall(r'\bid="([^"]+)"', svg)


def references(svg):
    return set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'\bhref="#([^"]+)"', svg))


def test_every_id_is_once_on_a_page_with_the_same_figure_twice(svg):
    both = ids(themed(svg, "one")) + ids(themed(svg, "two"))
    assert len(both) == len(set(both))


def test_every_reference_leads_to_an_id_of_the_same_figure(svg):
    inline = themed(svg, "one")
    assert references(inline) <= set(ids(inline))
    assert len(references(inline)) == len(references(svg).union(re.findall(r'xlink:href="#([^"]+)"', svg)))


def test_every_colour_of_the_page_is_a_variable(svg):
    inline = themed(svg, "one")
    for colour, variable in VARIABLES.items():
        assert svg.count(colour) == inline.count(variable)
        assert colour not in inline


def test_a_figure_fills_its_place_up_to_its_own_size(svg):
    root = ElementTree.fromstring(themed(svg, "one"))
    points = re.search(r'width="([\d.]+pt)"', svg)[1]
    assert f"max-width: {points}" in root.get("style") and "height: auto" in root.get("style")
    assert root.get("width") is None and root.get("height") is None
    assert root.get("viewBox")


def test_nothing_of_a_file_is_left_that_a_page_must_not_hold(svg):
    inline = themed(svg, "one")
    assert inline.startswith("<svg")
    assert not re.search(r"<\?xml|<!DOCTYPE|<style|<title|<metadata|xlink:", inline)
    assert "stroke-linejoin: round" in ElementTree.fromstring(inline).get("style")


def test_a_screen_reader_is_told_what_the_figure_shows():
    root = ElementTree.fromstring(themed(as_svg(confusion_figure(np.eye(2, dtype=int), ["a", "b"]), "name"), "one"))
    assert root.get("role") == "img"
    assert root.get("aria-label").startswith("Confusion matrix")


def test_data_colours_and_pictures_stay(svg):
    inline = themed(svg, "one")
    assert inline.count(BLUE) == svg.count(BLUE)
    assert inline.count("data:image/png;base64") == svg.count("data:image/png;base64")


@pytest.mark.parametrize("name", [INK, "url(#p1)", "<b>", "a & b", 'id="x"', MUTED])
def test_words_stay_words(name):
    figure = confusion_figure(np.eye(2, dtype=int), [name, "b"])
    words = [text.text for text in ElementTree.fromstring(themed(as_svg(figure, "name"), "one")).iter("text")]
    assert words.count(name) == 2


def test_what_is_no_xml_is_refused():
    with pytest.raises(ElementTree.ParseError):
        themed("<svg><p></svg>", "one")
