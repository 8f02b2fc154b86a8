"""Upload of videos and projects: a button, and a page that takes what is dropped anywhere; files are streamed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from pages.texts import say, t

if TYPE_CHECKING:
    from pages.desk import Desk

UPLOAD_TEXTS = [
    "Upload video or project",
    "Drop the video or project to upload it",
    "Stop the upload",
    "The upload was cut off; try again.",
    "checking …",
    "Project {project} needs its video: {name} ({size})",
    "Choose it …",
    "Do without the project",
]


class Upload(Element, component="static/video_upload.js"):
    """The upload button with a row for each file under way."""

    def __init__(self, done: Callable[[dict[str, Any]], Awaitable[None]], desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._props["kind"] = desk.side.kind
        self._props["texts"] = {text: t(text) for text in UPLOAD_TEXTS}
        self.on("uploaded", lambda event: done(dict(event.args)))
        self.on("refused", self._refused)

    def _refused(self, event: GenericEventArguments) -> None:
        message = str(event.args["error"])
        with self._desk.home:
            ui.notify(say(t(message)), type="negative", position="top", timeout=12_000, close_button=t("Close"))
