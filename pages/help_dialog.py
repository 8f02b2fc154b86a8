"""Help: the way from a video to results in a few lines, and every key."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from pages.desk import Desk
from pages.keys import Row
from pages.texts import t
from pages.widgets import closed


async def show_help(desk: Desk, steps: Sequence[str], keys: Sequence[Row]) -> None:
    """Show the help until it is closed: the way in English lines, and every key."""
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog sm-help"):
        ui.label(t("Help")).classes("sm-title")
        with ui.element("ol"):
            for step in steps:
                with ui.element("li"):
                    ui.label(t(step))
        ui.label(t("Keys")).classes("sm-title")
        with ui.element("div").classes("sm-keys"):
            for key, _, text in keys:
                ui.label(shown_key(key)).classes("sm-key")
                ui.label(t(text))
        with ui.row().classes("sm-buttons"):
            ui.button(t("Close"), on_click=dialog.close).props("flat no-caps autofocus")
    await closed(dialog)


SIGNS = {"arrowleft": "←", "arrowright": "→", "space": "Space", "home": "Home", "end": "End", "escape": "Esc"}
MORE = {"delete": "Del", "backspace": "⌫", "enter": "Enter", "shift": "Shift", "ctrl": "Ctrl/⌘"}


def shown_key(key: str) -> str:
    """Return a key of the table as it is written on keyboards."""
    if key == "+":
        return key
    return " + ".join((SIGNS | MORE).get(part, part.upper()) for part in key.split("+"))
