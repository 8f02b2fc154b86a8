"""Settings and terms in a real browser: what holds and from where, tests of services, how results were made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from engines.spec import Job
from matting_runner import run_matting
from session_store import EngineChoice, MattingSession
from tests.browser import steps
from tests.browser.driver import App, start_app
from tests.clip_sessions import prompted_session
from tests.cloud_bench import r2_settings
from tests.conftest import write_clip
from tests.feishu_server import SECRET, Feishu
from tests.feishu_server import serve as serve_feishu
from tests.s3_store import s3_store

pytestmark = pytest.mark.browser


class Place(NamedTuple):
    """A running app with a session that has delivered, and Feishu's stand-in."""

    app: App
    feishu: Feishu
    session: MattingSession
    secret: str


@pytest.fixture
def place(browser: Browser, tmp_path: Path) -> Iterator[Place]:
    workspace = tmp_path / "workspace"
    session = prompted_session(workspace / "sessions", write_clip(tmp_path / "Kugel.mp4", 6), ("alpha",), keyframe=5)
    run_matting(session)
    session.state.matter = EngineChoice(name="matanyone")
    session.save()
    with s3_store() as store, serve_feishu(Feishu(secret=SECRET)) as feishu:
        cloud = r2_settings(store)
        named = {"SPLAZMATTE_FEISHU_WEBHOOK_URL": feishu.url, "SPLAZMATTE_FEISHU_SECRET": SECRET}
        app = start_app(workspace, environment={**cloud, **named, "SPLAZMATTE_LAN_IP": "studio.lan"})
        yield Place(app, feishu, session, cloud["SPLAZMATTE_R2_SECRET_ACCESS_KEY"])
        app.close()


@pytest.fixture
def page(context: BrowserContext, place: Place) -> Page:
    return context.new_page()


def setting(page: Page, name: str) -> Locator:
    return page.locator(f"[data-setting='SPLAZMATTE_{name}']")


def test_settings_say_where_they_come_from_and_services_are_tried(page: Page, place: Place) -> None:
    page.goto(f"{place.app.url}/settings")
    expect(setting(page, "LAN_IP")).to_contain_text("studio.lan")
    expect(setting(page, "LAN_IP")).to_contain_text("from the environment")
    expect(setting(page, "JOB_ATTEMPTS")).to_contain_text("default")
    expect(setting(page, "R2_SECRET_ACCESS_KEY")).to_contain_text("••••••")
    assert place.secret not in page.content() and SECRET not in page.content()
    page.get_by_role("button", name="Test the upload").click()
    expect(page.get_by_text("It works: a small file went there")).to_be_visible()
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_text("It works: the message is sent.")).to_be_visible()
    assert len(place.feishu.shown) == 1
    place.feishu.secret = "another"
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_text("Feishu refuses the signature")).to_be_visible()


def test_commercial_use_is_a_switch_and_results_say_how_they_were_made(page: Page, place: Place) -> None:
    page.goto(f"{place.app.url}/?session={place.session.state.id}")
    page.wait_for_function("window.__stage && window.__stage.view")
    steps.tab(page, "Matte")
    expect(page.get_by_text("Not for commercial use (S-Lab License 1.0).")).to_be_visible()
    page.get_by_text("For commercial use", exact=True).click()
    expect(page.get_by_text("Not for commercial use (S-Lab License 1.0).")).to_have_count(0)
    place.session.refresh()
    assert place.session.state.commercial and place.session.state.matter.name == "guided"
    menu = page.locator(".sm-form .q-select").filter(has_text="Guided filter matting")
    menu.click()
    option = page.get_by_role("option").filter(has_text="MatAnyone").first
    expect(option).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    steps.tab(page, "Deliver")
    page.get_by_role("button", name="How Alpha, MP4 was made").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Guided filter matting – soft alpha")
    expect(dialog).to_contain_text("All licences allow commercial use.")
    with page.expect_download() as download:
        dialog.get_by_text("Download the sidecar").click()
    assert download.value.suggested_filename == "Kugel_alpha.mp4.sidecar.json"
    made = json.loads(Path(download.value.path()).read_text())
    assert [use["job"] for use in made["engines"]] == [Job.SEGMENTER, Job.PROPAGATOR, Job.MATTER]
