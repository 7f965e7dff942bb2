"""A headless Chromium of the system, and pages to open in it."""

import contextlib
import importlib.util
import os
import shutil
from pathlib import Path

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BUILDER = Path(__file__).parent.parent / "unit" / "report" / "fabricated_study.py"
PATIENCE = 300_000
"""Milliseconds, for whatever the browser is asked."""
LONG_NAME = "digits_lstm_" + "x" * 52


@pytest.fixture(scope="session")
def chromium():
    """A running browser. SNAKETORCH_CHROMIUM names one that is not on the PATH."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e '.[test]'"
    )
    named = os.environ.get("SNAKETORCH_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium):
    """Opens a page; ``tab.said`` is what the console said, ``tab.asked`` what was requested."""
    contexts = []

    def open_tab(page: Path, width=1280, colours="light", **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=colours, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        tab = context.new_page()
        tab.said, tab.asked = [], []
        tab.on("console", lambda message: tab.said.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: tab.said.append(f"error: {error}"))
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.goto(page.as_uri())
        return tab

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def study_page(tmp_path_factory) -> Path:
    """The page of a fabricated study with names and texts as long as they may be."""
    from snaketorch.report.study import report

    specification = importlib.util.spec_from_file_location("fabricated_study", BUILDER)
    builder = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(builder)
    experiments = {
        "digits_cnn": builder.experiment("digits_cnn"),
        LONG_NAME: builder.experiment("digits_lstm", description="d" * 200),
        "sunspots_gru": builder.experiment("sunspots_gru"),
    }
    root = tmp_path_factory.mktemp("study")
    spec = builder.fabricate(root, experiments)
    with contextlib.chdir(root):
        report(spec, results=Path("results"), out=Path("results/report.html"), code="00ff" * 4)
    return root / "results" / "report.html"


@pytest.fixture(scope="session")
def monitor_pages(tmp_path_factory) -> dict[str, Path]:
    """Of tiny models that met data like their own (`quiet`), dark images (`alert`), and rows that are none (`bad`)."""
    from tests.unit.inference.bundles import CASES, Made
    from tests.unit.monitoring.watching import changed_rows, dark_images, watched

    images = Made(tmp_path_factory.mktemp("images"), CASES["images"])
    rows = Made(tmp_path_factory.mktemp("rows"), CASES["rows without gaps"])
    folders = {name: tmp_path_factory.mktemp(name) for name in ("quiet", "alert", "bad")}
    empty_sizes = changed_rows(folders["bad"], rows, lambda _, row: row.update(size=""))
    given = {"quiet": (images, None), "alert": (images, dark_images(folders["alert"])), "bad": (rows, empty_sizes)}
    for name, (case, source) in given.items():
        with contextlib.chdir(folders[name]):
            watched(folders[name], case, source, dataset=name)
    return {name: folder / "page.html" for name, folder in folders.items()}
