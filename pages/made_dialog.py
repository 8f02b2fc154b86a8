"""How a result was made: engines, parameters, weights and licences, from its sidecar."""

from __future__ import annotations

from nicegui import ui

from app_logic.made import EngineLine, Made
from pages.desk import Desk
from pages.texts import say, t
from pages.widgets import closed

MADE_JOBS = {
    "segmenter": "masks from prompts",
    "propagator": "masks through the clip",
    "matter": "soft alpha",
    "tracker": "points through the clip",
}


async def show_made(desk: Desk, made: Made | None, address: str) -> None:
    """Show how a result was made until the dialog is closed.

    Args:
        desk: the tab's.
        made: what its sidecar says; None where there is none.
        address: of the sidecar, to download it.
    """
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog sm-help"):
        ui.label(t("How it was made")).classes("sm-title")
        if made is None:
            ui.label(t("An older version made it and took no notes; deliver it again.")).classes("sm-note")
        else:
            _draw(made)
        with ui.row().classes("sm-buttons"):
            if made is not None:
                ui.button(t("Download the sidecar"), icon="description").props(
                    f'href="{address}" download flat no-caps'
                )
            ui.button(t("Close"), on_click=dialog.close).props("flat no-caps autofocus")
    await closed(dialog)


def _draw(made: Made) -> None:
    ui.label(made.file).classes("sm-strong sm-break")
    first, last = made.frames[0], made.frames[1] - 1
    ui.label(t("{source}, frames {first} to {last}", source=made.source, first=first, last=last)).classes("sm-note")
    for line in made.engines:
        _engine(line)
    for text in made.notices:
        ui.label(say(text)).classes("sm-warning")
    if made.commercial:
        ui.label(t("All licences allow commercial use.")).classes("sm-ready")
    else:
        against = "; ".join(made.forbidden_by)
        ui.label(t("Not for commercial use ({licence}).", licence=against)).classes("sm-warning")


def _engine(line: EngineLine) -> None:
    with ui.element("div").classes("sm-maker"):
        ui.label(f"{t(line.title)} – {t(MADE_JOBS.get(line.job, line.job))}").classes("sm-strong")
        count = t("1 frame") if line.frames == 1 else t("{count} frames", count=line.frames)
        ui.label(count + (f" · {line.objects}" if line.objects else ""))
        for text in (line.params, *line.weights, " · ".join(line.licences)):
            if text:
                ui.label(text).classes("sm-note sm-break")
