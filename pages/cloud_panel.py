"""Upload what is delivered to the cloud store that is set, and the links to what is up."""

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
from pages.widgets import action_button, copy_text, heading, icon_button
from session_base import SIDECAR

if TYPE_CHECKING:
    from results.cloud import Link

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
        self._refresh()

    def _refresh(self) -> None:
        editor = self._desk.editor
        mine = [job for job in self._desk.jobs if job.kind == UPLOAD and job.session_id == self._desk.session_id]
        waits = any(not job.state.is_finished for job in mine)
        self._button.set_enabled(bool(editor and editor.session.state.delivered) and not waits)
        seen = self._desk.session_id, [(job.id, job.started) for job in mine if job.state.is_finished]
        if seen != self._seen:
            self._seen = seen
            background_tasks.create(self._load(self._desk.session_id))

    async def _load(self, session_id: str) -> None:
        try:
            found = await run.io_bound(self._desk.side.links, session_id) if session_id else []
        except SplazMatteError as error:
            found, told = [], say(str(error))
        else:
            told = t("Nothing is up yet.")
        if found is None or session_id != self._desk.session_id:
            return
        self._list.clear()
        with self._list:
            if not found:
                ui.label(told).classes("sm-note")
            for link in found:
                if not link.format.endswith(SIDECAR):
                    self._row(session_id, link)

    def _row(self, session_id: str, link: Link) -> None:
        address = f"/cloud/{session_id}/{link.format}"
        with ui.row().classes("sm-row sm-cloud"):
            ui.icon("cloud_done")
            ui.link(link.name, address, new_tab=True).classes("grow sm-ellipsis").tooltip(self._until(link))
            ui.label(bytes_text(link.size)).classes("sm-note")
            copy = partial(self._copy, session_id, link.format)
            icon_button("content_copy", t("Copy the link to {name}", name=link.name), copy)

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

    async def _start(self) -> None:
        await self._desk.do(self._desk.side.work.upload, self._desk.session_id)
