"""The monitoring page in a real browser: nothing on the console, nothing fetched, the alert seen at once."""

import os
from pathlib import Path

import pytest
from legibility import WIDTHS, is_faint, texts

pytestmark = pytest.mark.browser

PAGES = ("quiet", "alert", "bad")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_quiet_offline_legible_and_fits(name, device, colours, open_tab, monitor_pages, tmp_path):
    tab = open_tab(monitor_pages[name], WIDTHS[device], colours)
    found = texts(tab)

    assert tab.said == []
    assert {url for url in tab.asked if not url.startswith("data:")} == {monitor_pages[name].as_uri()}
    assert tab.evaluate("document.documentElement.scrollWidth") <= WIDTHS[device]
    assert len(found) > 40
    assert [text for text in found if is_faint(text)] == []
    assert min(text["size"] for text in found) >= 11
    folder = Path(os.environ.get("SNAKETORCH_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=folder / f"monitor-page-{name}-{device}-{colours}.png", full_page=True)


@pytest.mark.parametrize("device", WIDTHS)
def test_an_alert_is_seen_without_scrolling_and_looks_otherwise_than_quiet_data(device, open_tab, monitor_pages):
    edge = "verdict => getComputedStyle(verdict).borderLeftColor"
    alert, quiet = (open_tab(monitor_pages[name], WIDTHS[device]).locator(".verdict") for name in ("alert", "quiet"))

    assert alert.locator("strong").inner_text().startswith("Alert: the new data differs in")
    assert alert.locator("strong").is_visible()
    assert alert.bounding_box()["y"] + alert.locator("strong").bounding_box()["height"] < 900
    assert alert.locator("li").first.inner_text().startswith("Brightness ")
    assert quiet.locator("strong").inner_text() == "Quiet: the new data looks like the training data"
    assert alert.evaluate(edge) != quiet.evaluate(edge)


def test_what_changed_is_drawn_and_marked_in_the_tables(open_tab, monitor_pages):
    tab = open_tab(monitor_pages["alert"])
    drawn = tab.locator("section", has=tab.get_by_role("heading", name="What changed")).locator("figure")

    assert drawn.first.is_visible()
    assert drawn.first.locator("rect.now").count() > 1
    assert tab.locator("tr.alarm .chip").first.is_visible()
    assert open_tab(monitor_pages["quiet"]).locator("tr.alarm").count() == 0


def test_data_that_nobody_can_read_is_an_alert_with_its_share(open_tab, monitor_pages):
    verdict = open_tab(monitor_pages["bad"]).locator(".verdict").inner_text()

    assert "100.0% of the rows (80 of 80) cannot be read by the model, and max_bad_share allows 5.0%" in verdict


def test_everything_is_there_without_scripts(open_tab, monitor_pages):
    tab = open_tab(monitor_pages["alert"], java_script_enabled=False)

    assert tab.get_by_role("heading", name="All statistics").is_visible()
    assert tab.locator(".verdict").is_visible()
