"""The objects of the session: choose, name, colour, show, merge, delete; and what is done to their masks."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from engines.spec import Job
from pages.engine_form import EngineForm
from pages.matting_desk import MattingDesk
from pages.operations_form import OperationsForm
from pages.texts import t
from pages.widgets import ask_text, heading, icon_button, more_menu, name_button


class ObjectsPanel:
    """The list of objects, the chosen one's mask operations, and the engine that clicks go to."""

    def __init__(self, desk: MattingDesk) -> None:
        self._desk = desk
        self._shown: object = None
        with ui.row().classes("sm-heading"):
            ui.label(t("Objects"))
            ui.space()
            self._new = icon_button("add", t("New object (N)"), self._add)
        self._list = ui.column().classes("sm-list")
        heading(t("Mask operations"), t("They change what is shown and matted, never the masks themselves."))
        OperationsForm(desk)
        heading(t("Engine for clicks"))
        EngineForm(desk, Job.SEGMENTER)
        desk.on_view(self._refresh)
        desk.on_frame(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        view = self._desk.view
        self._new.set_enabled(view is not None)
        objects = view["objects"] if view else []
        shown = [(o["id"], o["name"], o["colour"], o["visible"], o["opacity"]) for o in objects]
        if (shown, self._desk.object_id, self._desk.session_id) == self._shown:
            return
        self._shown = (shown, self._desk.object_id, self._desk.session_id)
        self._list.clear()
        with self._list:
            if view and not objects:
                ui.label(t("Click on what you want to cut out: that makes the first object.")).classes("sm-note")
            for item in objects:
                self._row(item, objects)

    def _row(self, item: dict[str, Any], objects: list[dict[str, Any]]) -> None:
        chosen = item["id"] == self._desk.object_id
        row = ui.row().classes("sm-row" + (" sm-chosen" if chosen else ""))
        with row:
            colour = ui.element("input").props(f"type=color value={item['colour']}").classes("sm-colour")
            colour.props["aria-label"] = t("Colour of {name}", name=item["name"])
            colour.on("change", lambda event: self._recolour(item, event.args), js_handler=_VALUE)
            name = name_button(item["name"], lambda: self._desk.choose_object(item["id"]))
            name.props["aria-pressed"] = "true" if chosen else "false"
            shown = item["visible"]
            icon_button(
                "visibility" if shown else "visibility_off",
                t("Hide {name}", name=item["name"]) if shown else t("Show {name}", name=item["name"]),
                lambda: self._desk.edit("set_visible", item["id"], not shown),
            )
            self._menu(item, objects)

    def _menu(self, item: dict[str, Any], objects: list[dict[str, Any]]) -> None:
        with more_menu(t("More for {name}", name=item["name"])):
            ui.menu_item(t("Rename …"), lambda: self._rename(item))
            for other in objects:
                if other is not item:
                    ui.menu_item(
                        t("Merge into {name}", name=other["name"]),
                        lambda other=other: self._desk.edit("merge_objects", other["id"], item["id"]),
                    )
            ui.menu_item(t("Delete"), lambda: self._desk.edit("remove_object", item["id"]))
        with ui.element("div").classes("sm-opacity"):
            slider = ui.slider(min=0, max=1, step=0.05, value=item["opacity"]).props("dense")
            slider.props["aria-label"] = t("Opacity of {name}", name=item["name"])
            slider.on("change", lambda event: self._desk.edit("set_opacity", item["id"], float(event.args)))

    async def _add(self) -> None:
        made = await self._desk.edit("add_object")
        if made is not None:
            self._desk.choose_object(made)

    async def _recolour(self, item: dict[str, Any], colour: str) -> None:
        await self._desk.edit("recolour_object", item["id"], colour)

    async def _rename(self, item: dict[str, Any]) -> None:
        with self._desk.home:
            name = await ask_text(t("Rename the object"), item["name"], t("Rename"), t("Cancel"))
        if name and name.strip():
            await self._desk.edit("rename_object", item["id"], name)


_VALUE = "(event) => emit(event.target.value)"
