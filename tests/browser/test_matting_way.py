"""The whole way of a user on a real clip, in a real browser: from the upload to files that decode."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.driver import App
from tests.browser.material import centre, decode, demo_mask

pytestmark = pytest.mark.browser
SIZE = (640, 360)
FRAMES = 24


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return demo_mask(0, SIZE)


@pytest.mark.slow
def test_from_upload_to_files(page: Page, app: App, clip: Path, truth: np.ndarray, tmp_path: Path) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    steps.upload(page, clip)
    assert "Shot 12 ümlaut" in page.inner_text(".sm-left")

    body = centre(truth)
    steps.click(page, *body)
    steps.click(page, 250, 75)  # the head
    first = steps.mask(page, 1, 0)
    assert first[body[1], body[0]] and first[75, 250]
    steps.click(page, 600, 40, positive=False)
    assert not steps.mask(page, 1, 0)[40, 600]
    _undo_and_redo(page)
    _box_gives_the_truth(page, truth)
    _brush_is_literal(page)
    _second_object(page)

    steps.goto(page, FRAMES - 1)
    assert page.evaluate("window.__stage.frame") == FRAMES - 1
    steps.tab(page, "Propagate")
    page.get_by_role("button", name="Propagate").last.click()
    page.wait_for_selector(".sm-jobbar", state="visible")
    steps.finished(page)
    assert set(steps.kinds(page).values()) == {"keyframe", "propagated"} and len(steps.kinds(page)) == FRAMES
    _correct(page)

    steps.tab(page, "Matte")
    page.get_by_role("button", name="Matte this frame (M)").click()
    page.wait_for_function("Object.keys(window.__stage.view.preview).length > 0")
    expect(page.get_by_role("button", name="Alpha", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Matte the clip").click()
    page.wait_for_selector(".sm-jobbar", state="visible")
    steps.finished(page)
    lane = steps.view(page)["alpha"]
    assert {entry[2] for entry in lane} == {"matted"} and sum(entry[1] - entry[0] for entry in lane) == FRAMES
    _each_view_is_drawn(page)
    _deliver(page, tmp_path)
    assert not errors


def _undo_and_redo(page: Page) -> None:
    with_three = steps.mask(page, 1, 0)
    before = steps.view(page)["revision"]
    page.keyboard.press("Control+z")
    steps.settled(page, before)
    assert len(steps.view(page)["objects"][0]["prompts"]["0"]["points"]) == 2
    before = steps.view(page)["revision"]
    page.keyboard.press("Control+Shift+z")
    steps.settled(page, before)
    assert np.array_equal(steps.mask(page, 1, 0), with_three)


def _box_gives_the_truth(page: Page, truth: np.ndarray) -> None:
    page.keyboard.press("Delete")
    page.wait_for_function("!window.__stage.view.objects[0].lane.length")
    rows, columns = np.nonzero(truth)
    page.keyboard.press("b")
    steps.drag(page, (columns.min(), rows.min()), (columns.max(), rows.max()))
    assert steps.overlap(steps.mask(page, 1, 0), truth) > 0.8


def _brush_is_literal(page: Page) -> None:
    page.keyboard.press("p")
    steps.drag(page, (560, 60), (600, 60))
    assert steps.mask(page, 1, 0)[60, 580]
    page.keyboard.press("e")
    steps.drag(page, (540, 60), (630, 60))
    assert not steps.mask(page, 1, 0)[60, 580]
    page.keyboard.press("v")


def _second_object(page: Page) -> None:
    page.keyboard.press("n")
    page.wait_for_function("window.__stage.view.objects.length === 2")
    steps.click(page, 560, 250)
    assert steps.view(page)["objects"][1]["lane"]
    before = steps.view(page)["revision"]
    page.get_by_role("button", name="More for object 2").click()
    page.get_by_text("Delete", exact=True).click()
    steps.settled(page, before)
    assert len(steps.view(page)["objects"]) == 1


def _correct(page: Page) -> None:
    """A keyframe in the middle: what it touches is stale, one button redoes just that."""
    steps.goto(page, 12)
    page.keyboard.press("p")
    steps.drag(page, (20, 20), (40, 20))
    assert steps.kinds(page)[12] == "keyframe"
    stale = [index for index, kind in steps.kinds(page).items() if kind == "stale"]
    assert stale and 0 not in stale
    steps.tab(page, "Propagate")
    page.get_by_role("button", name=f"Propagate {len(stale)} frames").click()
    page.wait_for_selector(".sm-jobbar", state="visible")
    steps.finished(page)
    assert "stale" not in steps.kinds(page).values()


def _each_view_is_drawn(page: Page) -> None:
    """Every view shows something of its own, and none of them an empty picture."""
    pictures = set()
    page.locator("body").click(position={"x": 5, "y": 5})
    for key in "qwasdg":
        page.keyboard.press(key)
        steps.shown(page)
        pictures.add(page.locator(".sm-stage canvas, .stage canvas, canvas").first.screenshot())
    assert len(pictures) == 6
    page.keyboard.press("w")


def _deliver(page: Page, folder: Path) -> None:
    steps.tab(page, "Deliver")
    for name in ("ProRes 4444, QuickTime", "VP9 with alpha, WebM", "PNG sequence", "OpenEXR sequence"):
        page.get_by_role("checkbox", name=name).click()
    page.get_by_role("button", name="Deliver", exact=True).click()
    page.wait_for_selector(".sm-jobbar", state="visible")
    steps.finished(page)
    page.wait_for_selector("a[href$='/all.zip?formats=alpha,foreground,prores,webm,png,exr']")
    for name in ("alpha", "foreground", "prores", "webm"):
        path = _download(page, f"a[href$='/{name}']", folder)
        assert path.name.startswith("Shot 12 ümlaut"), path.name
        pictures = decode(path)
        assert len(pictures) == FRAMES and pictures[0].shape == (*SIZE[::-1], 3), name
    for name in ("png", "exr"):
        with zipfile.ZipFile(_download(page, f"a[href$='/{name}']", folder)) as archive:
            assert archive.testzip() is None and len(archive.namelist()) == FRAMES + 1
    with zipfile.ZipFile(_download(page, "a[href*='all.zip']", folder)) as archive:
        assert archive.testzip() is None and len(archive.namelist()) == 4 + 2 * FRAMES + 6  # sidecars


def _download(page: Page, selector: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.locator(selector).click()
    download = waiting.value
    target = folder / download.suggested_filename
    download.save_as(target)
    return target
