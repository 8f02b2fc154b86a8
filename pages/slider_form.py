"""Sliders whose effect is seen while they are dragged; all of a drag is one step of undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from nicegui import ui

from pages.texts import t


class SliderRow(NamedTuple):
    """One slider: the field of a model, its text, its range, its unit and its step."""

    field: str
    text: str
    low: float
    high: float
    unit: str
    step: float = 1


class Sliders:
    """A column of sliders.

    Args:
        rows: top down.
        change: called with field, value, and whether the drag has ended.
    """

    def __init__(self, rows: Sequence[SliderRow], change: Callable[[str, float, bool], Awaitable[Any]]) -> None:
        self._rows = rows
        self._change = change
        self._sliders: dict[str, ui.slider] = {}
        self._values: dict[str, ui.label] = {}
        self._held = False
        for row in rows:
            self._draw(row)

    def show(self, current: Any) -> None:
        """Show the fields of `current`, unless one is being dragged."""
        if self._held:
            return
        for row in self._rows:
            amount = getattr(current, row.field) or 0
            self._sliders[row.field].value = amount
            self._values[row.field].text = f"{amount:g} {t(row.unit) if row.unit else ''}".strip()

    def _draw(self, row: SliderRow) -> None:
        with ui.row().classes("sm-param"):
            ui.label(t(row.text)).classes("sm-label")
            slider = ui.slider(min=row.low, max=row.high, step=row.step, value=0).props("dense").classes("grow")
            slider.props["aria-label"] = t(row.text)
            value = ui.label().classes("sm-value")
        # No trailing events: one that comes after `change` would bring back what an undo has taken away meanwhile.
        slider.on(
            "update:model-value",
            lambda event: self._drag(row.field, event.args),
            throttle=0.12,
            trailing_events=False,
        )
        slider.on("change", lambda event: self._drop(row.field, event.args))
        self._sliders[row.field], self._values[row.field] = slider, value

    async def _drag(self, field: str, value: float) -> None:
        self._held = True
        self._values[field].text = f"{value:g}"
        await self._change(field, value, False)

    async def _drop(self, field: str, value: float) -> None:
        self._held = False
        await self._change(field, value, True)
