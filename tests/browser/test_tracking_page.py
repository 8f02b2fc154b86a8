"""The tracking page in a real browser: from the upload to every download, and what is done to points and tracks."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, TimeoutError, expect

from tests.browser import steps
from tests.browser.driver import App
from tests.browser.look import overlaps
from tests.browser.material import centre, decode, demo_mask
from tracking_export import TRACK_FORMATS

pytestmark = pytest.mark.browser
SIZE = (640, 360)
FRAMES = 24
REVISION = f"{steps.VIEW}.revision"
DECIDED = f"JSON.stringify([{steps.VIEW}.points, {steps.VIEW}.motions, {steps.VIEW}.tracks])"
"""What the user has decided, as text; a job that goes on beside it changes the revision, but not this."""
NAMES = {"video": "Video with trails", **{row.name: row.title for row in TRACK_FORMATS.values()}}
CHOSEN = ("video", "ae-keyframes", "json")
"""Formats of a new session."""


@pytest.fixture
def page(context: BrowserContext, app: App) -> Iterator[Page]:
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"{app.url}/tracking")
    opened.wait_for_selector(".sm-page")
    yield opened
    assert not errors


def points(page: Page) -> list[dict[str, Any]]:
    return list(steps.view(page)["points"])


def until(page: Page, condition: str, argument: object = None) -> None:
    page.wait_for_function(condition, arg=argument)


def add(page: Page, x: float, y: float) -> None:
    """Click on the picture with the point tool, and wait for the point."""
    count = len(points(page))
    page.mouse.click(*steps.on_screen(page, x, y))
    until(
        page,
        f"count => {steps.VIEW}.points.length === count && window.__stage.options.selected.length === 1",
        count + 1,
    )


def pull(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from a source pixel to another one, and wait until that has changed something."""
    before = page.evaluate(DECIDED)
    page.mouse.move(*steps.on_screen(page, *start))
    page.mouse.down()
    page.mouse.move(*steps.on_screen(page, *end), steps=5)
    page.mouse.up()
    until(page, f"before => {DECIDED} !== before", before)


def press(page: Page, key: str) -> None:
    """Press a key, and wait until that has changed something."""
    before = page.evaluate(DECIDED)
    page.keyboard.press(key)
    until(page, f"before => {DECIDED} !== before", before)


def track(page: Page) -> None:
    """Track what is new or has changed, and wait until its tracks are in the browser."""
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".sm-jobbar", state="visible")
    steps.finished(page)
    until(page, f"{steps.VIEW}.points.every(point => point.state === 'tracked') && window.__stage.tracksLoaded")


def place(page: Page, point_id: int) -> dict[str, Any]:
    """Return where a point is drawn on the frame that is shown."""
    page.evaluate("() => new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)))")
    found = {entry["id"]: entry for entry in page.evaluate("window.__stage.places")}
    return dict(found[point_id])


def slide(page: Page, label: str, key: str) -> None:
    """Move a slider by a key, and wait until that has changed something."""
    before = page.evaluate(DECIDED)
    page.locator(f".q-slider[aria-label='{label}'] [tabindex]").focus()
    page.keyboard.press(key)
    until(page, f"before => {DECIDED} !== before", before)


def test_from_upload_to_every_download(page: Page, app: App, clip: Path, tmp_path: Path) -> None:
    session = steps.upload(page, clip)
    assert "Shot 12 ümlaut" in page.inner_text(".sm-left")
    for x, y in ((250, 75), (300, 200), (330, 240), (270, 260)):
        add(page, x, y)
    track(page)
    assert [point["keys"][0][0] for point in points(page)] == [0] * 4
    steps.goto(page, FRAMES - 1)
    assert 230 < place(page, 1)["x"] < 280 and place(page, 1)["seen"]
    _motion(page)

    steps.tab(page, "Deliver")
    for title in (title for name, title in NAMES.items() if name not in CHOSEN):
        before = page.evaluate(REVISION)
        page.get_by_role("checkbox", name=title, exact=True).click()
        until(page, f"before => {REVISION} > before", before)
    page.get_by_role("button", name="Deliver", exact=True).click()
    page.wait_for_selector(".sm-jobbar", state="visible")
    steps.finished(page)
    page.wait_for_selector(f"a[href$='formats={','.join(NAMES)}']")
    _are_right({name: _download(page, f"a[href$='/{name}']", tmp_path) for name in NAMES})
    with zipfile.ZipFile(_download(page, "a[href*='all.zip']", tmp_path)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None and len({name.partition("/")[0] for name in names}) == 2 * len(NAMES), (
            "each with its sidecar"
        )
    assert session not in "".join(names), "files are called as the user's video, not by our ids"


def _motion(page: Page) -> None:
    steps.tab(page, "Motion")
    page.keyboard.press("Control+a")
    until(page, "window.__stage.options.selected.length === 4")
    page.get_by_role("button", name="Corner pin").click()
    until(page, "window.__stage.motionLoaded && window.__stage.motionLoaded.path")
    page.wait_for_selector(".sm-residual:has-text('Residual')")
    page.get_by_role("button", name="Steady point").click()
    until(page, f"{steps.VIEW}.motions.length === 2 && window.__stage.motionLoaded?.path?.[0]?.length === 1")
    assert page.evaluate("window.__stage.motionLoaded.solved") == FRAMES
    assert "px" in page.inner_text(".sm-residual >> nth=1")


def _download(page: Page, selector: str, folder: Path) -> Path:
    """Download a file; Chromium lets only ten go at once, so a click may do nothing: then it is made again."""
    for patience in (3_000, 30_000):
        try:
            with page.expect_download(timeout=patience) as waiting:
                page.locator(selector).click()
            break
        except TimeoutError:
            continue
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    assert target.name.startswith("Shot 12 ümlaut") and target.stat().st_size > 0
    return target


def _are_right(files: dict[str, Path]) -> None:
    pictures = decode(files["video"])
    assert len(pictures) == FRAMES and pictures[0].shape[:2] == SIZE[::-1]
    with zipfile.ZipFile(files["ae-keyframes"]) as archive:
        assert len(archive.namelist()) >= 4
        assert archive.read(archive.namelist()[0]).startswith(b"Adobe After Effects")
    document = json.loads(files["json"].read_text())
    assert "corner-pin" in files["json"].read_text() and document
    assert "CornerPin2D" in files["nuke"].read_text()
    with np.load(files["tapvid"]) as arrays:
        assert any(array.shape[:2] == (5, FRAMES) or array.shape[:2] == (4, FRAMES) for array in arrays.values())


def test_points_are_moved_corrected_cut_hidden_and_taken_back(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    add(page, 250, 75)
    add(page, 330, 240)
    pull(page, (250, 75), (260, 85))
    assert points(page)[0]["keys"] == [[0, pytest.approx(260, abs=1), pytest.approx(85, abs=1)]]
    press(page, "Control+z")
    assert points(page)[0]["keys"][0][1] == pytest.approx(250, abs=0.01)
    track(page)

    steps.goto(page, 12)
    before = place(page, 1)
    other = page.evaluate("window.__stage.track(2)")
    pull(page, (before["x"], before["y"]), (before["x"] + 30, before["y"] + 20))
    first = points(page)[0]
    assert [key[0] for key in first["keys"]] == [0, 12] and first["state"] == "stale"
    assert points(page)[1]["state"] == "tracked"
    assert "Changed since" in page.inner_text(".sm-made")
    track(page)
    assert place(page, 1)["x"] == pytest.approx(before["x"] + 30, abs=1)
    assert page.evaluate("window.__stage.track(2)") == other, "only the corrected point was tracked again"

    press(page, "k")
    until(page, "window.__stage.tracksLoaded && window.__stage.track(1)[20] === null")
    assert page.evaluate("window.__stage.track(1)[5].seen")
    press(page, "Control+z")
    until(page, "window.__stage.tracksLoaded && window.__stage.track(1)[20] !== null")
    press(page, "y")
    assert points(page)[0]["hidden"] and "hidden" in page.inner_text(".sm-pointlist")
    press(page, "y")
    press(page, "Shift+Delete")
    assert len(points(page)[0]["keys"]) == 1
    page.keyboard.press("Control+a")
    until(page, "window.__stage.options.selected.length === 2")
    press(page, "Delete")
    assert points(page) == []


def test_settings_act_at_once_and_can_be_taken_back(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    add(page, 300, 200)
    track(page)
    raw = page.evaluate("window.__stage.track(1)")
    steps.tab(page, "Track")
    current = page.get_by_text("All is up to date.").locator("visible=true")
    expect(current).to_have_count(1)
    for _ in range(6):
        slide(page, "Smooth", "ArrowRight")
    until(page, "raw => window.__stage.tracksLoaded && window.__stage.track(1)[12].x !== raw", raw[12]["x"])
    page.get_by_role("button", name="Raw", exact=True).click()
    until(page, "raw => window.__stage.track(1)[12].x === raw", raw[12]["x"])
    page.get_by_role("button", name="Raw", exact=True).click()
    page.get_by_role("button", name="Reset the refinement").click()
    until(page, "raw => window.__stage.tracksLoaded && window.__stage.track(1)[12].x === raw", raw[12]["x"])
    assert page.is_visible(".sm-curves") and page.locator(".sm-curves canvas").evaluate("c => c.height") > 100
    page.get_by_role("button", name="Curves", exact=True).click()
    page.wait_for_selector(".sm-curves", state="hidden")


def test_grids_and_objects_give_many_points(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    page.get_by_label("Group of new points").fill("wall")
    page.get_by_label("Grid: points on long side").fill("4")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Fill the frame").click()
    until(page, f"{steps.VIEW}.points.length === 8")
    track(page)  # by its key: the button that still has the focus does not take that for a press
    assert len(points(page)) == 8
    assert {point["group"] for point in points(page)} == {"wall"}
    page.locator(".sm-canvas").focus()
    page.keyboard.press("g")
    pull(page, (20, 20), (120, 70))
    inside = points(page)[8:]
    assert len(inside) == 8 and all(20 < point["keys"][0][1] < 120 for point in inside)

    page.keyboard.press("m")
    truth = demo_mask(0, SIZE)
    page.mouse.click(*steps.on_screen(page, *centre(truth)))
    until(page, f"{steps.VIEW}.object.version > 0 && !{steps.VIEW}.object.busy")
    page.get_by_label("Points on the object").fill("20")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Fill the object").click()
    until(page, f"{steps.VIEW}.points.length === 36 && !{steps.VIEW}.object.version")
    places = [point["keys"][0][1:] for point in points(page)[16:]]
    assert sum(bool(truth[round(y), round(x)]) for x, y in places) >= 18
    page.keyboard.press("s")
    count = page.evaluate("window.__stage.options.selected.length")
    assert count == 20
    page.mouse.move(*steps.on_screen(page, 5, 5))
    page.mouse.down()
    page.mouse.move(*steps.on_screen(page, 130, 80), steps=4)
    page.mouse.up()
    until(page, "count => window.__stage.options.selected.length !== count", count)
    chosen = set(page.evaluate("window.__stage.options.selected"))
    assert {point["id"] for point in points(page)[8:16]} <= chosen and len(chosen) < 36


def test_corners_are_dragged_out_of_the_picture(page: Page, clip: Path) -> None:
    steps.upload(page, clip)
    for x, y in ((250, 75), (300, 200), (330, 240), (270, 260)):
        add(page, x, y)
    track(page)
    steps.tab(page, "Motion")
    page.get_by_role("button", name="Corner pin").click()
    until(page, "window.__stage.motionLoaded && window.__stage.motionLoaded.path")
    steps.goto(page, page.evaluate("window.__stage.motionLoaded.reference"))
    page.evaluate("window.__stage.run('zoom_out')")
    page.evaluate("window.__stage.run('zoom_out')")
    x, y = steps.view(page)["motions"][0]["corners"][0]
    pull(page, (x, y), (-40, -30))
    assert steps.view(page)["motions"][0]["corners"][0] == [pytest.approx(-40, abs=2), pytest.approx(-30, abs=2)]
    until(page, "Math.abs(window.__stage.motionLoaded.path[window.__stage.frame][0][0] + 40) < 2")


def test_points_of_a_matting_session_are_carried_over(page: Page, app: App, clip: Path) -> None:
    page.get_by_role("link", name="Matting", exact=True).click()
    page.wait_for_url(f"{app.url}/")
    steps.upload(page, clip)
    body = centre(demo_mask(0, SIZE))
    steps.click(page, *body)
    page.get_by_role("button", name="Track points through this").click()
    page.get_by_label("Points on each object").fill("12")
    page.get_by_role("button", name="Make the tracking session").click()
    page.wait_for_url(f"{app.url}/tracking?session=*")
    until(page, "window.__stage?.view?.points.length === 13")
    assert points(page)[0]["keys"][0][1:] == [pytest.approx(body[0], abs=0.5), pytest.approx(body[1], abs=0.5)]
    assert len({point["group"] for point in points(page)}) == 1
    until(page, f"{steps.VIEW}.points.every(point => point.state === 'tracked')")


@pytest.mark.parametrize("width", [390, 1440])
def test_it_fits_the_window_in_both_languages(page: Page, app: App, clip: Path, width: int) -> None:
    steps.upload(page, clip)
    until(page, "window.__stage.labels.join() === '0 selected,All points'")
    add(page, 250, 75)
    page.set_viewport_size({"width": width, "height": 844})
    wide = "() => document.documentElement.scrollWidth > innerWidth + 1"
    assert not page.evaluate(wide)
    page.get_by_label("Language").click()
    page.get_by_role("option", name="中文").click()
    page.wait_for_selector("text=跟踪点")
    assert not page.evaluate(wide)
    until(page, "window.__stage?.labels.join() === '已选 0 个,所有点'")
    for narrower in {width, min(width, 1081), min(width, 1280)}:
        page.set_viewport_size({"width": narrower, "height": 844})
        assert not any(overlaps(page, bar) for bar in (".sm-header", ".sm-bar", ".sm-transport"))
    assert page.locator(".sm-window").bounding_box()["height"] > 120  # type: ignore[index]
