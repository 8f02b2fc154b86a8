"""'Download several': results of sessions of both kinds as one zip."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from app_logic.bundles import Delivery, deliveries, fits, query_of
from app_logic.words import bytes_text
from pages.desk import Desk
from pages.texts import t
from pages.widgets import closed, icon_button, out_of_date, tip
from pipeline.formats import FORMATS
from tracking_export import TRACK_FORMATS

KIND_ICONS = {"matting": "auto_awesome", "tracking": "timeline"}


async def download_several(desk: Desk) -> None:
    """Show every session that has results, and give the browser a zip of those that are chosen."""
    rows = await desk.do(deliveries, desk.services)
    if rows is None:
        return
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog sm-bundle"):
        ui.label(t("Download several")).classes("sm-title")
        if rows:
            ui.label(t("One zip with the results that you choose, under the names of their videos.")).classes("sm-note")
            _Form(rows, desk.session_id, dialog)
        else:
            ui.label(t("No session has results yet: deliver first."))
            with ui.row().classes("sm-buttons"):
                ui.button(t("Close"), on_click=dialog.close).props("flat no-caps")
    await closed(dialog)


def format_title(name: str) -> str:
    """Return what a format of either kind of session is called, in the client's language."""
    rows: dict[str, Any] = {**FORMATS, **TRACK_FORMATS}
    return t(rows[name].title) if name in rows else t("Video with trails")


class _Form:
    """The sessions with their results, and the download of what is chosen."""

    def __init__(self, rows: list[Delivery], open_id: str, dialog: ui.dialog) -> None:
        self._rows = rows
        self._all: dict[str, ui.checkbox] = {}
        self._boxes: dict[str, dict[str, ui.checkbox]] = {}
        with ui.column().classes("sm-bundle-list"):
            for row in rows:
                self._session(row, chosen=row.id == open_id)
        with ui.row().classes("sm-buttons"):
            icon_button("done_all", t("Choose all"), lambda: self._choose_all(True))
            icon_button("remove_done", t("Choose none"), lambda: self._choose_all(False))
            ui.space()
            ui.button(t("Cancel"), on_click=dialog.close).props("flat no-caps")
            self._go: Any = ui.button(icon="folder_zip", on_click=dialog.close).props(
                "unelevated no-caps color=primary"
            )
        self._refresh()

    def _session(self, row: Delivery, *, chosen: bool) -> None:
        with ui.row().classes("sm-param"):
            every = ui.checkbox(value=chosen).props("dense")
            every.props["aria-label"] = row.name
            every.on("update:model-value", lambda: self._choose(row.id, bool(every.value)))
            ui.icon(KIND_ICONS[row.kind]).classes("sm-jobicon")
            tip(ui.label(row.name).classes("grow sm-ellipsis"), row.name)
            ui.label(bytes_text(sum(row.sizes.values()))).classes("sm-note sm-nowrap")
        self._all[row.id] = every
        self._boxes[row.id] = {}
        with ui.row().classes("sm-bundle-formats"):
            for name, size in row.sizes.items():
                text, is_old = f"{format_title(name)} · {bytes_text(size)}", name in row.outdated
                box = ui.checkbox(text, value=chosen and not is_old).props("dense size=xs")
                if is_old:
                    out_of_date()
                box.on("update:model-value", self._refresh)
                self._boxes[row.id][name] = box

    def _choose(self, session_id: str, value: bool) -> None:
        for box in self._boxes[session_id].values():
            box.value = value
        self._refresh()

    def _choose_all(self, value: bool) -> None:
        for session_id in self._boxes:
            self._choose(session_id, value)

    def _refresh(self) -> None:
        chosen = {key: [name for name, box in boxes.items() if box.value] for key, boxes in self._boxes.items()}
        for key, box in self._all.items():
            box.value = len(chosen[key]) == len(self._boxes[key])
        size = sum(row.sizes[name] for row in self._rows for name in chosen[row.id])
        query = query_of([*chosen.items()])
        fit = fits(query)
        self._go.set_enabled(bool(query) and fit)
        much = t("Too much for one zip: choose fewer")
        self._go.text = t("Download ({size})", size=bytes_text(size)) if fit else much
        self._go.props(f'href="/download/bundle.zip?take={query}" download')
