"""Mask operations of the chosen object: sliders whose effect is seen at once and that can always be taken back."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from pages.matting_desk import MattingDesk
from pages.slider_form import SliderRow, Sliders
from pages.texts import t
from pages.widgets import icon_button

OPERATIONS = (
    SliderRow("grow", "Grow or shrink", -50, 50, "px"),
    SliderRow("feather", "Feather", 0, 50, "px"),
    SliderRow("smooth", "Smooth", 0, 30, "px"),
    SliderRow("remove_specks", "Remove specks", 0, 2000, "px²"),
)
OPERATION_TEXTS = [operation.text for operation in OPERATIONS]


class OperationsForm:
    """The sliders; they follow the chosen object."""

    def __init__(self, desk: MattingDesk) -> None:
        self._desk = desk
        with ui.column().classes("sm-form") as self._box:
            self._sliders = Sliders(OPERATIONS, self._set)
            with ui.row().classes("sm-param"):
                self._holes = ui.switch(t("Fill holes")).props("dense")
                self._holes.on("update:model-value", lambda: self._set("fill_holes", bool(self._holes.value), True))
                ui.space()
                icon_button("restart_alt", t("Reset the mask operations"), self._reset)
        desk.on_view(self._refresh)
        desk.on_frame(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        current = self._current()
        self._box.set_visibility(current is not None)
        if current is None:
            return
        self._sliders.show(current)
        self._holes.value = bool(current.fill_holes)

    def _current(self) -> Any:
        if self._desk.editor is None:
            return None
        objects = self._desk.editor.session.state.objects
        return next((item.operations for item in objects if item.id == self._desk.object_id), None)

    async def _set(self, field: str, value: Any, final: bool) -> None:
        await self._desk.edit("set_operations", self._desk.object_id, final=final, **{field: value})

    async def _reset(self) -> None:
        blank = {operation.field: 0 for operation in OPERATIONS}
        await self._desk.edit("set_operations", self._desk.object_id, fill_holes=False, **blank)
