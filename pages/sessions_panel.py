"""The sessions: upload, list with thumbnails, open, rename, duplicate, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nicegui import run, ui

from app_logic.sessions import SessionRow
from app_logic.words import bytes_text
from pages.bundle_dialog import download_several
from pages.desk import Desk
from pages.export_dialog import export_project
from pages.header import PAGES
from pages.texts import say, t
from pages.upload import Upload
from pages.widgets import action_button, ask_option, ask_text, closed, more_menu, name_button

STATES = {
    "new": "new",
    "annotated": "annotated",
    "masks": "masks",
    "matted": "matted",
    "tracked": "tracked",
    "delivered": "delivered",
    "failed": "failed",
    "unreadable": "unreadable",
}
STATE_TEXTS = list(STATES.values())
LOOK = 2.0
"""Seconds between two looks at what other tabs and jobs have changed."""
_BESIDE_BUTTONS = "(event) => event.target.closest('button') || emit()"


class _Card(NamedTuple):
    """What of a session's card changes while it is shown."""

    row: ui.row
    name: ui.button
    facts: ui.label
    menu: ui.menu


class SessionsPanel:
    """The list of sessions of the workspace.

    Args:
        desk: the tab's.
        chosen: called when the user has chosen a session.
    """

    def __init__(self, desk: Desk, chosen: Callable[[], None]) -> None:
        self._desk = desk
        self._chosen = chosen
        self._sessions = desk.side.list
        self._shown: object = None
        self._cards: dict[str, _Card] = {}
        Upload(self._uploaded, desk)
        several = action_button(t("Download several …"), "folder_zip", lambda: download_several(desk))
        several.props("flat size=sm")
        self._list = ui.column().classes("sm-sessions")
        ui.timer(LOOK, self.refresh)
        desk.on_view(self._soon)

    async def refresh(self) -> None:
        """Show what has changed; the list is drawn anew for other sessions only, not from under the pointer."""
        rows = await run.io_bound(self._sessions.rows) or []
        if self._list.is_deleted:  # with its page, meanwhile
            return
        self._mark()
        for row in rows:
            if row.id in self._cards:
                self._cards[row.id].facts.text = _facts(row)
        shown = [(row.id, row.name, row.state == "unreadable") for row in rows]
        if shown == self._shown or any(card.menu.value for card in self._cards.values()):
            return
        self._shown = shown
        self._cards.clear()
        self._list.clear()
        with self._list:
            if not rows:
                ui.label(t("No session yet: upload a video, or drop one anywhere.")).classes("sm-note")
            for row in rows:
                self._cards[row.id] = self._card(row)
        self._mark()

    def _soon(self) -> None:
        self._mark()
        if self._desk.session_id and self._desk.session_id not in self._cards:
            ui.timer(0, self.refresh, once=True)

    def _mark(self) -> None:
        """Show which session is open."""
        for session_id, card in self._cards.items():
            if session_id == self._desk.session_id:
                card.row.classes("sm-chosen")
                card.name.props("aria-current=true")
            else:
                card.row.classes(remove="sm-chosen")
                card.name.props(remove="aria-current")

    def _card(self, row: SessionRow) -> _Card:
        card = ui.row().classes("sm-session")
        card.on("click", lambda: self._open(row.id), js_handler=_BESIDE_BUTTONS)
        with card:
            poster = ui.element("img").props(f'src="/media/{row.id}/thumb?v={row.id}" alt="" loading=lazy')
            poster.classes("sm-poster")
            with ui.column().classes("sm-about"):
                name = name_button(row.name, lambda: self._open(row.id))
                facts = ui.label(_facts(row)).classes("sm-note")
            with more_menu(t("More for {name}", name=row.name)) as menu:
                if row.state != "unreadable":
                    ui.menu_item(t("Rename …"), lambda: self._rename(row))
                    ui.menu_item(t("Duplicate"), lambda: self._duplicate(row))
                    ui.menu_item(t("Export project …"), lambda: export_project(self._desk, row.id, row.name))
                ui.menu_item(t("Delete …"), lambda: self._delete(row))
        return _Card(card, name, facts, menu)

    async def _open(self, session_id: str) -> None:
        self._chosen()
        await self._desk.open(session_id)

    async def _uploaded(self, made: dict[str, Any]) -> None:
        """Open what was uploaded; a project may be of the other page's kind."""
        session_id, kind = str(made["session"]), str(made.get("kind") or self._desk.side.kind)
        lines = [str(line) for line in made.get("notices") or []]
        if kind != self._desk.side.kind:
            if lines:
                await self._tell(lines)
            with self._desk.home:
                ui.navigate.to(f"{PAGES[kind][0]}?session={session_id}")
            return
        await self.refresh()
        await self._open(session_id)
        if lines:
            await self._tell(lines)

    async def _tell(self, lines: list[str]) -> None:
        """Show what a user should know about a project that was imported."""
        with self._desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog"):
            ui.label(t("The project is imported")).classes("sm-title")
            for line in lines:
                ui.label(say(line)).classes("sm-break")
            with ui.row().classes("sm-buttons"):
                ui.button(t("Close"), on_click=dialog.close).props("unelevated no-caps color=primary")
        await closed(dialog)

    async def _rename(self, row: SessionRow) -> None:
        with self._desk.home:
            name = await ask_text(t("Rename the session"), row.name, t("Rename"), t("Cancel"))
        if name and name.strip():
            await self._desk.do(self._desk.side.store.rename, row.id, name)
            await self.refresh()

    async def _duplicate(self, row: SessionRow) -> None:
        copy = await self._desk.do(self._desk.side.store.duplicate, row.id)
        await self.refresh()
        if copy is not None:
            await self._open(copy.state.id)

    async def _delete(self, row: SessionRow) -> None:
        text = t("{name} and everything made from it ({size}) will be gone.", name=row.name, size=bytes_text(row.bytes))
        if self._desk.side.keeps_results:
            text += " " + t("Results that were written stay in the workspace's tracking_results folder.")
        up = await run.io_bound(self._desk.side.has_uploads, row.id)
        option = t("Also delete what is uploaded") if up else ""
        with self._desk.home:
            uploads = await ask_option(t("Delete the session?"), text, option, t("Delete"), t("Cancel"))
        if uploads is not None:
            await self._delete_now(row.id, uploads)

    async def _delete_now(self, session_id: str, uploads: bool) -> None:
        """Delete a session; one that was open and stays, as its uploads cannot be deleted, is open again."""
        was_open = session_id == self._desk.session_id
        if was_open:
            self._desk.forget()
        if uploads:
            self._desk.tell(t("Deleting what is uploaded …"))
        await self._desk.do(self._desk.side.work.delete, session_id, uploads=uploads)
        await self.refresh()
        if was_open and uploads and session_id in (await run.io_bound(self._ids) or ()):
            await self._desk.open(session_id)

    def _ids(self) -> set[str]:
        return set(self._desk.side.store.ids())


def _facts(row: SessionRow) -> str:
    return f"{t(STATES[row.state])} · {bytes_text(row.bytes)}"
