"""'Track points through this': a tracking session from the open matting session."""

from __future__ import annotations

from nicegui import ui

from app_logic.carry import track_through
from pages.matting_desk import MattingDesk
from pages.texts import t
from pages.widgets import closed


async def carry_points(desk: MattingDesk) -> None:
    """Ask how many points each object gets, make the session, and go to its page."""
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog"):
        ui.label(t("Track points through this")).classes("sm-title")
        ui.label(t("Clicks become points, and each object's mask is filled with more; both keep its name as group."))
        amount = ui.number(t("Points on each object"), value=32, min=1, max=2000, format="%d").props("dense outlined")
        start = ui.switch(t("Track at once"), value=True).props("dense")
        with ui.row().classes("sm-buttons"):
            ui.button(t("Cancel"), on_click=lambda: dialog.submit(False)).props("flat no-caps")
            go = ui.button(t("Make the tracking session"), on_click=lambda: dialog.submit(True))
            go.props("unelevated no-caps color=primary")
    wanted = await closed(dialog)
    if not wanted:
        return
    number = 32 if amount.value is None else round(amount.value)
    made = await desk.do(track_through, desk.services, desk.session_id, number, start=bool(start.value))
    if made is not None:
        with desk.home:
            ui.navigate.to(f"/tracking?session={made.state.id}")
