"""The page of models: which weights there are, under which terms, and their download, check and removal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from nicegui import run, ui
from starlette.requests import Request

from app_logic.model_texts import GROUPS, SETS
from app_logic.models import ModelRow, Place
from app_logic.words import bytes_text
from engines.spec import Job
from errors import SplazMatteError
from pages.frame import prepare, side_header
from pages.model_row import ModelRowView
from pages.texts import t
from pages.widgets import heading, show_error

if TYPE_CHECKING:
    from app_logic.services import Services

MODEL_TEXTS = [*(group.purpose for group in GROUPS.values()), *SETS.values()]
JOBS = {
    Job.SEGMENTER: "masks from prompts",
    Job.PROPAGATOR: "masks through the clip",
    Job.MATTER: "soft alpha",
    Job.TRACKER: "points through the clip",
}
JOB_TEXTS = list(JOBS.values())
LOOK = 0.5
"""Seconds between two looks at what has come, in this tab, in others and from the command line."""


def register(services: Services) -> None:
    """Add the page at `/models` to the app."""

    @ui.page("/models", title="SplazMatte", dark=None)
    async def models(request: Request) -> None:
        prepare(request)
        await ModelsPage(services).look()


class ModelsPage:
    """One tab."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._desk = services.models
        self._rows: dict[str, ModelRowView] = {}
        self._place_shown: Place | None = None
        with ui.element("div").classes("sm-page") as self.home:
            side_header(t("Models"), needs_password=services.needs_password)
            with ui.element("main").classes("sm-models"), ui.column().classes("sm-models-column"):
                self._place = ui.column().classes("sm-place")
                self._list = ui.column().classes("sm-list")
        ui.timer(LOOK, self.look)

    async def look(self) -> None:
        """Show what there is now."""
        found = await run.io_bound(lambda: (self._desk.rows(), self._desk.place()))
        if found is None:  # the app is ending
            return
        rows, place = found
        if place != self._place_shown:
            self._place_shown = place
            self._place.clear()
            with self._place:
                _draw_place(place)
        if not self._rows:
            with self._list:
                for group, members in groupby(rows, key=lambda row: row.entry.group):
                    self._group(group, list(members))
        for row in rows:
            self._rows[row.entry.name].show(row, place)

    async def do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run `function` in a thread, show the error it raises, if that is meant for users, and look again."""
        try:
            return await run.io_bound(function, *arguments)
        except SplazMatteError as error:
            with self.home:
                show_error(error)
        finally:
            await self.look()
        return None

    def _group(self, name: str, rows: list[ModelRow]) -> None:
        title, purpose = GROUPS[name]
        with ui.column().classes("sm-model-group"):
            heading(title)
            ui.label(t(purpose)).classes("sm-note")
            if used := _users(rows):
                ui.label(t("Used by: {engines}", engines=used)).classes("sm-note")
            else:
                ui.label(t("No engine of this version uses it yet.")).classes("sm-note")
            for row in rows:
                self._rows[row.entry.name] = ModelRowView(
                    row.entry, SETS[row.entry.name], self._desk, self.home, self.do
                )


def _users(rows: list[ModelRow]) -> str:
    used = dict.fromkeys(entry for row in rows for entry in row.engines)
    return ", ".join(f"{t(title)} ({t(JOBS[Job(job)])})" for title, job in used)


def _draw_place(place: Place) -> None:
    ui.label(t("Neural engines need weights. Nothing is downloaded unless you ask for it here or on the command line."))
    with ui.element("dl").classes("sm-facts"):
        _fact(t("Folder"), place.folder)
        room = t("{free} free; all that is missing needs {missing}", free=bytes_text(place.free),
                 missing=bytes_text(place.missing))  # fmt: skip
        _fact(t("Disk"), room)
        hub = t("{hub} (mirror, set by HF_ENDPOINT)", hub=place.hub) if place.is_mirror else place.hub
        _fact(t("Hub"), hub)
    if place.offline:
        ui.label(t("Downloads are switched off by HF_HUB_OFFLINE; unset it and start the app again.")).classes(
            "sm-warning"
        )


def _fact(name: str, value: str) -> None:
    with ui.element("dt"):
        ui.label(name).classes("sm-dim")
    with ui.element("dd"):
        ui.label(value).classes("sm-break")
