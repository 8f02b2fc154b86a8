"""A job's log in the app: live, by level, in Chinese too; and a notice that was not sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.driver import CHROMIUM, App, start_app, wait_for
from tests.browser.material import centre, demo_mask
from tests.feishu_server import Feishu, serve

pytestmark = pytest.mark.browser
SIZE = (640, 360)


@pytest.fixture(scope="module")
def feishu() -> Iterator[Feishu]:
    with serve(Feishu(keyword="not in any card")) as served:
        yield served


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, feishu: Feishu) -> Iterator[App]:
    """Give a running app whose notices Feishu refuses at first."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; Debian: apt install chromium")
    started = start_app(
        tmp_path_factory.mktemp("app") / "workspace", environment={"SPLAZMATTE_FEISHU_WEBHOOK_URL": feishu.url}
    )
    yield started
    started.close()


def test_the_log_of_a_job(page: Page, clip: Path, app: App, feishu: Feishu) -> None:
    steps.upload(page, clip)
    steps.click(page, *centre(demo_mask(0, SIZE)))
    steps.tab(page, "Propagate")
    page.get_by_role("button", name="Propagate").last.click()
    steps.tab(page, "Queue")
    steps.finished(page)
    wait_for(lambda: len(feishu.requests) == 2, what="both notices to be refused")
    # Its row changes no more now, so that nothing takes the button away just when it is clicked.
    expect(page.locator(".sm-job").last).to_have_class(re.compile("sm-done"))
    expect(page.get_by_text("Notice not sent: Feishu misses the bot's keyword")).to_be_visible()
    page.get_by_role("button", name="Log", exact=True).last.click()
    log = page.locator(".sm-log")
    expect(log).to_contain_text("stage begins  stage=propagate frames=23")
    expect(log).to_contain_text("job done")
    expect(log.locator(".sm-line").first).to_have_text(re.compile(r"^\d\d:\d\d:\d\d  info  job starts  attempt=1"))

    logs = app.workspace / "logs"
    with (logs / "job-2.log").open("a") as file:
        file.write("printed <b>by a library</b>\n")
    expect(log.locator(".sm-output")).to_contain_text("printed <b>by a library</b>")
    page.get_by_label("Lines").click()
    page.get_by_role("option", name="Without what libraries print").click()
    expect(log.locator(".sm-output")).to_have_count(0)
    expect(log).to_contain_text("job done")
    page.get_by_label("Lines").click()
    page.get_by_role("option", name="Errors", exact=True).click()
    expect(log.locator(".sm-line")).to_have_count(0)
    page.get_by_label("Lines").click()
    page.get_by_role("option", name="Everything").click()
    expect(log.locator(".sm-output")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").last.click()
    text = Path(download.value.path()).read_text()
    assert "job done" in text and "printed <b>" in text and download.value.suggested_filename == "job-2.log.txt"
    page.get_by_role("button", name="Close").last.click()
    expect(log).to_have_count(0)

    expect(page.get_by_text("Notice not sent: Feishu misses the bot's keyword")).to_be_visible()
    feishu.keyword = ""
    page.get_by_role("button", name="Send the notice again").last.click()
    wait_for(lambda: [card for card in feishu.shown if "Done: " in card["header"]["title"]["content"]], what="the card")
    expect(page.get_by_text("Notice not sent")).to_have_count(0)
