import itertools
import re
import subprocess
import sys
import warnings
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from drawn_figures import line
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.forecasts import timeline_figure
from snaketorch.figures.language_modelling import Passage, passages_figure
from snaketorch.figures.style import DATA_COLOURS, GRID, INK, MUTED, ON_COLOUR, PAPER, as_svg, save, shortened

DARK_PAPER = "#14171b"


def test_every_colour_is_one_of_the_house_style(svg):
    used = set(re.findall(r"#[0-9a-f]{6}\b", re.sub(r"data:image[^\"]*", "", svg)))
    assert used - {INK, MUTED, GRID, PAPER, ON_COLOUR, *DATA_COLOURS} == set()
    assert INK in used


def test_equal_data_gives_equal_bytes_whatever_the_settings_of_the_user(draw, svg):
    with matplotlib.rc_context({"lines.linewidth": 20, "font.size": 40, "axes.facecolor": "red", "svg.hashsalt": "x"}):
        assert as_svg(draw(), "name") == svg


def test_text_stays_text_in_the_font_of_the_reader(svg):
    assert "<text" in svg
    assert "DejaVu" not in svg
    assert "sans-serif" in svg


def test_a_figure_says_what_it_shows_to_those_who_cannot_see_it(svg):
    assert len(re.search(r"<title>(.+)</title>", svg)[1]) > 5


def test_text_is_neither_cut_off_nor_over_other_text(draw, monkeypatch):
    boxes = {}
    original = Text.draw

    def noted(text, renderer):
        if text.get_visible() and text.get_text().strip():
            boxes[text] = text.get_window_extent(renderer)
        original(text, renderer)

    figure = draw()
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()  # lays it out
    monkeypatch.setattr(Text, "draw", noted)
    figure.draw(renderer)

    assert len(boxes) >= 5
    page = figure.bbox.padded(1)
    cut_off = [text for text, box in boxes.items() if not (page.contains(*box.min) and page.contains(*box.max))]
    assert cut_off == []
    level = [(text, box) for text, box in boxes.items() if text.get_rotation() in (0, 90)]
    overlapping = [
        (one, other)
        for (one, box), (other, other_box) in itertools.combinations(level, 2)
        if (shared := Bbox.intersection(box, other_box)) and min(shared.width, shared.height) > 1.5
    ]
    assert overlapping == []


def test_two_names_share_no_ids_made_from_content():
    figure = timeline_figure([line("flow (m³)", 1)], "year")
    made = [set(re.findall(r'id="([a-z]+[0-9a-f]{10})"', as_svg(figure, name))) for name in ("one", "two")]
    assert made[0] and made[0].isdisjoint(made[1])


def contrast(one, other):
    """Contrast ratio of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""

    def luminance(colour):
        parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("paper", [PAPER, DARK_PAPER])
def test_data_colours_stand_out_on_light_and_dark_paper(paper):
    assert min(contrast(colour, paper) for colour in DATA_COLOURS) >= 3


def test_text_is_readable_on_its_paper():
    assert contrast(INK, PAPER) >= 7
    assert contrast(MUTED, PAPER) >= 4.5


def test_a_dollar_sign_in_a_name_is_no_formula():
    assert ">$x^2$</text>" in as_svg(confusion_figure(np.eye(2, dtype=int), ["$x^2$", "b"]), "name")


def test_a_text_with_signs_that_no_xml_may_hold_is_a_figure_all_the_same():
    page_break, escape = Passage(["a", "\x0c", "b"], np.ones(3)), "\x1b[1m\x00"
    passages = as_svg(passages_figure([page_break], f"The text {escape}"), "a")
    matrix = as_svg(confusion_figure(np.eye(2, dtype=int), ["cat", escape]), "b")

    for svg in (passages, matrix):
        assert "\N{REPLACEMENT CHARACTER}" in "".join(ElementTree.fromstring(svg).itertext())


def test_names_in_any_script_pass_without_warnings():
    figure = confusion_figure(np.eye(2, dtype=int), ["猫", "犬"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "猫" in as_svg(figure, "name")


def test_saving_publishes_a_file(tmp_path):
    figure = confusion_figure(np.eye(2, dtype=int), ["a", "b"])
    save(figure, tmp_path / "figures" / "confusion.svg", "name")
    assert (tmp_path / "figures" / "confusion.svg").read_text("utf-8") == as_svg(figure, "name")


def test_a_long_name_ends_in_an_ellipsis():
    assert shortened("Iris versicolor", 8) == "Iris ve…"
    assert shortened("Iris", 4) == "Iris"


def test_figures_need_neither_torch_nor_pyplot():
    modules = ["confusion", "curves", "examples", "forecasts", "history", "inline", "reliability", "style"]
    modules += [f"sweep_{name}" for name in ("curves", "history", "importance", "parallel", "slices")]
    code = "import sys\n" + "\n".join(f"import snaketorch.figures.{module}" for module in modules)
    code += "\nprint({'torch', 'matplotlib.pyplot', 'mlflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
