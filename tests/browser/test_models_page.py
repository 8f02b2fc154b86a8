"""The page of models in a real browser: terms, downloads that are stopped and gone on with, checks, removal, menus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser import steps
from tests.browser.driver import App, start_app
from tests.hub_server import Hub, serve
from tests.models_bench import FREE, NC, big, stock

pytest.importorskip("huggingface_hub", reason="neural engines are not installed: just setup")
pytestmark = pytest.mark.browser
SIZE = 24_000_000
HALF = 12_000_000


class Place(NamedTuple):
    """A running app, the hub that it downloads from, and where its models lie."""

    app: App
    hub: Hub
    models: Path


@pytest.fixture
def place(browser: Browser, tmp_path: Path) -> Iterator[Place]:
    with serve(Hub(stock(SIZE))) as hub:
        models = tmp_path / "models"
        settings = {
            "SPLAZMATTE_MODELS_DIR": str(models), "HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home"),
        }  # fmt: skip
        app = start_app(tmp_path / "workspace", environment=settings)
        yield Place(app, hub, models)
        hub.released.set()
        app.close()


@pytest.fixture
def page(context: BrowserContext, place: Place) -> Page:
    return opened(context, place)


def opened(context: BrowserContext, place: Place) -> Page:
    page = context.new_page()
    page.goto(f"{place.app.url}/models")
    page.wait_for_selector(".sm-model")
    return page


def card(page: Page, name: str) -> Locator:
    return page.locator(f"[data-model='{name}']")


def press(page: Page, name: str, button: str) -> None:
    card(page, name).get_by_role("button", name=button).click()


def test_terms_are_shown_and_accepted_then_it_is_downloaded_with_progress(page: Page, place: Place) -> None:
    expect(card(page, NC)).to_contain_text("Not for commercial use")
    place.hub.hangs[big(NC)] = [HALF]
    press(page, NC, "Download")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("results must not be part of paid work")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(card(page, NC)).to_contain_text("not downloaded")
    assert place.hub.gets == [], "nothing comes before the terms are accepted"
    press(page, NC, "Download")
    page.get_by_role("button", name="Accept and download").click()
    expect(card(page, NC)).to_contain_text("/ 24.0 MB")
    place.hub.released.set()
    expect(card(page, NC).locator(".sm-model-status")).to_contain_text("ready")
    assert (place.models / NC / "model.safetensors").read_bytes() == place.hub.files[big(NC)]


def test_a_download_goes_on_without_its_tab_is_stopped_in_another_and_gone_on_with(
    page: Page, context: BrowserContext, place: Place
) -> None:
    place.hub.hangs[big(FREE)] = [HALF]
    press(page, FREE, "Download")
    expect(card(page, FREE)).to_contain_text("Downloading")
    page.close()
    other = opened(context, place)
    expect(card(other, FREE)).to_contain_text("Downloading")
    assert place.hub.hanging.wait(20)
    press(other, FREE, "Stop")
    place.hub.released.set()
    expect(card(other, FREE)).to_contain_text("partly downloaded")
    press(other, FREE, "Go on")
    expect(card(other, FREE).locator(".sm-model-status")).to_contain_text("ready")
    assert (place.models / FREE / "model.safetensors").read_bytes() == place.hub.files[big(FREE)]
    assert any(entry.startswith("bytes=") for entry in place.hub.ranges), "what had come did not come again"


def test_two_tabs_see_the_same_and_one_download_waits_for_the_other(
    page: Page, context: BrowserContext, place: Place
) -> None:
    other = opened(context, place)
    place.hub.hangs[big(FREE)] = [HALF]
    press(page, FREE, "Download")
    press(other, NC, "Download")
    other.get_by_role("button", name="Accept and download").click()
    for tab in (page, other):
        expect(card(tab, FREE)).to_contain_text("Downloading")
        expect(card(tab, NC)).to_contain_text("Waits for what was asked for before")
    place.hub.released.set()
    for tab in (page, other):
        for name in (FREE, NC):
            expect(card(tab, name).locator(".sm-model-status")).to_contain_text("ready")


def test_it_is_verified_found_damaged_and_removed(page: Page, place: Place) -> None:
    press(page, FREE, "Download")
    press(page, FREE, "Verify")
    expect(card(page, FREE)).to_contain_text("every file is what was downloaded")
    path = place.models / FREE / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    press(page, FREE, "Verify")
    expect(card(page, FREE).get_by_role("alert")).to_contain_text("is damaged")
    press(page, FREE, "Remove")
    expect(page.get_by_role("dialog")).to_contain_text("24.0 MB is freed")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(card(page, FREE)).to_contain_text("not downloaded")
    assert not path.exists()


def test_a_wrong_hash_and_a_gate_are_said_in_a_line(page: Page, place: Place) -> None:
    place.hub.spoiled[big(FREE)] = bytes(SIZE)
    press(page, FREE, "Download")
    expect(card(page, FREE).get_by_role("alert")).to_contain_text("wrong hash")
    assert not (place.models / FREE / "model.safetensors").exists()
    place.hub.status, place.hub.error_code = 403, "GatedRepo"
    expect(card(page, "sam3")).to_contain_text("hf auth login")
    press(page, "sam3", "Download")
    page.get_by_role("button", name="Accept and download").click()
    alert = card(page, "sam3").get_by_role("alert")
    expect(alert).to_contain_text("accept its terms at https://huggingface.co/facebook/sam3")


def test_a_greyed_engine_can_be_chosen_when_its_weights_arrive(
    page: Page, context: BrowserContext, place: Place, clip: Path
) -> None:
    matting = context.new_page()
    matting.goto(place.app.url)
    matting.wait_for_selector(".sm-page")
    steps.upload(matting, clip)
    engine = matting.get_by_role("combobox", name="Engine", exact=True).first
    engine.click()
    greyed = matting.get_by_role("option", name="SAM 2.1 – weights missing")
    expect(greyed).to_have_attribute("aria-disabled", "true")
    matting.keyboard.press("Escape")
    panel = matting.locator(".sm-right .nicegui-tab-panel").first
    panel.get_by_text("Engines that cannot run yet").first.click()
    expect(panel).to_contain_text("run: ./start.sh download-models sam2.1-hiera-base-plus")
    expect(panel.get_by_role("link", name="Download them on the Models page").first).to_be_visible()
    press(page, FREE, "Download")
    expect(card(page, FREE).locator(".sm-model-status")).to_contain_text("ready")
    expect(panel).not_to_contain_text("./start.sh download-models sam2.1-hiera-base-plus")
    engine.click()
    matting.get_by_role("option", name="SAM 2.1", exact=True).click()
    expect(matting.get_by_text("by Segment Anything 2.1").first).to_be_visible()
    panel.get_by_text("Parameters").first.click()
    matting.get_by_role("combobox", name="Model").first.click()
    expect(matting.get_by_role("option", name="tiny", exact=True)).not_to_have_attribute("aria-disabled", "true")
    expect(matting.get_by_role("option", name="large – weights missing")).to_have_attribute("aria-disabled", "true")


def test_a_phone_sized_window_and_chinese_have_everything(browser: Browser, place: Place) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}, has_touch=True)
    page = opened(context, place)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    text = page.inner_text(".sm-models")
    assert "不可用于商业用途" in text and "Not for" not in text and "Download" not in text
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a, [role=button]")].filter((e) => e.offsetParent
            && !(e.getAttribute("aria-label") || e.innerText?.trim())).map((e) => e.outerHTML.slice(0, 160))"""
    )
    assert nameless == []
    context.close()
