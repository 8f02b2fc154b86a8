"""Find objects by text, for engines that take it: the instances that were found, to choose from."""

from __future__ import annotations

import base64

from nicegui import ui

from pages.matting_desk import MattingDesk
from pages.texts import t
from pages.widgets import ask_text, closed


async def find_by_text(desk: MattingDesk) -> None:
    """Ask for a text, show what is found on this frame, and make each chosen instance an object."""
    with desk.home:
        text = await ask_text(t("What to find on this frame"), "", t("Find"), t("Cancel"))
    if not text or not text.strip() or desk.editor is None:
        return
    frame = desk.frame
    found = await desk.edit("find_text", desk.object_id, frame, text.strip())
    if found is None:
        return
    if not found:
        desk.tell(t("Nothing was found; try another word."))
        return
    for place, index in enumerate(await _choose(desk, found)):
        name = text.strip() if place == 0 else f"{text.strip()} {place + 1}"
        object_id = await desk.edit("add_object", name)
        await desk.edit("use_found", object_id, frame, found[index][0], text.strip())
        desk.choose_object(object_id)


async def _choose(desk: MattingDesk, found: list[tuple[bytes, float]]) -> list[int]:
    chosen: set[int] = set()
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog"):
        ui.label(t("Choose what to cut out")).classes("sm-title")
        with ui.row():
            for index, (png, score) in enumerate(found):
                with ui.column().classes("sm-instance"):
                    picture = "data:image/png;base64," + base64.b64encode(png).decode()
                    ui.element("img").props(f'src="{picture}" alt=""')
                    box = ui.checkbox(f"{index + 1} · {score:.0%}")
                    box.on_value_change(
                        lambda event, index=index: chosen.add(index) if event.value else chosen.discard(index)
                    )
        with ui.row().classes("sm-buttons"):
            ui.button(t("Cancel"), on_click=lambda: dialog.submit([])).props("flat no-caps")
            ui.button(t("Use"), on_click=lambda: dialog.submit(sorted(chosen))).props(
                "unelevated no-caps color=primary"
            )
    answer = await closed(dialog)
    return list(answer or [])
