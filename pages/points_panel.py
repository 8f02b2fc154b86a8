"""The points of the session: select, name, colour, group, hide, cut, delete; and many points at once."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from pages.add_points import AddPoints
from pages.texts import t
from pages.tracking_desk import TrackingDesk
from pages.widgets import ask_text, icon_button

STATES = {"new": "new", "tracked": "tracked", "stale": "changed"}
POINT_STATE_TEXTS = list(STATES.values())
HIDDEN, CUT = "hidden", "cut"
POINT_MARK_TEXTS = [HIDDEN, CUT]
SWATCH = """
<q-td :props="props">
  <span class="sm-swatch" :style="{background: props.row.colour, opacity: props.row.hidden ? .3 : 1}"></span>
</q-td>"""
_VALUE = "(event) => emit(event.target.value)"


class PointsPanel:
    """The list of points, and the forms that add many."""

    def __init__(self, desk: TrackingDesk) -> None:
        self._desk = desk
        self._shown: object = None
        with ui.row().classes("sm-heading"):
            self._title = ui.label(t("Points"))
            ui.space()
            self._buttons()
        self._table()
        self._note = ui.label(t("Click on the picture: that makes the first point.")).classes("sm-note")
        self.adding = AddPoints(desk)
        desk.on_view(self._refresh)
        desk.on_frame(self._mark)

    def _buttons(self) -> None:
        colour = ui.element("input").props("type=color value=#e6492d").classes("sm-colour")
        colour.props["aria-label"] = t("Colour of the selected points")
        colour.on("change", lambda event: self._edit("recolour_points", event.args), js_handler=_VALUE)
        rename = icon_button("edit", t("Rename the selected point"), self._rename)
        group = icon_button("workspaces", t("Group of the selected points"), self._regroup)
        uncut = icon_button("content_paste_go", t("Take cuts of the selected tracks back"), self._uncut)
        every = icon_button("select_all", t("Select all points (Ctrl+A)"), self._all)
        self._needs = [rename, group, uncut]
        self._every = every

    def _table(self) -> None:
        columns: list[dict[Any, Any]] = [
            {"name": "colour", "label": "", "field": "colour", "align": "left"},
            {"name": "name", "label": t("Name"), "field": "name", "align": "left", "sortable": True},
            {"name": "group", "label": t("Group"), "field": "group", "align": "left", "sortable": True},
            {"name": "state", "label": t("State"), "field": "state", "align": "left", "sortable": True},
        ]
        self._list = ui.table(columns=columns, rows=[], row_key="id", selection="multiple", on_select=self._select)
        self._list.props('dense flat virtual-scroll hide-bottom :rows-per-page-options="[0]"')
        self._list.props["no-data-label"] = t("No points yet")
        self._list.classes("sm-pointlist").add_slot("body-cell-colour", SWATCH)
        self._list.on("row-click", lambda event: self._desk.select([int(event.args[1]["id"])]))

    def _refresh(self) -> None:
        points = self._desk.points
        shown = (self._desk.session_id, points)
        if shown != self._shown:
            self._shown = shown
            self._list.rows = [self._row(point) for point in points]
            self._list.set_visibility(bool(points))
            self._note.set_visibility(not points and self._desk.view is not None)
        self._title.text = t("Points: {count}", count=len(points)) if points else t("Points")
        self._mark()

    def _row(self, point: dict[str, Any]) -> dict[str, Any]:
        marks = [t(STATES[point["state"]])]
        marks += [t(HIDDEN)] if point["hidden"] else []
        marks += [t(CUT)] if point["cuts"] else []
        about = {key: point[key] for key in ("id", "name", "group", "colour", "hidden")}
        return about | {"state": " · ".join(marks)}

    def _mark(self) -> None:
        selected = set(self._desk.selected)
        rows = [row for row in self._list.rows if row["id"] in selected]
        if rows != self._list.selected:
            self._list.selected = rows
        for button in self._needs:
            button.set_enabled(bool(selected))
        self._every.set_enabled(bool(self._list.rows))

    def _select(self, event: Any) -> None:
        self._desk.select([int(row["id"]) for row in event.sender.selected])

    def _all(self) -> None:
        self._desk.select([point["id"] for point in self._desk.points])

    async def _edit(self, name: str, *arguments: Any) -> None:
        if self._desk.selected:
            await self._desk.edit(name, list(self._desk.selected), *arguments)

    async def _uncut(self) -> None:
        await self._edit("clear_cuts")

    async def _rename(self) -> None:
        point = self._first()
        if point is None:
            return
        with self._desk.home:
            name = await ask_text(t("Rename the point"), point["name"], t("Rename"), t("Cancel"))
        if name and name.strip():
            await self._desk.edit("rename_point", point["id"], name)

    async def _regroup(self) -> None:
        point = self._first()
        if point is None:
            return
        with self._desk.home:
            group = await ask_text(t("Group of the selected points"), point["group"], t("Use"), t("Cancel"))
        if group is not None:
            await self._edit("set_group", group)

    def _first(self) -> dict[str, Any] | None:
        return next((point for point in self._desk.points if point["id"] in self._desk.selected), None)
