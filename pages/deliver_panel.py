"""Deliver: choose formats, make them, look at them, download them."""

from __future__ import annotations

from functools import partial
from typing import Any

from nicegui import ui

from pages.desk import Desk
from pages.run_panels import Estimate
from pages.texts import t
from pages.widgets import action_button, heading, hint, icon_button
from pipeline.formats import FORMATS, FormatSpec

COLOURS = {"own": "As each format has it", "straight": "Straight", "premultiplied": "Premultiplied"}
COLOUR_TEXTS = list(COLOURS.values())
PLAYABLE = ("alpha", "foreground", "webm")
"""Formats that browsers play."""


class DeliverPanel:
    """Formats to make, and what there is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._boxes: dict[str, ui.checkbox] = {}
        self._shown: object = None
        heading(t("Deliver"), t("Every format comes from the stored alpha; no engine runs again for it."))
        with ui.column().classes("sm-form"):
            for spec in FORMATS.values():
                self._format(spec)
            options = {key: t(text) for key, text in COLOURS.items()}
            self._colours = ui.select(options, value="own", label=t("Colours")).props("dense outlined options-dense")
            self._colours.classes("w-full").on("update:model-value", self._set_colours)
            self._button = action_button(t("Deliver"), "movie", self._start, primary=True)
            Estimate(desk, "deliver")
        heading(t("Results"))
        self._list = ui.column().classes("sm-list")
        desk.on_view(self._refresh)

    def _format(self, spec: FormatSpec) -> None:
        with ui.row().classes("sm-param"):
            box = ui.checkbox(t(spec.title)).props("dense").classes("grow")
            box.on("update:model-value", self._set_formats)
            hint(t(spec.help))
        self._boxes[spec.name] = box

    def _refresh(self) -> None:
        editor = self._desk.editor
        self._button.set_enabled(bool(self._desk.view and self._desk.view["objects"]))
        if editor is None:
            self._list.clear()
            self._shown = None
            return
        state = editor.session.state
        for name, box in self._boxes.items():
            box.value = name in state.formats
        self._colours.value = {None: "own", False: "straight", True: "premultiplied"}[state.premultiplied]
        shown = (state.id, {name: made.mark for name, made in state.delivered.items()})
        if shown != self._shown:
            self._shown = shown
            self._list.clear()
            with self._list:
                self._results(state.id, [name for name in FORMATS if name in state.delivered], state.delivered)

    def _results(self, session_id: str, names: list[str], delivered: dict[str, Any]) -> None:
        if not names:
            ui.label(t("Nothing is delivered yet.")).classes("sm-note")
            return
        for name in names:
            spec = FORMATS[name]
            with ui.row().classes("sm-row"):
                ui.icon("folder_zip" if spec.folder else "movie")
                ui.label(t(spec.title)).classes("grow")
                if name in PLAYABLE:
                    url = f"/media/{session_id}/file/{name}?v={delivered[name].mark}"
                    icon_button("play_arrow", t("Play {name}", name=t(spec.title)), partial(self._play, url))
                link = icon_button("download", t("Download {name}", name=t(spec.title)), lambda: None)
                link.props(f'href="/download/{session_id}/{name}" download')
        every = action_button(t("Download all as one zip"), "folder_zip", lambda: None)
        every.props(f'href="/download/{session_id}/all.zip?formats={",".join(names)}" download')

    async def _play(self, url: str) -> None:
        with self._desk.home, ui.dialog() as dialog, ui.card().classes("sm-player"):
            video = ui.element("video").props(f'src="{url}" controls autoplay loop playsinline')
            video.classes("sm-checker")
            with ui.row().classes("sm-buttons"):
                ui.button(t("Close"), on_click=dialog.close).props("flat no-caps")
        await dialog
        dialog.delete()

    async def _set_formats(self) -> None:
        chosen = [name for name, box in self._boxes.items() if box.value]
        if chosen:
            await self._desk.edit("set_formats", chosen)
        else:
            self._desk.tell(t("Choose at least one format."))
            self._refresh()

    async def _set_colours(self) -> None:
        choice = {"own": None, "straight": False, "premultiplied": True}[str(self._colours.value)]
        await self._desk.edit("set_premultiplied", choice)

    async def _start(self) -> None:
        await self._desk.do(self._desk.services.work.deliver, self._desk.session_id)
