"""One set of weights on the page of models: its terms, its state, and what can be done about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.element import Element

from app_logic.errands import Errand
from app_logic.models import ModelRow, ModelsDesk, Place
from app_logic.words import bytes_text, time_text
from engines.weights_table import WeightSet
from pages.model_terms import accepts_terms
from pages.texts import say, t
from pages.widgets import ask

STATES = {"missing": "not downloaded", "partial": "partly downloaded", "ready": "ready"}
STATE_TEXTS = list(STATES.values())
ICONS = {"missing": "cloud_download", "partial": "downloading", "ready": "check_circle"}
CHECKED = {
    "whole": "Checked: every file is what was downloaded.",
    "unknown": "Somebody put these files there by hand; there is no hash to compare them with.",
}
CHECKED_TEXTS = list(CHECKED.values())
LOG_IN = "hf auth login"
Do = Callable[..., Awaitable[Any]]
"""ModelsPage.do"""


class ModelRowView:
    """The row of one set; drawn anew where something other than progress has changed.

    Args:
        entry: the set.
        note: what it is for.
        desk: does what the buttons say.
        home: the page's outermost element, for dialogs.
        do: runs something and shows its errors.
    """

    def __init__(self, entry: WeightSet, note: str, desk: ModelsDesk, home: Element, do: Do) -> None:
        self._entry = entry
        self._desk = desk
        self._home = home
        self._do = do
        self._shown: object = None
        self._row: ModelRow | None = None
        self._bar: ui.linear_progress | None = None
        self._text: ui.label | None = None
        with ui.element("article").classes("sm-model").props(f'data-model="{entry.name}"'):
            self._state = ui.element("div").classes("sm-model-state")
            with ui.column().classes("sm-model-about"):
                with ui.row().classes("sm-model-title"):
                    ui.label(entry.title).classes("sm-title")
                    ui.label(bytes_text(entry.size)).classes("sm-dim")
                    if not entry.commercial:
                        ui.label(t("Not for commercial use")).classes("sm-chip sm-chip-warning")
                ui.label(t(note)).classes("sm-note")
                with ui.row().classes("sm-terms"):
                    ui.link(entry.licence, entry.page, new_tab=True).classes("sm-link")
                    ui.label(t(entry.terms)).classes("sm-note")
                if entry.gated:
                    _gate(entry)
                self._status = ui.column().classes("sm-model-status")
            self._buttons = ui.row().classes("sm-model-buttons")

    def show(self, row: ModelRow, place: Place) -> None:
        """Show what holds now."""
        self._row = row
        errand = row.download or row.check
        states = tuple(one.state if one else "" for one in (row.download, row.check))
        shown = (row.state, states, row.problem, row.checked, row.accepted, row.fits, place.offline)
        if shown != self._shown:
            self._shown = shown
            self._draw(row, place, errand)
        if errand is not None and self._bar is not None and self._text is not None:
            self._bar.set_visibility(errand.state != "waiting")
            self._bar.value = errand.fraction
            self._text.text = _progress(row, errand)

    def _draw(self, row: ModelRow, place: Place, errand: Errand | None) -> None:
        self._state.clear()
        with self._state:
            icon = ui.icon("sync" if errand else "error" if row.problem else ICONS[row.state])
            icon.classes(f"sm-model-icon sm-{'busy' if errand else 'problem' if row.problem else row.state}")
        self._status.clear()
        self._bar = self._text = None
        with self._status:
            if errand is not None:
                self._text = ui.label().classes("sm-jobtext").props('role=status aria-live="polite"')
                self._bar = ui.linear_progress(value=0, show_value=False, size="4px")
            else:
                self._rest(row)
        self._buttons.clear()
        with self._buttons:
            self._draw_buttons(row, place, errand)

    def _rest(self, row: ModelRow) -> None:
        """Draw what holds while nothing is being done."""
        state = t(STATES[row.state])
        if row.state == "partial":
            state = t(
                "{state}: {held} of {size}", state=state, held=bytes_text(row.held), size=bytes_text(row.entry.size)
            )
        ui.label(state).classes(f"sm-{row.state}")
        if row.checked:
            ui.label(t(CHECKED[row.checked])).classes("sm-note")
        if row.problem:
            ui.label(say(row.problem)).classes("sm-warning").props("role=alert")
        if row.state != "ready" and not row.fits:
            ui.label(t("There is no room for it: {needed} is still to come.", needed=bytes_text(row.needed))).classes(
                "sm-warning"
            )

    def _draw_buttons(self, row: ModelRow, place: Place, errand: Errand | None) -> None:
        if errand is not None:
            self._button(t("Stop"), "stop_circle", self._stop, "danger").set_enabled(errand.state != "stopping")
            return
        if row.state != "ready":
            text = t("Go on") if row.state == "partial" else t("Download")
            button = self._button(text, "download", self._download, "filled")
            button.set_enabled(row.fits and not place.offline)
        if row.state == "ready":
            self._button(t("Verify"), "fact_check", self._verify, "plain")
        if row.state != "missing":
            self._button(t("Remove"), "delete", self._remove, "danger")

    def _button(self, text: str, icon: str, action: Callable[[], Any], look: str) -> ui.button:
        """Return a button; `look` is 'filled', 'plain' or 'danger'."""
        button = ui.button(text, icon=icon, on_click=action, color=None if look == "danger" else "primary")
        button.props(f"no-caps size=13px padding='4px 12px' {'unelevated' if look == 'filled' else 'flat'}")
        button.classes("sm-danger" if look == "danger" else "")
        button.props["aria-label"] = f"{text}: {self._entry.title}"
        return button

    async def _download(self) -> None:
        row = self._row
        if row is None:
            return
        if not row.accepted:
            with self._home:
                if not await accepts_terms(row):
                    return
            await self._do(self._desk.accept, self._entry.name)
        await self._do(self._desk.download, self._entry.name)

    async def _stop(self) -> None:
        await self._do(self._desk.stop, self._entry.name)

    async def _verify(self) -> None:
        await self._do(self._desk.verify, self._entry.name)

    async def _remove(self) -> None:
        held = bytes_text(self._row.held if self._row else 0)
        with self._home:
            sure = await ask(
                t("Remove {title}?", title=self._entry.title),
                t("{size} is freed. Engines cannot use it until it is downloaded again.", size=held),
                t("Remove"),
                t("Cancel"),
            )
        if sure:
            await self._do(self._desk.remove, self._entry.name)


def _gate(entry: WeightSet) -> None:
    """Draw how to get access to weights whose authors want to be asked."""
    with ui.row().classes("sm-terms"):
        ui.icon("lock").classes("sm-dim")
        ui.label(t("Its authors ask you to log in and accept their terms on the hub first:")).classes("sm-note")
        ui.link(entry.page.partition("://")[2], entry.page, new_tab=True).classes("sm-link sm-break")
        ui.label(t("Then run, on this machine:")).classes("sm-note")
        ui.label(LOG_IN).classes("sm-key")


def _progress(row: ModelRow, errand: Errand) -> str:
    """Return how far an errand is, in one line."""
    if errand.state == "waiting":
        return t("Waits for what was asked for before.")
    if errand.state == "stopping":
        return t("Stopping …")
    done, total = errand.done or (row.held if row.download else 0), errand.total or row.entry.size
    parts = [t("Downloading") if row.download else t("Checking"), f"{bytes_text(done)} / {bytes_text(total)}"]
    if errand.speed > 0:
        parts.append(f"{bytes_text(errand.speed)}/s")
    if errand.seconds_left is not None and errand.done < errand.total:
        parts.append(t("{time} left", time=time_text(errand.seconds_left)))
    return " · ".join(parts)
