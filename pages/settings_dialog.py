"""The settings: what holds, and by which variable each is changed; secrets are not shown."""

from __future__ import annotations

from nicegui import ui
from pydantic import SecretStr

from config import VERSION, Settings, get_settings
from pages.desk import Desk
from pages.texts import t


async def show_settings(desk: Desk) -> None:
    """Show the settings until the dialog is closed."""
    settings = get_settings()
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog sm-help"):
        ui.label(t("Settings")).classes("sm-title")
        ui.label(t("They are set in the environment or in .env, and hold from the next start on.")).classes("sm-note")
        with ui.element("div").classes("sm-settings"):
            for name in Settings.model_fields:
                value = getattr(settings, name)
                secret = isinstance(value, SecretStr)
                shown = ("••••••" if value.get_secret_value() else "") if secret else str(value)
                ui.label(f"SPLAZMATTE_{name.upper()}").classes("sm-key")
                ui.label(shown or "–").classes("sm-break")
        ui.label(f"SplazMatte {VERSION}").classes("sm-note")
        with ui.row().classes("sm-buttons"):
            ui.button(t("Close"), on_click=dialog.close).props("flat no-caps autofocus")
    await dialog
    dialog.delete()
