"""The tools of the tracking page: points, selection, grids, objects; and what keys do to the selected points."""

from __future__ import annotations

from typing import Any

from engines.registry import get_spec
from engines.spec import Job, PromptKind
from pages.add_points import AddPoints
from pages.texts import t
from pages.tool_bar import ToolBar
from pages.tracking_desk import TrackingDesk
from pages.widgets import icon_button

TOOLS = {
    "point": ("add_circle", "Points: click adds, drag moves (V)"),
    "select": ("highlight_alt", "Select: drag around points (S)"),
    "region": ("grid_on", "Grid: drag a region to fill it with points (G)"),
    "object": ("category", "Object: click on it to fill it with points (M)"),
    "pan": ("pan_tool", "Move the picture (H)"),
}
TOOL_TEXTS = [text for _, text in TOOLS.values()]


class TrackTools(ToolBar):
    """The tools of the tracking page."""

    def __init__(self, desk: TrackingDesk) -> None:
        self._desk = desk
        self.adding: AddPoints | None = None
        """How many points a region or an object gets: its form is in a panel."""
        super().__init__(desk, TOOLS)
        desk.on_view(self._refresh)
        desk.on_frame(self._refresh)

    def more(self) -> None:
        """Draw what is done to the selected points."""
        self._hide = icon_button("visibility_off", t("Hide or show the selected points (Y)"), self.hide)
        self._before = icon_button("first_page", t("Cut the selected tracks before this frame (J)"), self.cut_before)
        self._after = icon_button("last_page", t("Cut the selected tracks from this frame on (K)"), self.cut_after)
        self._key = icon_button("backspace", t("Delete the correction on this frame (Shift+Delete)"), self.delete_key)
        self._delete = icon_button("delete", t("Delete the selected points (Delete)"), self.delete)

    async def event(self, name: str, data: dict[str, Any]) -> None:
        """Take what was done on the picture."""
        desk, frame = self._desk, int(data.get("frame", 0))
        if name == "click":
            group = self.adding.group if self.adding else ""
            made = await desk.edit("add_point", frame, float(data["x"]), float(data["y"]), group)
            if made is not None:
                desk.select([made])
        elif name == "move":
            await desk.edit("move_point", int(data["point"]), frame, float(data["x"]), float(data["y"]))
        elif name == "corner":
            place = float(data["x"]), float(data["y"])
            await desk.edit("move_corner", int(data["motion"]), int(data["corner"]), *place)
        elif name == "region" and self.adding:
            await self.adding.fill_region([float(data[key]) for key in ("x0", "y0", "x1", "y1")], frame)
        elif name == "object":
            place = float(data["x"]), float(data["y"])
            await desk.edit("click_object", frame, *place, bool(data["positive"]))
        elif name == "forget":
            await desk.edit("forget_object")

    async def delete(self) -> None:
        """Delete the selected points."""
        if self._desk.selected:
            await self._desk.edit("remove_points", list(self._desk.selected))

    async def delete_key(self) -> None:
        """Take the correction of the selected point on this frame back."""
        for point_id in self._desk.selected[:1]:
            await self._desk.edit("remove_key", point_id, self._desk.frame)

    async def hide(self) -> None:
        """Hide the selected points, or show them where all are hidden."""
        chosen = self._chosen()
        if chosen:
            hidden = not all(point["hidden"] for point in chosen)
            await self._desk.edit("set_hidden", list(self._desk.selected), hidden)

    async def cut_after(self) -> None:
        """Let the selected tracks end before this frame."""
        if self._desk.view and self._desk.selected:
            await self._desk.edit("cut", list(self._desk.selected), self._desk.frame, self._desk.view["frames"])

    async def cut_before(self) -> None:
        """Let the selected tracks begin on this frame."""
        if self._desk.selected:
            await self._desk.edit("cut", list(self._desk.selected), 0, self._desk.frame)

    def _chosen(self) -> list[dict[str, Any]]:
        return [point for point in self._desk.points if point["id"] in self._desk.selected]

    def _refresh(self) -> None:
        desk, chosen = self._desk, self._chosen()
        for button in (self._hide, self._before, self._after, self._delete):
            button.set_enabled(bool(chosen))
        keys = chosen[0]["keys"] if len(chosen) == 1 else []
        self._key.set_enabled(len(keys) > 1 and any(frame == desk.frame for frame, _, _ in keys))
        if desk.editor is not None:
            spec = get_spec(Job.SEGMENTER, desk.editor.session.state.segmenter.name)
            self.buttons["object"].set_enabled(PromptKind.POINTS in spec.prompts)
        self.show(str(desk.stage.options["tool"]))
