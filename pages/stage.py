"""The stage: the big picture, its transport and its timeline, as one element that lives in the browser.

Frames, playback, zoom, views and wipe never need the socket; Python sends what the session is (`set_view`) and hears
what the user did (`on_event`). The browser's side is in `static/`, one module per concern.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui import app, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from pages.stage_kinds import MATTING, StageKind

STATIC = Path(__file__).resolve().parent / "static"


def _static_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


STATIC_URL = f"/static/stage/{_static_digest()}"
"""Where the browser's modules lie; it changes with them, so that no cache mixes two versions."""


def serve_static() -> None:
    """Serve the browser's modules, once; a stage does it by itself."""
    if not any(getattr(route, "path", "") == STATIC_URL for route in app.routes):
        app.add_static_files(STATIC_URL, STATIC, max_cache_age=31_536_000)
        app.routes.insert(0, app.routes.pop())  # before any wider '/static' that would answer 404


class Stage(Element, component="static/stage.js"):
    """Show a session's pictures and report what the user does on them.

    Args:
        on_event: called with an event's name and data (may be a coroutine function): click {frame, x, y, positive},
            box {frame, x0, y0, x1, y1}, stroke {frame, points, radius, positive}, frame {frame}, range {start, stop},
            action {name}, options {what changed}; of tracking move {point, frame, x, y}, region and select as box,
            object as click, corner {motion, corner, x, y}. Coordinates are source pixels, (0, 0) centre of the
            top-left pixel.
        texts: shown text by English text, for the kind's texts; what is missing is shown in English.
        kind: of the sessions it shows.
    """

    def __init__(
        self,
        on_event: Callable[[str, dict[str, Any]], Any],
        texts: dict[str, str] | None = None,
        kind: StageKind = MATTING,
    ) -> None:
        super().__init__()
        serve_static()
        ui.add_head_html(f'<link rel="stylesheet" href="{STATIC_URL}/stage.css">')
        self._on_event = on_event
        self._view: dict[str, Any] | None = None
        self._options = dict(kind.options)
        self._ready = False
        self._frame: int | None = None
        self._props["texts"] = dict(texts or {})
        self._props["base"] = STATIC_URL
        self._props["kind"] = kind.name
        self._props["keys"] = [list(row[:2]) for row in kind.keys]
        self._props["server"] = list(kind.server)
        self.on("stage", self._hear)
        self.on("ready", self._start)

    @property
    def options(self) -> dict[str, Any]:
        """Return the options as the browser last had them."""
        return dict(self._options)

    @property
    def frame(self) -> int:
        """Return the frame that the user last rested on."""
        return self._frame or 0

    def set_view(self, view: dict[str, Any] | None) -> None:
        """Show a SessionView, or nothing; sent only if its session or revision changed."""
        if _revision(view) == _revision(self._view):
            return
        if view is None or self._view is None or view["id"] != self._view["id"]:
            self._frame = None
        self._view = view
        self._send("setView", view)

    def set_options(self, **options: Any) -> None:
        """Change options (see the kind's); sent only if one changed.

        Raises:
            KeyError: an option that there is not.
        """
        changed = {name: value for name, value in options.items() if self._options[name] != value}
        self._options |= changed
        if changed:
            self._send("setOptions", changed)

    def goto(self, frame: int) -> None:
        """Go to a frame, counted from 0."""
        self._frame = frame
        self._send("goto", frame)

    def run(self, action: str) -> None:
        """Do a browser's action of the kind's keys (play, fit, …), as if its key was pressed."""
        self._send("run", action)

    def _send(self, method: str, value: object) -> None:
        if self._ready:  # before that, `_start` sends all of it
            self.run_method(method, value)

    def _start(self) -> None:
        self._ready = True
        self._send("setOptions", self._options)
        self._send("setView", self._view)
        if self._frame is not None:
            self._send("goto", self._frame)

    def _hear(self, event: GenericEventArguments) -> Any:
        name, data = str(event.args["name"]), dict(event.args["data"])
        if name == "options":
            data = {key: value for key, value in data.items() if key in self._options}
            self._options |= data
        elif name == "frame":
            self._frame = int(data["frame"])
        return self._on_event(name, data)


def _revision(view: dict[str, Any] | None) -> tuple[str, int] | None:
    return None if view is None else (str(view["id"]), int(view["revision"]))
