"""Mask operations of the chosen object: sliders whose effect is seen at once and that can always be taken back."""

from __future__ import annotations

from typing import Any, NamedTuple

from nicegui import ui

from pages.desk import Desk
from pages.texts import t
from pages.widgets import icon_button


class Operation(NamedTuple):
    """One slider: the field of MaskOperations, its text, its range and its unit."""

    field: str
    text: str
    low: int
    high: int
    unit: str


OPERATIONS = (
    Operation("grow", "Grow or shrink", -50, 50, "px"),
    Operation("feather", "Feather", 0, 50, "px"),
    Operation("smooth", "Smooth", 0, 30, "px"),
    Operation("remove_specks", "Remove specks", 0, 2000, "px²"),
)
OPERATION_TEXTS = [operation.text for operation in OPERATIONS]


class OperationsForm:
    """The sliders; they follow the chosen object."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sliders: dict[str, ui.slider] = {}
        self._values: dict[str, ui.label] = {}
        self._held = False
        with ui.column().classes("sm-form") as self._box:
            for operation in OPERATIONS:
                self._slider(operation)
            with ui.row().classes("sm-param"):
                self._holes = ui.switch(t("Fill holes")).props("dense")
                self._holes.on("update:model-value", lambda: self._set("fill_holes", bool(self._holes.value), True))
                ui.space()
                icon_button("restart_alt", t("Reset the mask operations"), self._reset)
        desk.on_view(self._refresh)
        desk.on_frame(self._refresh)
        self._refresh()

    def _slider(self, operation: Operation) -> None:
        with ui.row().classes("sm-param"):
            ui.label(t(operation.text)).classes("sm-label")
            slider = ui.slider(min=operation.low, max=operation.high, step=1, value=0).props("dense").classes("grow")
            slider.props["aria-label"] = t(operation.text)
            value = ui.label().classes("sm-value")
        # No trailing events: one that comes after `change` would bring back what an undo has taken away meanwhile.
        slider.on(
            "update:model-value",
            lambda event: self._drag(operation.field, event.args),
            throttle=0.12,
            trailing_events=False,
        )
        slider.on("change", lambda event: self._drop(operation.field, event.args))
        self._sliders[operation.field], self._values[operation.field] = slider, value

    def _refresh(self) -> None:
        current = self._current()
        self._box.set_enabled(current is not None) if hasattr(self._box, "set_enabled") else None
        self._box.set_visibility(current is not None)
        if current is None or self._held:
            return
        for operation in OPERATIONS:
            amount = getattr(current, operation.field) or 0
            self._sliders[operation.field].value = amount
            self._values[operation.field].text = f"{amount:g} {operation.unit}"
        self._holes.value = bool(current.fill_holes)

    def _current(self) -> Any:
        if self._desk.editor is None:
            return None
        objects = self._desk.editor.session.state.objects
        return next((item.operations for item in objects if item.id == self._desk.object_id), None)

    async def _drag(self, field: str, value: float) -> None:
        self._held = True
        self._values[field].text = f"{value:g}"
        await self._set(field, value, False)

    async def _drop(self, field: str, value: float) -> None:
        self._held = False
        await self._set(field, value, True)

    async def _set(self, field: str, value: Any, final: bool) -> None:
        await self._desk.edit("set_operations", self._desk.object_id, final=final, **{field: value})

    async def _reset(self) -> None:
        blank = {operation.field: 0 for operation in OPERATIONS}
        await self._desk.edit("set_operations", self._desk.object_id, fill_holes=False, **blank)
