"""`just bench ui`: the web app in a real Chromium, against the limits that we set ourselves.

Start to first page, click to mask beyond the engine's own time, frames a second while stepping at 720p, and memory of
server and tab while a long clip is scrubbed.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.driver import App, chromium, start_app

DEMO = Path(__file__).resolve().parent.parent / "assets" / "demo" / "clip.mp4"
CLICKS = ((500, 450), (520, 120), (860, 640), (300, 600), (420, 180), (640, 330))
STEPS = 90
LONG = 3000
LIMITS = {"start_s": 2.0, "click_overhead_ms": 150.0, "steps_per_second": 20.0}


def run() -> dict[str, Any]:
    """Measure everything; return the figures."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        app, start = _start(Path(folder), browser)
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 900})
            page.goto(app.url)
            steps.upload(page, DEMO)
            page.wait_for_function("window.__stage.view.extracted === window.__stage.view.frames", timeout=60_000)
            result = {"start_s": start, **_clicks(page), **_stepping(page), **_scrubbing(page, app, Path(folder))}
        finally:
            app.close()
    return {**result, "limits": LIMITS}


def _start(folder: Path, browser: Any) -> tuple[App, dict[str, float]]:
    """Return a running app, and the seconds from starting its process to its page in a browser, of three starts."""
    seconds = []
    page = browser.new_page()
    for attempt in range(3):
        begin = time.monotonic()
        app = start_app(folder / f"start{attempt}")
        page.goto(app.url)
        page.wait_for_selector(".sm-upload-button")
        seconds.append(time.monotonic() - begin)
        if attempt < 2:
            app.close()
    page.close()
    return app, {"best": round(min(seconds), 2), "median": round(statistics.median(seconds), 2)}


def _clicks(page: Page) -> dict[str, Any]:
    """Measure from the click to the mask on the screen, and what the engine itself took of that."""
    beyond, engine = [], []
    for place in CLICKS:
        begin = time.monotonic()
        steps.click(page, *place)
        took = (time.monotonic() - begin) * 1000
        alone = float(page.evaluate("window.__stage.view.engine_ms"))
        beyond.append(took - alone)
        engine.append(alone)
    return {
        "click_engine_ms": round(statistics.median(engine[1:])),
        "click_overhead_ms": {"median": round(statistics.median(beyond[1:])), "worst": round(max(beyond[1:]))},
        "first_click_overhead_ms": round(beyond[0]),
    }


def _stepping(page: Page) -> dict[str, Any]:
    """Measure frames a second while stepping, the overlay shown, every frame drawn: first sight, then again."""
    rates = []
    for _ in range(2):
        steps.goto(page, 0)
        seconds = float(page.evaluate(_STEP, STEPS)) / 1000
        rates.append(round(STEPS / seconds, 1))
    return {"steps_per_second": {"first": rates[0], "again": rates[1]}}


_STEP = """async (count) => {
  const begin = performance.now();
  for (let i = 0; i < count; i++) {
    window.__stage.step(1);
    const frame = window.__stage.frame;
    while (window.__stage.shown !== frame) await new Promise(requestAnimationFrame);
  }
  return performance.now() - begin;
}"""


def _scrubbing(page: Page, app: App, folder: Path) -> dict[str, Any]:
    """Measure memory of server and browser while a long clip is scrubbed from end to end, quarter by quarter."""
    steps.upload(page, _long_clip(folder / "long.mp4"))
    page.wait_for_function("window.__stage.view.extracted === window.__stage.view.frames", timeout=600_000)
    steps.finished(page)
    server, tab, bitmaps = [], [], []
    for quarter in range(4):
        for frame in range(quarter * LONG // 4, (quarter + 1) * LONG // 4, 3):
            steps.goto(page, frame)
        server.append(round(psutil.Process(app.process.pid).memory_info().rss / 1e6))
        tab.append(round(_renderers() / 1e6))
        bitmaps.append(page.evaluate("window.__stage.stats()"))
    return {"server_mb": server, "tab_mb": tab, "stats": bitmaps}


def _renderers() -> int:
    """Return the bytes of the browser's processes that belong to this one."""
    mine = psutil.Process().children(recursive=True)
    return sum(child.memory_info().rss for child in mine if "chrom" in child.name())


def _long_clip(path: Path) -> Path:
    """Write a 720p clip of LONG frames that differ."""
    rng = np.random.default_rng(3)
    ground = rng.integers(0, 255, (90, 160, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.options = {"crf": "30", "preset": "ultrafast"}
        for index in range(LONG):
            picture = np.roll(ground, index * 4 % 1280, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")))
        container.mux(stream.encode(None))
    return path
