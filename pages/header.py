"""The line above everything: where we are, what the machine does, language, light or dark, help, log out."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from app_logic.words import bytes_text
from pages.desk import Desk
from pages.frame import log_out_button, look_buttons, page_link
from pages.texts import t
from pages.widgets import Action, icon_button

PAGES = {"matting": ("/", "Matting"), "tracking": ("/tracking", "Tracking")}
PAGE_TEXTS = [text for _, text in PAGES.values()]
_NARROW = "() => emit(matchMedia('(max-width: 1080px)').matches)"  # as in page.css


class Header:
    """The header of every page.

    Args:
        desk: the tab's.
        toggle_sessions: called with whether the window is too narrow for the list of sessions beside the picture.
        show_help: opens the help.
    """

    def __init__(self, desk: Desk, toggle_sessions: Callable[[bool], None], show_help: Action) -> None:
        self._desk = desk
        with ui.row().classes("sm-header"):
            menu = icon_button("menu", t("Sessions"), lambda: None)
            menu.on("click", lambda event: toggle_sessions(bool(event.args)), js_handler=_NARROW)
            ui.label("SplazMatte").classes("sm-brand")
            self._pages(desk.side.kind)
            self._name = ui.label().classes("sm-title-name sm-ellipsis")
            ui.space()
            self._machine = ui.label().classes("sm-machine")
            self._state = ui.label().classes("sm-machine sm-enginestate").props('role=status aria-live="polite"')
            look_buttons()
            page_link("model_training", t("Models"), "/models")
            page_link("settings", t("Settings"), "/settings")
            icon_button("help_outline", t("Help and keys (?)"), show_help)
            if desk.services.needs_password:
                log_out_button()
        desk.on_view(self._refresh)
        desk.on_jobs(self._refresh)
        ui.timer(3.0, self._look)

    def _pages(self, current: str) -> None:
        """Draw the links between the pages of the two kinds of sessions."""
        with ui.element("nav").classes("sm-pages").props(f'aria-label="{t("Pages")}"'):
            for kind, (address, text) in PAGES.items():
                link = ui.link(t(text), address).classes("sm-pagelink")
                if kind == current:
                    link.props["aria-current"] = "page"

    def _refresh(self) -> None:
        view = self._desk.view
        self._name.text = view["name"] if view else ""
        running = [job for job in self._desk.jobs if job.state == "running"]
        if view and self._desk.busy:
            self._state.text = t("Engine: working on a click")
        elif running:
            self._state.text = t("Engine: {stage} {percent} %", stage=t(running[0].progress.stage or "Starting"),
                                 percent=f"{running[0].progress.fraction * 100:.0f}")  # fmt: skip
        else:
            self._state.text = t("Engine: ready")

    def _look(self) -> None:
        from machine import cpu_count, memory_available, memory_total

        devices = " ".join(self._desk.services.devices).upper()
        total = memory_total()
        used = bytes_text(total - memory_available())
        self._machine.text = f"{devices} × {cpu_count()} · {used} / {bytes_text(total)}"
