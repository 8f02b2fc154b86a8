"""Reloads in the middle of long work, two tabs on one session, two users beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import steps
from tests.browser.driver import App
from tests.browser.material import centre, cut_demo, demo_mask

pytestmark = pytest.mark.browser
SIZE = (640, 360)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cut_demo(tmp_path_factory.mktemp("long") / "long.mp4", 72)


@pytest.fixture
def prompted(page: Page, long_clip: Path) -> Page:
    """Give a page with a session that has a keyframe."""
    steps.upload(page, long_clip)
    steps.click(page, *centre(demo_mask(0, SIZE)))
    return page


def reopened(page: Page) -> None:
    page.reload()
    page.wait_for_function("window.__stage && window.__stage.view")


def test_a_reload_finds_everything_again_and_long_work_goes_on(prompted: Page) -> None:
    page = prompted
    before = steps.view(page)
    reopened(page)
    assert steps.view(page)["objects"][0]["prompts"] == before["objects"][0]["prompts"]
    for name, button in (("Propagate", "Propagate"), ("Matte", "Matte the clip"), ("Deliver", "Deliver")):
        steps.tab(page, name)
        page.get_by_role("button", name=button).last.click()
        page.wait_for_selector(".sm-jobbar", state="visible")
        reopened(page)
        page.wait_for_selector(".sm-jobbar", state="visible")
        steps.finished(page)
    page.wait_for_function("window.__stage.view.alpha.length > 0")
    assert set(steps.kinds(page).values()) == {"keyframe", "propagated"}
    steps.tab(page, "Deliver")
    page.wait_for_selector("a[href$='/alpha']")


def test_masks_appear_while_a_propagation_runs_and_it_can_be_stopped(prompted: Page) -> None:
    page = prompted
    steps.tab(page, "Propagate")
    page.get_by_role("button", name="Propagate").last.click()
    page.wait_for_function("window.__stage.view.objects[0].lane.length > 1")
    page.get_by_role("button", name="Stop", exact=True).click()
    steps.finished(page)
    made = steps.kinds(page)
    assert 1 < len(made) < 72
    steps.goto(page, max(made))
    assert steps.mask(page, 1, max(made)).any()


def test_two_tabs_show_the_same_session_at_once(prompted: Page, context: BrowserContext, app: App) -> None:
    second = context.new_page()
    second.goto(app.url)
    second.wait_for_function("window.__stage && window.__stage.view")
    assert steps.view(second)["id"] == steps.view(prompted)["id"]
    steps.click(prompted, 600, 40, positive=False)
    second.wait_for_function("window.__stage.view.objects[0].prompts['0'].points.length === 2")
    second.keyboard.press("Control+z")
    prompted.wait_for_function("window.__stage.view.objects[0].prompts['0'].points.length === 1")


def test_two_users_do_not_mix(prompted: Page, browser: Browser, app: App, clip: Path) -> None:
    mine = steps.view(prompted)["id"]
    other = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
    try:
        page = other.new_page()
        page.goto(app.url)
        page.wait_for_selector(".sm-upload-button")
        page.wait_for_function("window.__stage")
        assert page.evaluate("window.__stage.view") is None, "nobody else's session is opened"
        theirs = steps.upload(page, clip)
        assert theirs != mine
        reopened(prompted)
        assert steps.view(prompted)["id"] == mine
        assert "上传" in page.inner_text(".sm-upload-button")
        assert "Upload" in prompted.inner_text(".sm-upload-button")
    finally:
        other.close()
