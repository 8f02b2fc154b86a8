"""The page of settings: what can be set, what holds and where it comes from; tests of what is out of the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import run, ui
from starlette.requests import Request

from app_logic.checks import CHECKS, Check
from app_logic.settings_view import SettingRow, sections
from config import VERSION, misnamed
from errors import SplazMatteError
from pages.frame import prepare, side_header
from pages.texts import say, t
from pages.widgets import action_button, copy_text, heading, icon_button, tip

if TYPE_CHECKING:
    from app_logic.services import Services

ORIGINS = {"default": "default", ".env": "from .env", "environment": "from the environment"}
ORIGIN_TEXTS = list(ORIGINS.values())
COMMAND = "python run.py settings"


def register(services: Services) -> None:
    """Add the page at `/settings` to the app."""

    @ui.page("/settings", title="SplazMatte", dark=None)
    async def settings(request: Request) -> None:
        prepare(request)
        with ui.element("div").classes("sm-page"):
            side_header(t("Settings"), needs_password=services.needs_password)
            with ui.element("main").classes("sm-models"), ui.column().classes("sm-models-column"):
                ui.label(t("They are set in the environment or in .env, and hold from the next start on.")).classes(
                    "sm-note"
                )
                for text in misnamed():
                    ui.label(say(text)).classes("sm-warning")
                for title, rows in sections().items():
                    _section(title, rows)
                ui.label(f"SplazMatte {VERSION} · {COMMAND}").classes("sm-note")


def _section(title: str, rows: list[SettingRow]) -> None:
    with ui.column().classes("sm-model-group"):
        heading(t(title))
        with ui.element("div").classes("sm-setting-list"):
            for row in rows:
                _setting(row)
        if title in CHECKS:
            CheckView(CHECKS[title])


def _setting(row: SettingRow) -> None:
    box = ui.element("div").classes("sm-setting")
    box.props["data-setting"] = row.name
    with box:
        with ui.row().classes("sm-setting-name"):
            ui.label(row.name).classes("sm-key")
            line = f"{row.name}={row.value if '•' not in row.value else ''}"
            icon_button("content_copy", t("Copy the line for .env"), lambda: copy_text(line))
        with ui.column().classes("sm-setting-value"):
            ui.label(row.value or t("not set")).classes("sm-break" if row.value else "sm-dim")
            ui.label(t(row.description)).classes("sm-note")
            if row.coming is not None:
                ui.label(t("From the next start on: {value}", value=row.coming or t("not set"))).classes("sm-warning")
        chip = ui.label(t(ORIGINS[row.origin])).classes("sm-chip sm-chip-origin")
        if row.origin != "default":
            tip(chip.classes("sm-chip-set"), t("Default: {value}.", value=row.default or t("not set")))


class CheckView:
    """The button that tries a service out, and what came of it."""

    def __init__(self, check: Check) -> None:
        self._check = check
        with ui.row().classes("sm-check"):
            self._button = action_button(t(check.label), "network_check", self._try)
            self._result = ui.label().classes("sm-note").props('role=status aria-live="polite"')
        reason = check.obstacle
        self._button.set_enabled(check.is_set() and not reason)
        self._show(say(reason), "sm-warning")

    async def _try(self) -> None:
        self._button.props("loading")
        try:
            await run.io_bound(self._check.run)
            self._show(t(self._check.success), "sm-ready")
        except SplazMatteError as error:
            self._show(say(str(error)), "sm-warning")
        finally:
            self._button.props(remove="loading")

    def _show(self, text: str, look: str) -> None:
        self._result.text = text
        self._result.classes(replace=look)


CHECK_TEXTS = [text for check in CHECKS.values() for text in (check.label, check.success)]
