"""Motion from tracks: a steady point, position with rotation and scale, a corner pin; followed or taken out."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from nicegui import run, ui

from app_logic.track_view import motion_values
from errors import SplazMatteError
from pages.slider_form import SliderRow, Sliders
from pages.texts import say, t
from pages.tracking_desk import TrackingDesk
from pages.widgets import action_button, ask_text, heading, icon_button, name_button

KINDS = {
    "steady": ("adjust", "Steady point"),
    "similarity": ("rotate_right", "Position, rotation, scale"),
    "corner-pin": ("crop_rotate", "Corner pin"),
}
KIND_TEXTS = [text for _, text in KINDS.values()]
SMOOTH = (SliderRow("smooth", "Keep movement", 0, 120, "frames"),)
SMOOTH_TEXTS = [row.text for row in SMOOTH]


class MotionPanel:
    """The motions of the session, each with its residual; the shown one's settings."""

    def __init__(self, desk: TrackingDesk) -> None:
        self._desk = desk
        self._shown: object = None
        self._labels: dict[int, ui.label] = {}
        self._solved: dict[int, str] = {}
        heading(t("Motion"), t("Solved from the selected points, or from all; every export carries what it can of it."))
        with ui.column().classes("sm-form"):
            for kind, (icon, text) in KINDS.items():
                action_button(t(text), icon, partial(self._add, kind))
        self._list = ui.column().classes("sm-list")
        with ui.column().classes("sm-form") as self._form:
            self._stabilise = ui.switch(t("Stabilise: take the motion out")).props("dense")
            self._stabilise.on("update:model-value", lambda: self._set(stabilises=bool(self._stabilise.value)))
            with ui.column().classes("sm-form") as self._smooth:
                self._sliders = Sliders(SMOOTH, self._slide)
            with ui.row().classes("sm-param"):
                self._reference = ui.label().classes("sm-note grow")
                ui.button(t("This frame"), on_click=self._refer).props("flat dense no-caps").classes("sm-nowrap")
            action_button(t("Use the selected points"), "done_all", self._use)
            self._hint = ui.label(t("Drag the corners on the reference frame; they may leave the picture."))
            self._hint.classes("sm-note")
        desk.on_view(self._refresh)
        desk.on_frame(self._refresh)
        self._refresh()

    @property
    def _motions(self) -> list[dict[str, Any]]:
        return list(self._desk.view["motions"]) if self._desk.view else []

    @property
    def _current(self) -> dict[str, Any] | None:
        return next((motion for motion in self._motions if motion["id"] == self._desk.motion_id), None)

    def _refresh(self) -> None:
        current = self._current
        shown = ([(m["id"], m["name"], m["version"]) for m in self._motions], self._desk.motion_id)
        if shown != self._shown:
            self._shown = shown
            self._draw()
            ui.timer(0, self._solve, once=True)
        self._form.set_visibility(current is not None)
        if current is not None and self._desk.editor is not None:
            motions = self._desk.editor.session.state.motions
            choice = next((motion for motion in motions if motion.id == current["id"]), None)
            if choice is None:  # taken back since the view was made
                return
            self._stabilise.value = choice.stabilises
            self._smooth.set_visibility(choice.stabilises)
            self._sliders.show(choice)
            self._hint.set_visibility(choice.kind == "corner-pin")
            frame = choice.reference
            self._reference.text = (
                t("Reference: the frame with the most points")
                if frame is None
                else t("Reference: frame {frame}", frame=frame)
            )

    def _draw(self) -> None:
        self._list.clear()
        self._labels = {}
        with self._list:
            if self._desk.view is not None and not self._motions:
                ui.label(t("No motion yet.")).classes("sm-note")
            for motion in self._motions:
                self._row(motion)

    def _row(self, motion: dict[str, Any]) -> None:
        chosen = motion["id"] == self._desk.motion_id
        with ui.row().classes("sm-row" + (" sm-chosen" if chosen else "")):
            ui.icon(KINDS[motion["kind"]][0])
            show = name_button(motion["name"], lambda: self._desk.show_motion(0 if chosen else motion["id"]))
            show.props["aria-pressed"] = "true" if chosen else "false"
            icon_button("edit", t("Rename {name}", name=motion["name"]), lambda: self._rename(motion))
            icon_button(
                "delete",
                t("Delete {name}", name=motion["name"]),
                lambda: self._desk.edit("remove_motion", motion["id"]),
            )
            label = ui.label(self._solved.get(motion["id"], "")).classes("sm-note sm-residual")
            label.props["role"] = "status"
        self._labels[motion["id"]] = label

    async def _solve(self) -> None:
        """Tell of each motion how well it fits, or why it cannot be solved."""
        editor = self._desk.editor
        for motion in self._motions if editor else ():
            try:
                found = await run.io_bound(editor.motion, motion["id"])
                text = _residual(motion_values(found[1])) if found else ""
            except SplazMatteError as error:
                text = say(str(error))
            self._solved[motion["id"]] = text
            if motion["id"] in self._labels:
                self._labels[motion["id"]].text = text

    async def _add(self, kind: str) -> None:
        text = t(KINDS[kind][1])
        made = await self._desk.edit("add_motion", kind, list(self._desk.selected), text)
        if made is not None:
            self._desk.show_motion(made)

    async def _set(self, *, final: bool = True, **fields: Any) -> None:
        if self._desk.motion_id:
            await self._desk.edit("set_motion", self._desk.motion_id, final=final, **fields)

    async def _slide(self, field: str, value: float, final: bool) -> None:
        await self._set(final=final, **{field: value})

    async def _refer(self) -> None:
        await self._set(reference=self._desk.frame)

    async def _use(self) -> None:
        await self._set(points=list(self._desk.selected))

    async def _rename(self, motion: dict[str, Any]) -> None:
        with self._desk.home:
            name = await ask_text(t("Rename the motion"), motion["name"], t("Rename"), t("Cancel"))
        if name and name.strip():
            await self._desk.edit("rename_motion", motion["id"], name)


def _residual(values: dict[str, Any]) -> str:
    if values["mean"] is None:
        return t("No frame is solved.")
    text = t("Residual {mean} px, at most {worst} px; {solved} of {frames} frames", **{
        key: f"{values[key]:.2f}" if isinstance(values[key], float | np.floating) else values[key]
        for key in ("mean", "worst", "solved", "frames")
    })  # fmt: skip
    return f"{text} · {say(values['note'])}" if values["note"] else text
