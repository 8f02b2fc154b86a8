"""Help: the way from a video to a matte in six lines, and every key."""

from __future__ import annotations

from nicegui import ui

from pages.desk import Desk
from pages.keys import KEYS
from pages.texts import t

STEPS_TEXTS = [
    "Upload a video, or drop it on the page.",
    "Click on the object in one frame; more clicks, a box or the brush correct the mask.",
    "Propagate: the mask follows the object through the clip.",
    "Look for frames where it is wrong, correct one, and propagate again: only its neighbourhood is redone.",
    "Matte: the masks become soft alpha. 'Matte this frame' shows first what it will be like.",
    "Deliver: choose formats and download them.",
]


async def show_help(desk: Desk) -> None:
    """Show the help until it is closed."""
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog sm-help"):
        ui.label(t("Help")).classes("sm-title")
        with ui.element("ol"):
            for step in STEPS_TEXTS:
                with ui.element("li"):
                    ui.label(t(step))
        ui.label(t("Keys")).classes("sm-title")
        with ui.element("div").classes("sm-keys"):
            for key, _, text in KEYS:
                ui.label(shown_key(key)).classes("sm-key")
                ui.label(t(text))
        with ui.row().classes("sm-buttons"):
            ui.button(t("Close"), on_click=dialog.close).props("flat no-caps autofocus")
    await dialog
    dialog.delete()


SIGNS = {"arrowleft": "←", "arrowright": "→", "space": "Space", "home": "Home", "end": "End", "escape": "Esc"}
MORE = {"delete": "Del", "backspace": "⌫", "enter": "Enter", "shift": "Shift", "ctrl": "Ctrl/⌘"}


def shown_key(key: str) -> str:
    """Return a key of the table as it is written on keyboards."""
    if key == "+":
        return key
    return " + ".join((SIGNS | MORE).get(part, part.upper()) for part in key.split("+"))
