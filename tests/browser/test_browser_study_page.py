"""The study page in a real browser: nothing on the console, nothing fetched, nothing cut off, everything legible."""

import os
from functools import partial
from pathlib import Path

import pytest
from legibility import WIDTHS, is_faint, texts

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(open_tab, study_page):
    return partial(open_tab, study_page)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_the_page_is_quiet_offline_and_fits(device, colours, open_page, study_page, tmp_path):
    tab = open_page(WIDTHS[device], colours)
    tab.evaluate("document.querySelectorAll('main details').forEach((details) => { details.open = true; })")

    assert tab.evaluate("document.documentElement.scrollWidth") <= WIDTHS[device]
    assert {url for url in tab.asked if not url.startswith("data:")} == {study_page.as_uri()}
    assert tab.said == []
    folder = Path(os.environ.get("SNAKETORCH_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"study-page-{device}-{colours}.png"
    tab.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 100_000


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_every_text_stands_out_from_its_background(device, colours, open_page):
    found = texts(open_page(WIDTHS[device], colours))

    assert len(found) > 400
    assert [text for text in found if is_faint(text)] == []


def test_the_browser_would_refuse_a_script_of_another(open_page):
    tab = open_page()
    image = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = true\">')"
    its_error = "new Promise((done) => document.body.lastChild.addEventListener('error', () => done()))"
    script = (
        "const s = document.createElement('script'); s.textContent = 'window.hacked = true'; document.body.append(s)"
    )
    for refused in (f"{image}; {its_error}", script):
        with tab.expect_console_message(lambda message: "Content Security Policy" in message.text):
            tab.evaluate(refused)

    assert tab.evaluate("window.hacked") is None


def test_the_theme_is_switched_and_remembered(open_page):
    tab = open_page(colours="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(paper)
    tab.get_by_role("button", name="Switch between light and dark").click()
    dark = tab.evaluate(paper)
    tab.reload()

    assert light == "rgb(253, 253, 252)"
    assert dark == tab.evaluate(paper) != light
    assert tab.said == []


def test_the_theme_works_where_storage_is_forbidden(open_page):
    tab = open_page()
    tab.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied'); } })"
    )
    tab.reload()
    tab.get_by_role("button", name="Switch between light and dark").click()

    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    assert tab.said == []


def test_one_seed_is_shown_and_another_can_be_picked(open_page):
    tab = open_page()
    gallery = tab.locator("#x-digits_cnn .gallery")
    shown = "panels => panels.filter((panel) => panel.checkVisibility()).map((panel) => panel.dataset.seed)"

    assert gallery.locator(".panel").evaluate_all(shown) == ["0"]
    gallery.get_by_role("radio", name="0").press("ArrowRight")
    assert gallery.locator(".panel").evaluate_all(shown) == ["1"]


def test_a_command_can_be_copied(open_page):
    tab = open_page(permissions=["clipboard-read", "clipboard-write"])
    commands = tab.locator("#x-digits_cnn .fold").last
    commands.locator("summary").click()
    tab.evaluate("window.setTimeout = () => 0")  # the word stays until it is seen
    commands.get_by_role("button", name="Copy").first.click()
    commands.get_by_role("button", name="Copied").wait_for()

    assert (
        tab.evaluate("navigator.clipboard.readText()")
        == "snakemake -c4 --forceall results/experiments/digits_cnn/summary.json"
    )


def test_the_contents_are_folded_on_a_phone_alone(open_page):
    assert open_page(WIDTHS["desktop"]).get_by_role("link", name="At a glance").is_visible()
    assert not open_page(WIDTHS["phone"]).get_by_role("link", name="At a glance").is_visible()


def test_the_keyboard_reaches_the_results_at_once(open_page):
    tab = open_page()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the results"
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "theme"


def test_everything_can_be_read_without_scripts(open_page):
    tab = open_page(java_script_enabled=False)

    assert tab.get_by_role("heading", name="Seed 1").first.is_visible()
    assert tab.get_by_role("link", name="At a glance").is_visible()
    assert tab.get_by_role("button", name="Copy").count() == 0


def test_print_shows_what_is_folded(open_page):
    tab = open_page()
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("main details:not([open])").count() == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("main details[open]").count() == 0


@pytest.mark.parametrize("device", WIDTHS)
def test_the_axis_stands_below_its_plots(device, open_page):
    tab = open_page(WIDTHS[device])
    left = "plots => plots.map((plot) => plot.getBoundingClientRect().left)"
    table = tab.locator(".leaderboard").first

    assert len({round(x) for x in table.locator("svg").evaluate_all(left)}) == 1


def test_no_table_is_cut_off_on_paper(open_page):
    tab = open_page(width=720)  # A4 less its margins
    tab.emulate_media(media="print")

    assert tab.evaluate("document.documentElement.scrollWidth") <= 720
