"""Takes the guides' pictures of the web app anew. As a module of python -m: all, or those whose names are given."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, TimeoutError

from tests.app_process import ROOT, App, start_app
from tests.browser import steps
from tests.browser.driver import chromium
from tests.browser.material import DEMO

DOCS = ROOT / "docs"
DESK, PHONE, LONG = (1440, 860), (390, 844), (1200, 1130)
GOOD = ((560, 560), (300, 600), (690, 600), (540, 210), (520, 120), (620, 150), (530, 420), (720, 650))
BAD = ((570, 60), (655, 330), (280, 330))


class Studio:
    """An app with a matted and a tracked session, and a browser to look at it."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.browser = browser
        self.workspace = folder / "workspace"
        self._masks = [f"{int(path.stem.removeprefix('mask_'))}={path}" for path in sorted(DEMO.glob("mask_*.png"))]
        self.clip = Path(shutil.copy(DEMO / "clip.mp4", folder / "Astronaut.mp4"))
        # What neural engines would need is part of the pictures; what this machine has of them is not.
        self.app: App = start_app(self.workspace, environment={"SPLAZMATTE_MODELS_DIR": str(folder / "models")})

    @cached_property
    def matted(self) -> str:
        """Return the id of a session that has been delivered."""
        return self._made("matte", *(word for mask in self._masks for word in ("--mask", f"astronaut@{mask}")))

    @cached_property
    def tracked(self) -> str:
        """Return the id of a session with tracks."""
        return self._made("track", "--mask", f"astronaut@{self._masks[0]}", "--points", "tower@0:876,130 876,420")

    def _made(self, *words: str) -> str:
        environment = {**os.environ, "SPLAZMATTE_WORKSPACE": str(self.workspace)}
        command = [sys.executable, "run.py", words[0], str(self.clip), *words[1:], "--json"]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        return str(json.loads(done.stdout)["session_id"])

    def page(self, address: str, size: tuple[int, int] = DESK, locale: str = "en-GB") -> Page:
        """Open an address of the app in a browser that has never been here."""
        viewport = {"width": size[0], "height": size[1]}
        page = self.browser.new_context(viewport=viewport, locale=locale).new_page()  # type: ignore[arg-type]
        page.goto(self.app.url + address)
        page.wait_for_selector(".sm-page")
        if "session=" in address:
            page.wait_for_function("window.__stage && window.__stage.view")
            steps.shown(page)
        return page


def clicked(studio: Studio, name: str, locale: str = "en-GB") -> None:
    """Click on the astronaut of a new session."""
    page = studio.page("/")
    session = steps.upload(page, studio.clip)
    for x, y in GOOD:
        steps.click(page, x, y)
    for x, y in BAD:
        steps.click(page, x, y, positive=False)
    if locale != "en-GB":
        page = studio.page(f"/?session={session}", locale=locale)
    keep(page, name)


def propagated(studio: Studio, name: str) -> Page:
    """Look at the first masks while the others are made."""
    page = studio.page("/")
    steps.upload(page, studio.clip)
    for x, y in GOOD:
        steps.click(page, x, y)
    steps.tab(page, "Propagate")
    page.get_by_role("button", name="Propagate").last.click()
    page.wait_for_function(f"{steps.VIEW}.objects[0].lane.some(l => l[2] === 'propagated')")
    keep(page, name)
    return page


def reviewed(studio: Studio, name: str, locale: str = "en-GB", size: tuple[int, int] = DESK) -> None:
    """Compare the composite with the source, beside what can be delivered."""
    page = studio.page(f"/?session={studio.matted}", size, locale)
    steps.tab(page, "Deliver" if locale == "en-GB" else "交付")
    steps.goto(page, 40)
    page.get_by_role("button", name="Composite" if locale == "en-GB" else "合成", exact=True).click()
    page.keyboard.press("x")
    page.wait_for_function("window.__stage.options.wipe && window.__stage.loaded(40)")
    keep(page, name)


def in_light(studio: Studio, name: str) -> None:
    """Open the step of mattes in Chinese and in light."""
    page = studio.page(f"/?session={studio.matted}", locale="zh-CN")
    page.get_by_role("button", name="浅色或深色").first.click()
    page.wait_for_function("document.body.classList.contains('body--light')")
    steps.tab(page, "抠像")
    page.get_by_role("button", name="叠加", exact=True).click()
    keep(page, name)


def points(studio: Studio, name: str) -> None:
    """Choose three points, with their curves."""
    page = studio.page(f"/tracking?session={studio.tracked}")
    page.wait_for_function("window.__stage.tracksLoaded")
    steps.goto(page, 64)
    for row in (1, 3, 4):
        page.locator(".q-table").get_by_role("checkbox").nth(row).click()
    page.wait_for_function("window.__stage.options.selected.length === 3")
    keep(page, name)


def of_page(address: str, waits: str, size: tuple[int, int] = DESK, locale: str = "en-GB") -> Callable[..., None]:
    """Return what takes a page as it is opened."""

    def take(studio: Studio, name: str) -> None:
        page = studio.page(address, size, locale)
        page.wait_for_selector(waits)
        keep(page, name)

    return take


def logged(studio: Studio, name: str) -> None:
    """Open the log of a propagation."""
    page = propagated(studio, "web_propagate")
    steps.tab(page, "Queue")
    steps.finished(page)
    page.get_by_role("button", name="Log", exact=True).last.click()
    page.get_by_text("job done").wait_for()
    keep(page, name)


def keep(page: Page, name: str) -> None:
    """Write the picture, with all that moves at rest."""
    page.mouse.move(5, page.viewport_size["height"] - 5)  # type: ignore[index]
    with suppress(TimeoutError):  # the timeline's thumbnails; while a job runs, something always comes
        page.wait_for_load_state("networkidle", timeout=5000)
    shot = page.screenshot(animations="disabled")
    raw = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert raw is not None
    cv2.imwrite(str(DOCS / f"{name}.jpg"), raw, [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_OPTIMIZE, 1])


PICTURES: dict[str, Callable[[Studio, str], None]] = {
    "web_click": clicked,
    "web_click_zh": lambda studio, name: clicked(studio, name, "zh-CN"),
    "web_review": reviewed,
    "web_review_zh": lambda studio, name: reviewed(studio, name, "zh-CN"),
    "web_phone": lambda studio, name: reviewed(studio, name, size=PHONE),
    "web_light_chinese": in_light,
    "web_tracking": points,
    "web_models": of_page("/models", ".sm-model", LONG),
    "web_settings": of_page("/settings", ".sm-setting"),
    "web_settings_zh": of_page("/settings", ".sm-setting", locale="zh-CN"),
    "web_log": logged,  # and web_propagate, which it begins with
}


def main(names: list[str]) -> None:
    """Take the pictures of these names, or all."""
    folder = Path(tempfile.gettempdir(), "SplazMatte")  # it is to be read in some of them
    folder.mkdir()
    try:
        with chromium() as browser:
            studio = Studio(folder, browser)
            try:
                for name in names or PICTURES:
                    PICTURES[name](studio, name)
                    print(DOCS / f"{name}.jpg")
            finally:
                studio.app.close()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PICTURES], help="which; all of them if not given")
    main(parser.parse_args().names)
