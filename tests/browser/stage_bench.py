"""A stand-in for the app under the stage: synthetic pictures under the same URLs, and a page with nothing but a stage.

`python -m tests.browser.stage_bench --port 8123` serves it; `--measure` steps through it and prints how fast.
The session's id says what it is: WIDTHxHEIGHTxFRAMES, such as 1280x720x3000.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.app_process import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
COLOURS = ("#ff9f1a", "#27c4f5")
FOREGROUND = (200, 100, 50)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LIVE = 12
"""Frames whose first object is a live one; the ones behind are stale, see `make_view`."""


def size_of(session: str) -> tuple[int, int, int]:
    """Return (width, height, frames) of a session's id."""
    width, height, frames = (int(part) for part in session.split("x"))
    return width, height, frames


def frame_colour(index: int) -> tuple[int, int, int]:
    """Return the RGB background colour of a frame, another one for each of its neighbours."""
    return 40 + index * 7 % 120, 60 + index * 3 % 90, 90


def make_view(session: str, revision: int = 1) -> dict[str, Any]:
    """Return a SessionView: two objects, the first with keyframes and a stale stretch, alpha on the first half."""
    width, height, frames = size_of(session)
    half = max(LIVE, frames // 2)
    lanes = (
        [
            [0, 1, "keyframe", "k"],
            [1, LIVE, "propagated", "p"],
            [LIVE, half, "stale", "s"],
            [half, half + 1, "keyframe", "k"],
        ],
        [[4, 5, "keyframe", "k"], [5, frames, "propagated", "p"]],
    )
    objects = [
        {"id": number, "name": name, "colour": COLOURS[number - 1], "visible": True, "opacity": 1.0, "lane": lane}
        | {"prompts": {"0": {"points": [], "box": None, "text": ""}} if number == 1 else {}, "busy": []}
        for number, name, lane in ((1, "Dancer", lanes[0]), (2, "Red umbrella, left", lanes[1]))
    ]
    return {
        "id": session, "revision": revision, "name": "stub", "width": width, "height": height, "frames": frames,
        "rate": [24, 1], "times": None, "range": None, "extracted": frames, "objects": objects,
        "alpha": [[0, half, "matted", "a"]], "preview": {},
    }  # fmt: skip


def _encode(suffix: str, picture: Any, *options: int) -> bytes:
    import cv2

    return cv2.imencode(suffix, picture, list(options))[1].tobytes()


@lru_cache(64)
def frame_jpeg(session: str, index: int, height: int = 0) -> bytes:
    """Return a frame: a plain colour, a grey ramp at the bottom eighth, its number at the top left."""
    import cv2
    import numpy as np

    width, tall, _ = size_of(session)
    picture = np.full((tall, width, 3), frame_colour(index)[::-1], np.uint8)
    picture[-tall // 8 :] = np.linspace(0, 255, width).astype(np.uint8)[None, :, None]
    cv2.putText(
        picture, str(index), (4, tall // 8), cv2.FONT_HERSHEY_SIMPLEX, tall / 300, (255, 255, 255), max(1, tall // 240)
    )
    if height:
        picture = cv2.resize(picture, (width * height // tall, height), interpolation=cv2.INTER_AREA)
    return _encode(".jpg", picture, cv2.IMWRITE_JPEG_QUALITY, 92)


@lru_cache(64)
def mask_png(session: str, kind: int, index: int) -> bytes:
    """Return white whose alpha is a shape: 0 and 1 a disc in the middle (0 soft), 2 a box at the top right."""
    import cv2
    import numpy as np

    width, height, _ = size_of(session)
    mask = np.zeros((height, width), np.uint8)
    if kind == 2:
        mask[height // 8 : height // 3, width * 3 // 4 : width * 15 // 16] = 255
    else:
        cv2.circle(mask, (width // 2 + index % 9, height // 2), height // 4, 255, -1)
    if kind == 0:
        mask = cv2.GaussianBlur(mask, (0, 0), height / 60)
    return _as_alpha(_encode(".png", mask, cv2.IMWRITE_PNG_COMPRESSION, 1))


def _as_alpha(grey: bytes) -> bytes:
    """Return a grey PNG as one that is white with alpha = grey: a palette, as the app does it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", grey[16:25] + b"\x03" + grey[26:29])
    return grey[:8] + header + chunk(b"PLTE", b"\xff" * 768) + chunk(b"tRNS", bytes(range(256))) + grey[33:]


@lru_cache(8)
def foreground_jpeg(session: str) -> bytes:
    """Return the foreground: one colour."""
    import cv2
    import numpy as np

    width, height, _ = size_of(session)
    return _encode(".jpg", np.full((height, width, 3), FOREGROUND[::-1], np.uint8), cv2.IMWRITE_JPEG_QUALITY, 95)


def serve(port: int) -> None:
    """Serve the pictures and the page until killed."""
    from nicegui import app, ui
    from starlette.responses import Response

    from pages.stage import Stage

    heard: list[dict[str, Any]] = []
    state: dict[str, Any] = {"stage": None, "view": None, "late": set()}

    def answer(body: bytes, kind: str) -> Response:
        return Response(body, media_type=kind, headers={"Cache-Control": "private, max-age=31536000, immutable"})

    @app.get("/media/{session}/frame/{index}")
    def frame(session: str, index: int) -> Response:
        return Response(status_code=404) if index in state["late"] else answer(frame_jpeg(session, index), "image/jpeg")

    @app.get("/media/{session}/thumb/{index}")
    def thumb(session: str, index: int) -> Response:
        return answer(frame_jpeg(session, index, 96), "image/jpeg")

    @app.get("/media/{session}/mask/{number}/{index}")
    def mask(session: str, number: int, index: int) -> Response:
        return answer(mask_png(session, number, index), "image/png")

    @app.get("/media/{session}/alpha/{index}")
    @app.get("/media/{session}/preview/{index}")
    def alpha(session: str, index: int) -> Response:
        return answer(mask_png(session, 0, index), "image/png")

    @app.get("/media/{session}/foreground/{index}")
    def foreground(session: str, index: int) -> Response:
        return answer(foreground_jpeg(session), "image/jpeg")

    @app.get("/stub/events")
    def events() -> list[dict[str, Any]]:
        return heard

    @app.post("/stub/late/{index}")
    def late(index: int) -> None:
        state["late"] ^= {index}

    @app.post("/stub/view")
    def patch(changes: dict[str, Any]) -> None:
        state["view"] = state["view"] | changes | {"revision": state["view"]["revision"] + 1}
        state["stage"].set_view(state["view"])

    @app.post("/stub/{method}")
    def call(method: str, arguments: dict[str, Any]) -> None:
        getattr(state["stage"], method)(**arguments)

    @ui.page("/")
    def page(session: str = "320x180x60", dark: bool = True) -> None:
        ui.dark_mode(dark)
        ui.query("body").style("margin: 0")
        ui.query(".nicegui-content").classes("p-0 gap-0")
        heard.clear()
        state["late"].clear()
        with ui.element("div").style("width: 100vw; height: 100dvh"):
            stage = Stage(
                lambda name, data: heard.append(
                    {"name": name, **({"action": data["name"]} if name == "action" else data)}
                )
            )
        state["stage"], state["view"] = stage, make_view(session)
        stage.set_options(current_object=1)
        stage.set_view(state["view"])

    ui.run(host="127.0.0.1", port=port, show=False, reload=False, show_welcome_message=False)


@contextmanager
def server() -> Iterator[str]:
    """Run the stand-in in a process of its own; yield its address."""
    port = free_port()
    hidden = ("PYTEST", "NICEGUI")  # NiceGUI takes a process with pytest's variables for a simulation
    environment = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    command = [sys.executable, "-m", "tests.browser.stage_bench", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(address, process), 40, what="the stage's stand-in server")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Tell whether the stand-in serves.

    Raises:
        RuntimeError: its process has ended.
    """
    if process.poll() is not None:
        raise RuntimeError("the stage's stand-in server did not start")
    try:
        urllib.request.urlopen(f"{address}/stub/events", timeout=2).close()
    except OSError:
        return False
    return True


STEPS = """async (count) => {
  const stage = window.__stage;
  const began = performance.now();
  for (let step = 0; step < count; step++) {
    stage.step(1);
    while (stage.shown !== stage.frame) await new Promise((next) => requestAnimationFrame(next));
  }
  return count / ((performance.now() - began) / 1000);
}"""
"""Step through frames, each drawn before the next; returns frames a second."""


def measure(address: str, session: str = "1280x720x3000", count: int = 120) -> dict[str, Any]:
    """Return frames a second of stepping in each view, uncached, and the loader's numbers after it."""
    from playwright.sync_api import sync_playwright

    rates: dict[str, Any] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/?session={session}")
        page.wait_for_function("window.__stage?.shown === 0")
        for view in ("source", "overlay", "alpha", "composite"):
            page.evaluate(f"window.__stage.run('view_{view}')")
            rates[view] = round(page.evaluate(STEPS, count), 1)
        rates |= page.evaluate("window.__stage.stats()")
        browser.close()
    return rates


def main() -> None:
    """Serve, or measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--measure", action="store_true")
    arguments = parser.parse_args()
    if not arguments.measure:
        return serve(arguments.port)
    with server() as address:
        print(json.dumps(measure(address), indent=1))
    return None


if __name__ in {"__main__", "__mp_main__"}:
    main()
