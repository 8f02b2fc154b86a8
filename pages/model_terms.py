"""The question whether a user accepts the terms of weights, before they are downloaded."""

from __future__ import annotations

from nicegui import ui

from app_logic.models import ModelRow
from app_logic.words import bytes_text
from pages.texts import t
from pages.widgets import closed


async def accepts_terms(row: ModelRow) -> bool:
    """Show the terms of a set and return whether the user accepts them."""
    entry = row.entry
    with ui.dialog() as dialog, ui.card().classes("sm-dialog sm-agreement"):
        ui.label(t("Terms of {title}", title=entry.title)).classes("sm-title")
        ui.label(entry.licence).classes("sm-dim")
        ui.label(t(entry.terms)).classes("" if entry.commercial else "sm-warning sm-strong")
        ui.link(t("Read the whole licence at {page}", page=entry.page), entry.page, new_tab=True).classes(
            "sm-link sm-break"
        )
        ui.label(t("{size} will be downloaded.", size=bytes_text(row.needed))).classes("sm-note")
        with ui.row().classes("sm-buttons"):
            ui.button(t("Cancel"), on_click=lambda: dialog.submit(False)).props("flat no-caps")
            accept = ui.button(t("Accept and download"), on_click=lambda: dialog.submit(True))
            accept.props("unelevated no-caps color=primary autofocus")
    answer = await closed(dialog)
    return bool(answer)
