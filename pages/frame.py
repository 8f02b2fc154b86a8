"""What every page has: its language and style sheets, and the buttons for language, light or dark, and log out."""

from __future__ import annotations

from nicegui import app, ui
from starlette.requests import Request

from config import get_settings
from pages.texts import choose, language, set_language, t
from pages.widgets import icon_button, tip

LANGUAGES = {"en": "English", "zh": "中文"}


def prepare(request: Request) -> None:
    """Give the page that is being made its language and its style sheets."""
    setting = get_settings().language
    chosen = choose(request.headers.get("accept-language", ""), setting, app.storage.user.get("language"))
    set_language(chosen)
    ui.add_head_html('<link rel="stylesheet" href="/static/page.css"><link rel="stylesheet" href="/static/stage.css">')
    ui.run_javascript(f"document.documentElement.lang = '{chosen}'")


def look_buttons() -> None:
    """Draw the choice of language, and the button for light or dark."""
    select = ui.select(LANGUAGES, value=language()).props("dense borderless options-dense")
    select.props["aria-label"] = t("Language")
    select.on_value_change(lambda event: _speak(event.value))
    dark = ui.dark_mode(app.storage.user.get("dark", True))

    def toggle() -> None:
        app.storage.user["dark"] = not app.storage.user.get("dark", True)
        dark.value = app.storage.user["dark"]

    icon_button("contrast", t("Light or dark"), toggle)


def log_out_button() -> None:
    """Draw the button that ends the log-in."""
    with ui.element("form").props('method=post action="/logout"'):
        tip(ui.button(icon="logout").props("type=submit flat dense round size=sm"), t("Log out"))


def page_link(icon: str, label: str, address: str) -> None:
    """Draw a link to another page of the app as a round button."""
    link = icon_button(icon, label, lambda: None)
    link.props(f'href="{address}"')


def side_header(title: str, *, needs_password: bool) -> None:
    """Draw the header of a page beside the workbench: the way back, its title, language, light or dark, log out."""
    with ui.element("header"), ui.row().classes("sm-header"):
        page_link("arrow_back", t("Back to the picture"), "/")
        ui.label("SplazMatte").classes("sm-brand")
        ui.label(title).classes("sm-dim")
        ui.space()
        look_buttons()
        if needs_password:
            log_out_button()


def _speak(chosen: str) -> None:
    app.storage.user["language"] = chosen
    ui.navigate.reload()
