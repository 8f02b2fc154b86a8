"""Track: engine, directions and range, run; and what is done to the tracks where they are shown and exported."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from engines.spec import Job
from pages.engine_form import EngineForm
from pages.estimate import Estimate
from pages.range_form import RangeForm
from pages.slider_form import SliderRow, Sliders
from pages.texts import t
from pages.tracking_desk import TrackingDesk
from pages.widgets import action_button, heading, icon_button

DIRECTIONS = {"both": "Both ways", "forward": "Forward"}
TRACK_DIRECTION_TEXTS = list(DIRECTIONS.values())
REFINEMENT = (
    SliderRow("reject", "Reject jumps", 0, 20, "px", 0.5),
    SliderRow("fill", "Fill gaps", 0, 100, "frames"),
    SliderRow("smooth", "Smooth", 0, 20, "frames", 0.5),
)
REFINEMENT_TEXTS = [row.text for row in REFINEMENT] + ["frames"]


class TrackPanel:
    """Tracks for the points that are new or have changed."""

    def __init__(self, desk: TrackingDesk) -> None:
        self._desk = desk
        heading(t("Track"), t("Only points that are new or have changed are tracked; all others keep their tracks."))
        EngineForm(desk, Job.TRACKER)
        with ui.column().classes("sm-form"):
            options = {key: t(text) for key, text in DIRECTIONS.items()}
            self._direction = ui.toggle(options, value="both").props("dense no-caps spread").classes("w-full")
            self._direction.on("update:model-value", lambda: desk.edit("set_direction", self._direction.value))
            RangeForm(desk)
            self._button = action_button(t("Track"), "timeline", self.start, primary=True)
            self._note = ui.label().classes("sm-note")
            Estimate(desk, "track", has_points)
        with ui.row().classes("sm-heading"):
            ui.label(t("Refinement"))
            ui.space()
            icon_button("restart_alt", t("Reset the refinement"), self._reset)
        ui.label(t("Acts at once on what is shown and exported; the raw tracks stay as they are.")).classes("sm-note")
        with ui.column().classes("sm-form") as self._form:
            self._sliders = Sliders(REFINEMENT, self._refine)
        desk.on_view(self._refresh)
        self._refresh()

    async def start(self) -> None:
        """Track what is new or has changed."""
        await self._desk.do(self._desk.work.track, self._desk.session_id)

    def _refresh(self) -> None:
        desk = self._desk
        points = desk.points
        todo = sum(point["state"] != "tracked" for point in points)
        self._button.set_enabled(bool(points))
        self._button.text = t("Track {count} points", count=todo) if todo else t("Track")
        self._note.set_visibility(not points or todo > 0)  # else the estimate says that all is up to date
        if not points:
            self._note.text = t("Add at least one point first: click on the picture.")
        else:
            self._note.text = t("{count} points have no current track.", count=todo)
        self._form.set_visibility(desk.editor is not None)
        if desk.editor is not None:
            self._direction.value = desk.editor.session.state.direction
            self._sliders.show(desk.editor.session.state.refinement)

    async def _refine(self, field: str, value: float, final: bool) -> None:
        await self._desk.edit("set_refinement", final=final, **{field: int(value) if field == "fill" else value})

    async def _reset(self) -> None:
        await self._desk.edit("set_refinement", reject=0, fill=0, smooth=0)


def has_points(view: dict[str, Any]) -> bool:
    """Tell whether a session has anything to track."""
    return bool(view["points"])
