"""What a user does, as functions: click on the picture, run a step, wait for what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

VIEW = "window.__stage.view"
PROMPTED = f"""() => JSON.stringify({VIEW}.objects.map(o => [o.prompts, o.lane])
    .filter(([prompts, lane]) => lane.length || Object.keys(prompts).length))"""
"""What the objects have by way of prompts and masks, as text; an object that has nothing yet is not in it."""


def upload(page: Page, path: Path) -> str:
    """Upload a video by the dialog, wait until its first picture is shown, and return the session's id."""
    page.wait_for_function("window.__stage")
    before = page.evaluate(f"{VIEW} ? {VIEW}.id : ''")
    page.set_input_files(".sm-upload input[type=file]", str(path))
    page.wait_for_function(f"before => {VIEW} && {VIEW}.id !== before", arg=before)
    shown(page)
    return str(page.evaluate(f"{VIEW}.id"))


def shown(page: Page, frame: int | None = None) -> None:
    """Wait until the picture of the frame (or of the one asked for last) is drawn whole."""
    page.wait_for_function(
        "frame => { const s = window.__stage, f = frame ?? s.frame; return s.view && s.shown === f && s.loaded(f); }",
        arg=frame,
    )


def view(page: Page) -> dict[str, Any]:
    """Return the SessionView that the page shows."""
    return dict(page.evaluate(VIEW))


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a source pixel is in the window."""
    place = page.evaluate("([x, y]) => window.__stage.toScreen(x, y)", [float(x), float(y)])
    return float(place[0]), float(place[1])


def click(page: Page, x: float, y: float, *, positive: bool = True) -> None:
    """Click on a source pixel and wait for the mask that follows."""
    before = page.evaluate(f"({PROMPTED})()")
    page.mouse.click(*on_screen(page, x, y), button="left" if positive else "right")
    answered(page, before)


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Drag along source pixels with the tool in hand, and wait for the mask that follows."""
    before = page.evaluate(f"({PROMPTED})()")
    page.mouse.move(*on_screen(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*on_screen(page, *point), steps=4)
    page.mouse.up()
    answered(page, before)


def answered(page: Page, before: str) -> None:
    """Wait until prompts or masks are others than `before`, and no engine is at work on a click."""
    page.wait_for_function(
        f"before => ({PROMPTED})() !== before && {VIEW}.objects.every(o => !o.busy.length)", arg=before
    )
    shown(page)


def settled(page: Page, before: int) -> None:
    """Wait until something has changed since revision `before` and no engine is at work on a click."""
    page.wait_for_function(
        f"before => {VIEW}.revision > before && {VIEW}.objects.every(o => !o.busy.length)", arg=before
    )
    shown(page)


def goto(page: Page, frame: int) -> None:
    """Go to a frame, and wait until it is drawn."""
    page.evaluate("frame => window.__stage.seek(frame)", frame)
    shown(page, frame)


def tab(page: Page, name: str) -> None:
    """Open a step's panel."""
    page.get_by_role("tab", name=name, exact=True).click()


def finished(page: Page, seconds: float = 120) -> None:
    """Wait until the session's job has ended."""
    page.wait_for_selector(".sm-jobbar", state="hidden", timeout=seconds * 1000)


def kinds(page: Page, place: int = 0) -> dict[int, str]:
    """Return what the lane of an object says of each frame."""
    lane = view(page)["objects"][place]["lane"]
    return {index: kind for start, stop, kind, _ in lane for index in range(start, stop)}


def mask(page: Page, object_id: int, frame: int) -> np.ndarray:
    """Return the mask that the browser would draw, as the server gives it: bool [H, W]."""
    import cv2

    session = view(page)["id"]
    answer = page.request.get(f"{page.evaluate('location.origin')}/media/{session}/mask/{object_id}/{frame}")
    assert answer.ok, answer.status
    picture = cv2.imdecode(np.frombuffer(answer.body(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture[..., 3] if picture.ndim == 3 else picture) > 127


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the intersection over union of two masks."""
    return float((first & second).sum() / max(1, (first | second).sum()))
