"""One Chromium for a test file; an app with a workspace of its own for each that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.driver import CHROMIUM, PATIENCE, App, chromium, start_app

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; Debian: apt install chromium")
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Give a running app in an empty workspace that the tests of a file share."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; Debian: apt install chromium")
    started = start_app(tmp_path_factory.mktemp("app") / "workspace")
    yield started
    started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a browser's profile with nothing in it."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True, locale="en-GB")
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, app: App) -> Iterator[Page]:
    """Give a tab with the app's page, which has raised no error in the end."""
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if line.text.startswith("Anchor:") else None)
    opened.goto(app.url)
    opened.wait_for_selector(".sm-page")
    yield opened
    assert not errors


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 24 frames of the bundled clip: real size, real hair, and quick."""
    from tests.browser.material import cut_demo

    return cut_demo(tmp_path_factory.mktemp("clip") / "Shot 12 ümlaut.mp4", 24)
