"""The page itself: sessions, bad files, a full disk, languages, keyboard, a phone's window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import steps
from tests.browser.driver import App, start_app
from tests.browser.look import READABLE, contrast, overlaps
from tests.media_out import small_disk

pytestmark = pytest.mark.browser


def test_what_is_no_video_is_refused_and_leaves_nothing(page: Page, app: App, tmp_path: Path) -> None:
    page.wait_for_function("window.__stage")
    bad = tmp_path / "holiday.mp4"
    bad.write_bytes(b"not a video " * 5000)
    page.set_input_files(".sm-upload input[type=file]", str(bad))
    expect(page.locator(".q-notification")).to_contain_text("not a video", ignore_case=True)
    assert not list((app.workspace / "uploads").glob("*"))
    assert page.locator(".sm-upload-row").count() == 0


def test_sessions_are_renamed_duplicated_and_deleted(page: Page, clip: Path) -> None:
    page.wait_for_function("window.__stage")
    first = steps.upload(page, clip)
    page.wait_for_function("window.__stage.view.extracted === window.__stage.view.frames")
    steps.finished(page)
    chosen = page.locator(".sm-session.sm-chosen")
    chosen.get_by_role("button", name="More for").click()
    page.get_by_text("Rename …", exact=True).click()
    page.get_by_role("textbox", name="Rename the session").fill("Hero <b>shot</b> 7")
    page.keyboard.press("Enter")
    expect(chosen).to_contain_text("Hero <b>shot</b> 7")
    chosen.get_by_role("button", name="More for").click()
    page.get_by_text("Duplicate", exact=True).click()
    page.wait_for_function("first => window.__stage.view && window.__stage.view.id !== first", arg=first)
    expect(chosen).to_contain_text("Hero <b>shot</b> 7 copy")
    elsewhere = page.context.new_page()
    elsewhere.goto(page.url)
    expect(elsewhere.locator(".sm-title-name")).to_have_text("Hero <b>shot</b> 7 copy")
    elsewhere.bring_to_front()
    before = page.locator(".sm-session").count()
    chosen.get_by_role("button", name="More for").click()
    page.get_by_text("Delete …", exact=True).click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".sm-session")).to_have_count(before - 1)
    page.wait_for_function("window.__stage.view === null")
    elsewhere.wait_for_function("window.__stage.view === null")
    expect(elsewhere.get_by_text("The session was deleted, here or in another tab.")).to_be_visible()
    expect(elsewhere.locator(".sm-title-name")).to_have_text("")
    elsewhere.close()
    for idle in (".sm-tools", ".sm-bar"):
        expect(page.locator(f"{idle} button:enabled")).to_have_count(0)
    expect(page.get_by_role("button", name="New object (N)")).to_be_disabled()
    expect(page.locator(".sm-zoom")).to_have_text("")


def test_texts_are_readable_in_dark_and_light(page: Page, clip: Path, tmp_path: Path) -> None:
    steps.upload(page, clip)
    bad = tmp_path / "notes.mp4"
    bad.write_bytes(b"not a video " * 100)
    chosen = page.locator(".sm-session.sm-chosen")
    steps.tab(page, "Propagate")
    for dark in (True, False):
        page.wait_for_function("dark => document.body.classList.contains('body--dark') === dark", arg=dark)
        chosen.get_by_role("button", name="More for").click()
        page.get_by_text("Rename …", exact=True).click()
        dialog = page.locator(".sm-dialog")
        expect(dialog).to_be_visible()
        page.set_input_files(".sm-upload input[type=file]", str(bad))
        close = page.locator(".q-notification").get_by_role("button", name="Close")
        expect(close).to_be_visible()
        texts = {
            "session": chosen.locator(".sm-name"),
            "page": page.locator(".sm-pagelink[aria-current]"),
            "cancel": dialog.get_by_role("button", name="Cancel"),
            "filled": dialog.get_by_role("button", name="Rename"),
            "chosen": page.locator(".q-btn-toggle [aria-pressed=true]"),
            "close": close,
        }
        found = {name: contrast(text) for name, text in texts.items()}
        assert min(found.values()) >= READABLE, (dark, found)
        close.click()
        expect(page.locator(".q-notification")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.get_by_role("button", name="Light or dark").click()


LONG = "W" * 200
BROAD = 600
"""Pixels that no dialog is wider than, but for help and logs."""


def test_long_names_are_cut_with_a_sign_or_wrapped(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    steps.finished(page)
    chosen = page.locator(".sm-session.sm-chosen")
    dialog = page.locator(".sm-dialog")

    def choose(what: str) -> None:
        chosen.get_by_role("button", name="More for").click()
        page.get_by_text(what, exact=True).click()
        expect(dialog).to_be_visible()

    choose("Rename …")
    page.get_by_role("textbox", name="Rename the session").fill(LONG)
    page.keyboard.press("Enter")
    expect(chosen).to_contain_text(LONG)
    cut = "e => getComputedStyle(e).textOverflow === 'ellipsis' && e.scrollWidth > e.clientWidth"
    expect(page.locator(".sm-title-name")).to_have_text(LONG)
    steps.tab(page, "Queue")
    for name in (chosen.locator(".sm-name .block"), page.locator(".sm-title-name"), page.locator(".sm-job .grow")):
        assert name.filter(has_text=LONG).first.evaluate(cut)
    for width in (1024, 1081, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert not any(overlaps(page, bar) for bar in (".sm-header", ".sm-bar", ".sm-transport")), width
    for what in ("Rename …", "Export project …", "Delete …"):
        choose(what)
        _holds_its_texts(page)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Log", exact=True).first.click()
    _holds_its_texts(page, broad=1100)


def _holds_its_texts(page: Page, broad: int = BROAD) -> None:
    dialog = page.locator(".sm-dialog")
    expect(dialog).to_be_visible()
    code = """(dialog) => [...dialog.querySelectorAll("*")]
        .filter((e) => e.checkVisibility() && !e.closest(".sm-ellipsis"))
        .filter((e) => e.getBoundingClientRect().right > dialog.getBoundingClientRect().right + 1).length"""
    assert dialog.evaluate(code) == 0
    box = dialog.bounding_box()
    assert box is not None and box["width"] <= broad


def test_a_menu_opens_without_a_tooltip_over_it(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    button = page.locator(".sm-session.sm-chosen").get_by_role("button", name="More for")
    button.hover()
    expect(page.locator(".q-tooltip")).to_be_visible()
    button.click()
    expect(page.get_by_text("Rename …", exact=True)).to_be_visible()
    expect(page.locator(".q-tooltip")).to_be_hidden()


def test_a_session_opens_by_its_picture_and_by_the_keyboard(page: Page, clip: Path) -> None:
    first, second = (steps.upload(page, clip) for _ in range(2))
    is_open = "id => window.__stage.view?.id === id"

    def card(session: str) -> Locator:
        return page.locator(".sm-session").filter(has=page.locator(f"img[src*='{session}']"))

    def opens(session: str, act: Callable[[], None]) -> None:
        act()
        page.wait_for_function(is_open, arg=session)

    opens(first, card(first).locator(".sm-poster").click)
    opens(second, card(second).locator(".sm-note").click)
    opens(first, lambda: card(first).locator(".sm-name").press("Enter"))
    card(second).get_by_role("button", name="More for").click()
    expect(page.get_by_text("Rename …", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate(is_open, first)


def test_mask_operations_are_previewed_and_undone(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    steps.click(page, 250, 75)
    plain = steps.mask(page, 1, 0)
    version = _version(page)
    page.locator("[aria-label='Grow or shrink'] [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    _changed(page, version)
    grown = steps.mask(page, 1, 0)
    assert grown.sum() > plain.sum() and (grown | plain).sum() == grown.sum()
    version = _version(page)
    page.keyboard.press("Control+z")
    _changed(page, version)
    assert (steps.mask(page, 1, 0) == plain).all()


def _version(page: Page) -> str:
    return str(page.evaluate("window.__stage.view.objects[0].lane[0][3]"))


def _changed(page: Page, version: str) -> None:
    page.wait_for_function("version => window.__stage.view.objects[0].lane[0][3] !== version", arg=version)


def test_it_speaks_chinese_by_the_browser_and_by_hand(browser: Browser, app: App) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(app.url)
    page.wait_for_selector(".sm-upload-button")
    page.wait_for_function("document.documentElement.lang === 'zh'")
    text = page.inner_text("body")
    assert "传播" in text and "Propagate" not in text and "Upload" not in text
    page.get_by_role("combobox", name="语言").click()
    page.get_by_role("option", name="English").click()
    expect(page.locator(".sm-upload-button")).to_contain_text("Upload video")
    context.close()


def test_every_control_has_a_name_and_the_keyboard_reaches_it(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, [role=button], [role=slider], [role=tab]")]
            .filter((e) => e.offsetParent && !e.closest(".q-field__native, [aria-hidden=true]"))
            .filter((e) => !(e.getAttribute("aria-label") || e.title || e.innerText?.trim() || e.labels?.length
                || e.closest("label") || e.closest("[aria-label]") || e.getAttribute("aria-labelledby")))
            .map((e) => e.outerHTML.slice(0, 160))"""
    )
    assert nameless == []
    with page.expect_file_chooser():
        page.locator(".sm-upload-button").focus()
        page.keyboard.press("Enter")
    page.keyboard.press("?")
    expect(page.locator(".sm-help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".sm-help")).to_be_hidden()
    page.get_by_role("tab", name="Objects").focus()
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"))
    assert {"Undo", "New object (N)"} & seen or len(seen) > 20


def test_keys_step_through_the_clip(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    for key, frame in (("ArrowRight", 1), ("Shift+ArrowRight", 11), ("End", 23), ("ArrowLeft", 22), ("Home", 0)):
        page.keyboard.press(key)
        page.wait_for_function("frame => window.__stage.frame === frame", arg=frame)


@pytest.fixture
def phone(browser: Browser, app: App) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, device_scale_factor=2)
    page = context.new_page()
    page.goto(app.url)
    page.wait_for_function("window.__stage")
    yield page
    context.close()


def test_a_phone_sized_window_has_everything_without_scrolling_sideways(phone: Page, clip: Path) -> None:
    steps.upload(phone, clip)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    box = phone.locator(".sm-canvas").bounding_box()
    assert box is not None and box["width"] > 250 and box["height"] > 120
    before = phone.evaluate(f"({steps.PROMPTED})()")
    phone.touchscreen.tap(*steps.on_screen(phone, 250, 75))
    steps.answered(phone, before)
    assert steps.mask(phone, 1, 0)[75, 250]
    phone.get_by_role("button", name="Sessions").click()
    expect(phone.locator(".sm-upload-button")).to_be_visible()


def test_on_a_phone_the_list_of_sessions_gives_way(phone: Page, clip: Path) -> None:
    steps.upload(phone, clip)
    phone.set_viewport_size({"width": 360, "height": 740})
    assert not overlaps(phone, ".sm-header")
    help_button = phone.get_by_role("button", name="Help and keys").bounding_box()
    assert help_button is not None and help_button["x"] + help_button["width"] <= 360
    listed = phone.locator(".sm-left")

    def unfold() -> None:
        expect(listed).to_be_hidden()
        phone.get_by_role("button", name="Sessions", exact=True).click()
        expect(listed).to_be_visible()

    unfold()
    phone.keyboard.press("Escape")
    unfold()
    phone.touchscreen.tap(350, 400)
    unfold()
    phone.locator(".sm-session.sm-chosen .sm-poster").click()
    expect(listed).to_be_hidden()


@pytest.mark.slow
def test_a_full_disk_is_said_and_nothing_is_left(browser: Browser, clip: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4096) as folder:
        app = start_app(folder / "workspace")
        page = browser.new_page()
        try:
            page.goto(app.url)
            page.wait_for_function("window.__stage")
            page.set_input_files(".sm-upload input[type=file]", str(clip))
            expect(page.locator(".q-notification")).to_contain_text("free")
            assert not list((app.workspace / "uploads").glob("*"))
        finally:
            page.close()
            app.close()


def test_a_mask_is_imported_from_an_image_and_a_wrong_one_is_refused(page: Page, clip: Path, tmp_path: Path) -> None:
    steps.upload(page, clip)
    mask = np.zeros((360, 640), np.uint8)
    mask[100:200, 200:300] = 255
    cv2.imwrite(str(tmp_path / "good.png"), mask)
    cv2.imwrite(str(tmp_path / "bad.png"), mask[:-1])
    for name in ("bad.png", "good.png"):
        page.get_by_role("button", name="Import a mask").click()
        page.set_input_files(".q-uploader input[type=file]", str(tmp_path / name))
        if name == "bad.png":
            expect(page.locator(".q-notification")).to_contain_text("give a mask of its size")
    page.wait_for_function("window.__stage.view.objects[0].lane.length")
    assert (steps.mask(page, 1, 0) == (mask > 127)).all()
