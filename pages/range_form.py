"""First and last frame of what is made, for every kind of session."""

from __future__ import annotations

from nicegui import ui

from pages.desk import Desk
from pages.texts import t


class RangeForm:
    """First and last frame of what is made, as on the timeline."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        with ui.row().classes("sm-param"):
            self._first = self._field(t("First frame"))
            self._last = self._field(t("Last frame"))
            ui.button(t("All"), on_click=lambda: desk.edit("set_range", None)).props("flat dense no-caps")
        desk.on_view(self._refresh)

    def _field(self, label: str) -> ui.number:
        field = ui.number(label, min=0, format="%d").props("dense outlined").classes("grow")
        field.on("change", self._change)
        return field

    def _refresh(self) -> None:
        view = self._desk.view
        if view:
            start, stop = view["range"] or (0, view["frames"])
            self._first.value, self._last.value = start, stop - 1

    async def _change(self) -> None:
        view = self._desk.view
        if view is None:
            return
        if self._first.value is None or self._last.value is None:  # cleared: what holds comes back
            self._refresh()
            return
        start = min(max(int(self._first.value), 0), view["frames"] - 1)
        stop = min(max(int(self._last.value), start), view["frames"] - 1) + 1
        whole = (start, stop) == (0, view["frames"])
        await (self._desk.edit("set_range", None) if whole else self._desk.edit("set_range", start, stop))
