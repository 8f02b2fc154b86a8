"""Upload what is delivered to the cloud store that is set, the links to what is up, and deleting that there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nicegui import background_tasks, run, ui

from app_logic.jobs import UPLOAD
from app_logic.words import bytes_text
from config import get_settings
from errors import SplazMatteError
from pages.desk import Desk
from pages.texts import say, t
from pages.widgets import action_button, ask, copy_text, heading, icon_button, tip
from session_base import SIDECAR

if TYPE_CHECKING:
    from results.cloud import Link
    from results.uploaded import Up

LOOK = 2.0
"""Seconds between two looks at what other tabs and commands have changed."""
STORES = {"r2": "Cloudflare R2", "oss": "Aliyun OSS"}


class CloudPanel:
    """The button and the links; nothing where no store is set."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: object = None
        backend = get_settings().storage_backend
        if not backend:
            return
        heading(t("Cloud"), t("Everything that is delivered goes up; what is up already is not sent again."))
        label = t("Upload to {store}", store=STORES[backend])
        self._button = action_button(label, "cloud_upload", self._start)
        self._list = ui.column().classes("sm-list")
        desk.on_view(self._refresh)
        desk.on_jobs(self._refresh)
        ui.timer(LOOK, self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        editor = self._desk.editor
        mine = [job for job in self._desk.jobs if job.session_id == self._desk.session_id]
        waits = any(job.kind == UPLOAD and not job.state.is_finished for job in mine)
        made = dict(editor.session.state.delivered) if editor else {}
        self._button.set_enabled(bool(made) and not waits)
        version = self._desk.side.uploads_version(self._desk.session_id) if self._desk.session_id else None
        jobs = [(job.id, job.started) for job in mine if job.state.is_finished]
        seen = self._desk.session_id, made, jobs, version
        if seen != self._seen:
            self._seen = seen
            background_tasks.create(self._load(self._desk.session_id))

    async def _load(self, session_id: str) -> None:
        told = t("Nothing is up yet.")
        try:
            found = await run.io_bound(self._found, session_id) if session_id else ([], [])
        except SplazMatteError as error:
            found, told = ([], []), say(str(error))
        if found is None or session_id != self._desk.session_id or self._list.is_deleted:
            return
        self._list.clear()
        with self._list:
            if not any(found):
                ui.label(told).classes("sm-note")
            for link in found[0]:
                self._row(session_id, link)
            for up in found[1]:
                self._other_row(session_id, up)

    def _found(self, session_id: str) -> tuple[list[Link], list[Up]]:
        """Return the links of a session, and what else is up: begun only, or not handed out."""
        side = self._desk.side
        links = [link for link in side.links(session_id) if not link.format.endswith(SIDECAR)]
        shown = {"", *(link.format for link in links)}
        others = [up for up in side.uploads(session_id) if not up.format.endswith(SIDECAR)]
        return links, [up for up in others if up.format not in shown]

    def _row(self, session_id: str, link: Link) -> None:
        address = f"/cloud/{session_id}/{link.format}"
        with ui.row().classes("sm-row sm-cloud"):
            ui.icon("cloud_done" if link.current else "cloud_queue")
            with ui.column().classes("sm-result"):
                tip(ui.link(link.name, address, new_tab=True).classes("sm-break"), self._until(link))
                ui.label(bytes_text(link.size)).classes("sm-note")
                if not link.current:
                    old = ui.label(t("out of date: upload again")).classes("sm-note")
                    tip(old, t("The local result was made anew since, or is gone."))
            copy = partial(self._copy, session_id, link.format)
            icon_button("content_copy", t("Copy the link to {name}", name=link.name), copy)
            self._delete_button(session_id, link.format, link.name)

    def _other_row(self, session_id: str, up: Up) -> None:
        with ui.row().classes("sm-row sm-cloud"):
            ui.icon("cloud_off")
            with ui.column().classes("sm-result"):
                ui.label(up.name).classes("sm-break")
                ui.label(t("not complete") if up.size is None else t("not cleared for commercial use")).classes(
                    "sm-note"
                )
            self._delete_button(session_id, up.format, up.name)

    def _delete_button(self, session_id: str, name: str, file: str) -> None:
        button = icon_button("delete_outline", t("Delete {name} in the cloud", name=file), lambda: None)
        button.on_click(partial(self._delete, button, session_id, name, file))

    def _until(self, link: Link) -> str:
        if link.expires is None:
            return t("A link that holds for ever")
        return t("A link that is copied now holds for {hours} hours", hours=f"{get_settings().storage_link_hours:g}")

    async def _copy(self, session_id: str, name: str) -> None:
        """Copy a link that was made just now, so that it holds as long as it can."""
        found = await self._desk.do(self._desk.side.links, session_id)
        url = next((link.url for link in found or () if link.format == name), None)
        if url:
            copy_text(url)
            self._desk.tell(t("The link is copied."))

    async def _delete(self, button: ui.button, session_id: str, name: str, file: str) -> None:
        text = t("{name} will be gone in the cloud, and links to it end.", name=file)
        with self._desk.home:
            sure = await ask(t("Delete the upload?"), text, t("Delete"), t("Cancel"))
        if sure:
            button.props("loading")
            await self._desk.do(self._desk.side.delete_upload, session_id, name)
            button.props(remove="loading")
            await self._load(session_id)

    async def _start(self) -> None:
        await self._desk.do(self._desk.side.work.upload, self._desk.session_id)
