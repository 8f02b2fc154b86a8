"""The panels that start long work: propagate and matte, each with what it will take and what is stale."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from engines.spec import Job
from pages.engine_form import EngineForm
from pages.estimate import Estimate
from pages.matting_desk import MattingDesk
from pages.range_form import RangeForm
from pages.texts import t
from pages.widgets import action_button, heading

DIRECTIONS = {"both": "Both ways", "forward": "Forward", "backward": "Backward"}
DIRECTION_TEXTS = list(DIRECTIONS.values())


class PropagatePanel:
    """Masks for the whole clip from the keyframes."""

    def __init__(self, desk: MattingDesk) -> None:
        self._desk = desk
        heading(t("Propagate"), t("Carries the masks of the keyframes through the clip; only stale frames are redone."))
        EngineForm(desk, Job.PROPAGATOR)
        with ui.column().classes("sm-form"):
            ui.label(t("Direction")).classes("sm-label")
            options = {key: t(text) for key, text in DIRECTIONS.items()}
            self._direction = ui.toggle(options, value="both").props("dense no-caps spread").classes("w-full")
            self._direction.on("update:model-value", lambda: desk.edit("set_direction", self._direction.value))
            RangeForm(desk)
            self._button = action_button(t("Propagate"), "double_arrow", self._start, primary=True)
            self._note = ui.label().classes("sm-note")
        desk.on_view(self._refresh)

    def _refresh(self) -> None:
        desk = self._desk
        if desk.editor is None or desk.view is None:
            self._button.set_enabled(False)
            return
        self._direction.value = desk.editor.session.state.direction
        prompted = any(lane[2] == "keyframe" for item in desk.view["objects"] for lane in item["lane"])
        todo = _to_propagate(desk.view)
        self._button.set_enabled(prompted)
        self._button.text, self._note.text = _words(todo, prompted=prompted)

    async def _start(self) -> None:
        await self._desk.do(self._desk.work.propagate, self._desk.session_id)


class MattePanel:
    """Alpha for the whole clip from the masks, or for this frame to see what it will be like."""

    def __init__(self, desk: MattingDesk) -> None:
        self._desk = desk
        heading(t("Matte"), t("Turns the masks into soft alpha. What is stale before it, masks too, is redone first."))
        EngineForm(desk, Job.MATTER)
        with ui.column().classes("sm-form"):
            self._frame = action_button(t("Matte this frame (M)"), "filter_center_focus", self.matte_frame)
            self._button = action_button(t("Matte the clip"), "auto_awesome", self._start, primary=True)
            Estimate(desk, "matte", has_prompts)
        desk.on_view(self._refresh)

    def _refresh(self) -> None:
        ready = bool(self._desk.view and self._desk.view["objects"])
        self._button.set_enabled(ready)
        self._frame.set_enabled(ready)

    async def matte_frame(self) -> None:
        """Show the alpha of the frame that is looked at."""
        frame = self._desk.frame
        self._frame.props("loading")
        try:
            made = await self._desk.edit("preview", frame)
        finally:
            self._frame.props(remove="loading")
        if made and frame == self._desk.frame:  # else an error is shown, or the user looks at something else by now
            self._desk.stage.set_options(view="alpha")

    async def _start(self) -> None:
        await self._desk.do(self._desk.work.matte, self._desk.session_id)


def _words(todo: int, *, prompted: bool) -> tuple[str, str]:
    """Return what the button says, and what stands below it."""
    if not prompted:
        return t("Propagate"), t("Give at least one keyframe first: click on the object.")
    if todo == 1:
        return t("Propagate 1 frame"), t("1 frame has no current mask.")
    if todo:
        return t("Propagate {count} frames", count=todo), t("{count} frames have no current mask.", count=todo)
    return t("Propagate"), t("All is up to date.")


def _to_propagate(view: dict[str, Any]) -> int:
    """Return how many frames of the range have an object without a current mask, as far as the lanes tell."""
    start, stop = view["range"] or (0, view["frames"])
    missing: set[int] = set()
    for item in view["objects"]:
        current = {
            index
            for first, last, kind, _ in item["lane"]
            if kind != "stale"
            for index in range(max(first, start), min(last, stop))
        }
        if item["lane"]:
            missing |= set(range(start, stop)) - current
    return len(missing)


def has_prompts(view: dict[str, Any]) -> bool:
    """Tell whether a session has anything to make masks of."""
    return any(item["lane"] or item["prompts"] for item in view["objects"])
