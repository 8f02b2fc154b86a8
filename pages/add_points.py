"""Many points at once: a grid over the frame or a region, or points that fill an object that is clicked on."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from engines.spec import Job
from pages.engine_form import EngineForm
from pages.texts import t
from pages.tracking_desk import TrackingDesk
from pages.widgets import action_button, heading


class AddPoints:
    """The forms for grids and objects."""

    def __init__(self, desk: TrackingDesk) -> None:
        self._desk = desk
        heading(
            t("Add points"), t("Click on the picture for single points; these fill a frame, a region or an object.")
        )
        with ui.column().classes("sm-form"):
            self._group = ui.input(t("Group of new points")).props("dense outlined maxlength=200").classes("w-full")
            with ui.row().classes("sm-param"):
                self._across = ui.number(t("Grid: points on long side"), value=12, min=1, max=70, format="%d")
                self._across.props("dense outlined").classes("grow")
                self._fill = ui.button(t("Fill the frame"), on_click=self._whole).props("flat dense no-caps")
            with ui.row().classes("sm-param"):
                self._amount = ui.number(t("Points on the object"), value=32, min=1, max=2000, format="%d")
                self._amount.props("dense outlined").classes("grow")
                self._use = ui.button(t("Fill the object"), on_click=self._object).props("flat dense no-caps")
            self._note = ui.label().classes("sm-note")
            self._forget = action_button(t("Forget the object"), "close", lambda: desk.edit("forget_object"))
        with ui.expansion(t("Engine for clicks"), icon="category").props("dense").classes("w-full sm-params"):
            EngineForm(desk, Job.SEGMENTER)
        desk.on_view(self._refresh)
        self._refresh()

    @property
    def group(self) -> str:
        """Return the group that new points belong to."""
        return str(self._group.value or "")

    async def fill_region(self, region: Sequence[float] | None, frame: int) -> None:
        """Lay a grid over a region, x0, y0, x1, y1 in pixels, of a frame, or over all of it; select its points."""
        made = await self._desk.edit("add_grid", frame, _whole(self._across.value, 12), region, self.group)
        if made:
            self._desk.select(made)

    async def _whole(self) -> None:
        await self.fill_region(None, self._desk.frame)

    async def _object(self) -> None:
        made = await self._desk.edit("fill_object", _whole(self._amount.value, 32), self.group)
        if made:
            self._desk.select(made)
            self._desk.stage.set_options(tool="select")

    def _refresh(self) -> None:
        view = self._desk.view
        has_object = bool(view and view["object"]["version"])
        self._fill.set_enabled(view is not None)
        self._use.set_enabled(has_object)
        self._forget.set_visibility(has_object)
        self._note.text = (
            t("Click more to correct it: right or Alt takes away.") if has_object else t("Object tool: click on it.")
        )


def _whole(value: float | None, otherwise: int) -> int:
    return otherwise if value is None else round(value)
