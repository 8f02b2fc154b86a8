"""'Export project': a session as one file, with what the user wants in it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from app_logic.portable import Parts, parts
from app_logic.words import bytes_text
from pages.desk import Desk
from pages.texts import t
from pages.widgets import closed, tip

PARTS = {
    "source": "Source video",
    "masks": "Propagated masks",
    "alpha": "Lossless alpha",
    "results": "Results",
}
PART_TEXTS = list(PARTS.values())


async def export_project(desk: Desk, session_id: str, name: str) -> None:
    """Show what a session's project file can have, and give it to the browser."""
    sizes = await desk.do(parts, desk.services, session_id)
    if sizes is None:
        return
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog"):
        ui.label(t("Export project")).classes("sm-title")
        tip(ui.label(name).classes("w-full sm-ellipsis"), name)
        ui.label(
            t("One file with prompts, masks and settings, to go on with on another machine or in a newer version.")
        ).classes("sm-note")
        _Form(session_id, sizes, dialog)
    await closed(dialog)


class _Form:
    """The parts with their sizes, and the download of what is chosen."""

    def __init__(self, session_id: str, sizes: Parts, dialog: ui.dialog) -> None:
        self._session_id = session_id
        self._sizes = vars(sizes)
        self._switches: dict[str, ui.switch] = {}
        for key, text in PARTS.items():
            if self._sizes[key]:
                with ui.row().classes("sm-param"):
                    switch = ui.switch(t(text), value=key != "results").props("dense").classes("grow")
                    ui.label(bytes_text(self._sizes[key])).classes("sm-note")
                switch.on_value_change(self._refresh)
                self._switches[key] = switch
        self._note = ui.label(
            t("Without the video the file only names it: whoever imports it has to have the very same video.")
        ).classes("sm-note")
        with ui.row().classes("sm-buttons"):
            ui.button(t("Cancel"), on_click=dialog.close).props("flat no-caps")
            self._go: Any = ui.button(icon="download", on_click=dialog.close).props("unelevated no-caps color=primary")
        self._refresh()

    def _refresh(self) -> None:
        chosen = {key for key, switch in self._switches.items() if switch.value}
        size = self._sizes["always"] + sum(self._sizes[key] for key in chosen)
        query = "&".join(f"{key}={int(key in chosen)}" for key in PARTS)
        self._note.set_visibility("source" not in chosen)
        self._go.text = t("Download ({size})", size=bytes_text(size))
        self._go.props(f'href="/project/{self._session_id}?{query}" download')
