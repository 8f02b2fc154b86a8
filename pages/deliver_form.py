"""Deliver, whatever kind of session: choose formats, make them, look at them, download each or all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

from nicegui import ui

from app_logic.made import made
from pages.cloud_panel import CloudPanel
from pages.desk import Desk
from pages.made_dialog import show_made
from pages.texts import t
from pages.widgets import action_button, closed, heading, hint, icon_button, out_of_date


class FormatRow(NamedTuple):
    """A format as the form shows it, in English."""

    name: str
    title: str
    help: str
    folder: bool
    """Whether it is several files."""


class DeliverForm:
    """Formats to make, and what there is.

    Args:
        desk: the tab's.
        rows: the formats, in order.
        playable: names of formats that browsers play.
        note: an explanation beside the heading, in the client's language.
    """

    def __init__(self, desk: Desk, rows: Sequence[FormatRow], playable: Collection[str], note: str) -> None:
        self._desk = desk
        self._rows = rows
        self._playable = playable
        self._boxes: dict[str, ui.checkbox] = {}
        self._shown: object = None
        heading(t("Deliver"), note)
        with ui.column().classes("sm-form"):
            for row in rows:
                self._format(row)
            self.more()
            self.button = action_button(t("Deliver"), "movie", self._start, primary=True)
            self.below()
        heading(t("Results"))
        self._list = ui.column().classes("sm-list")
        CloudPanel(desk)
        desk.on_view(self._refresh)

    def more(self) -> None:
        """Draw further choices of this kind of session."""

    def below(self) -> None:
        """Draw what stands below the button."""

    @property
    def ready(self) -> bool:
        """Tell whether there is something to deliver."""
        return self._desk.view is not None

    def follow(self, state: Any) -> None:
        """Show the further choices of a session's state."""

    def _format(self, row: FormatRow) -> None:
        with ui.row().classes("sm-param"):
            box = ui.checkbox(t(row.title)).props("dense").classes("grow")
            box.on("update:model-value", self._set_formats)
            hint(t(row.help))
        self._boxes[row.name] = box

    def _refresh(self) -> None:
        editor = self._desk.editor
        self.button.set_enabled(self.ready)
        if editor is None:
            self._list.clear()
            self._shown = None
            return
        state = editor.session.state
        for name, box in self._boxes.items():
            box.value = name in state.formats
        self.follow(state)
        old = (self._desk.view or {}).get("outdated", ())
        shown = (state.id, {name: (made.mark, name in old) for name, made in state.delivered.items()})
        if shown != self._shown:
            self._shown = shown
            self._list.clear()
            with self._list:
                rows = [row for row in self._rows if row.name in state.delivered]
                self._results(state.id, rows, state.delivered, old)

    def _results(self, session_id: str, rows: list[FormatRow], delivered: dict[str, Any], old: Collection[str]) -> None:
        if not rows:
            ui.label(t("Nothing is delivered yet.")).classes("sm-note")
            return
        for row in rows:
            with ui.row().classes("sm-row"):
                ui.icon("folder_zip" if row.folder else "movie" if row.name in self._playable else "description")
                with ui.column().classes("grow sm-result"):
                    ui.label(t(row.title))
                    if row.name in old:
                        out_of_date()
                if row.name in self._playable:
                    url = f"/media/{session_id}/file/{row.name}?v={delivered[row.name].mark}"
                    icon_button("play_arrow", t("Play {name}", name=t(row.title)), partial(self._play, url))
                how = icon_button("info_outline", t("How {name} was made", name=t(row.title)), lambda: None)
                how.on_click(partial(self._how, session_id, row.name))
                link = icon_button("download", t("Download {name}", name=t(row.title)), lambda: None)
                link.props(f'href="/download/{session_id}/{row.name}" download')
        every = action_button(t("Download all as one zip"), "folder_zip", lambda: None)
        names = ",".join(row.name for row in rows)
        every.props(f'href="/download/{session_id}/all.zip?formats={names}" download')

    async def _play(self, url: str) -> None:
        with self._desk.home, ui.dialog() as dialog, ui.card().classes("sm-player"):
            video = ui.element("video").props(f'src="{url}" controls autoplay loop playsinline')
            video.classes("sm-checker")
            with ui.row().classes("sm-buttons"):
                ui.button(t("Close"), on_click=dialog.close).props("flat no-caps")
        await closed(dialog)

    async def _how(self, session_id: str, name: str) -> None:
        found = await self._desk.do(lambda: [made(*self._desk.side.results(self._desk.editor.session, [name]))])
        if found:  # else the error is shown
            await show_made(self._desk, found[0], f"/download/{session_id}/{name}/sidecar")

    async def _set_formats(self) -> None:
        chosen = [name for name, box in self._boxes.items() if box.value]
        if chosen:
            await self._desk.edit("set_formats", chosen)
        else:
            self._desk.tell(t("Choose at least one format."))
            self._refresh()

    async def _start(self) -> None:
        await self._desk.do(self._desk.side.work.deliver, self._desk.session_id)
