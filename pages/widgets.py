"""Small pieces that every panel uses: labelled, with a tooltip, reachable by keyboard."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from nicegui import ui
from nicegui.element import Element

from pages.texts import say, t

Action = Callable[[], Awaitable[Any] | Any]
_COPY = """(async text => {
    try { await navigator.clipboard.writeText(text); } catch {  // it is there on secure connections only
        const area = document.createElement('textarea');
        area.value = text;
        (document.querySelector('.sm-dialog') || document.body).append(area);  // a dialog keeps the focus inside
        area.select();
        document.execCommand('copy');
        area.remove();
    }
})"""


def icon_button(icon: str, label: str, action: Action, *, colour: str = "") -> ui.button:
    """Return a flat round button with `label` as tooltip and accessible name."""
    button = ui.button(icon=icon, on_click=action).props("flat dense round size=sm")
    button.props["aria-label"] = label
    if colour:
        button.props(f"color={colour}")
    tip(button, label)
    return button


def name_button(name: str, action: Action) -> ui.button:
    """Return a button that is a name, which may be too long for its place."""
    button = ui.button(name, on_click=action).props("flat dense no-caps align=left").classes("sm-name")
    tip(button, name)
    return button


def more_menu(label: str) -> ui.menu:
    """Return the menu of a round button with three dots; it opens without the button's tooltip over it."""
    with icon_button("more_vert", label, lambda: None):
        return ui.menu().props("auto-close").classes("sm-menu")


def tip(element: Element, text: str) -> None:
    """Give an element a tooltip that lies in it, not beside it: it comes and goes with the element."""
    with element:
        ui.tooltip(text).classes("sm-tooltip")


def copy_text(text: str) -> None:
    """Put a text on the clipboard of the browser that the current event came from, in any network."""
    ui.run_javascript(f"{_COPY}({json.dumps(text)})")


def action_button(label: str, icon: str, action: Action, *, primary: bool = False) -> ui.button:
    """Return a button with text, as wide as its panel."""
    button = ui.button(label, icon=icon, on_click=action).props("dense no-caps unelevated")
    button.props("color=primary" if primary else "outline color=primary")
    return button.classes("sm-action")


def heading(text: str, help_text: str = "") -> None:
    """Draw the heading of a part of a panel, with an explanation beside it."""
    with ui.row().classes("sm-heading"):
        ui.label(text)
        if help_text:
            hint(help_text)


def hint(text: str) -> None:
    """Draw a question mark that explains."""
    icon = ui.icon("help_outline").classes("sm-hint")
    icon.props["tabindex"] = "0"
    icon.props["aria-label"] = text
    icon.props["role"] = "img"
    tip(icon, text)


def out_of_date() -> None:
    """Mark a result that was made before the last changes."""
    label = ui.label(t("out of date")).classes("sm-warning")
    tip(label, t("Made before the last changes: deliver it again."))


class Choices(ui.select):
    """A menu of which some options are shown greyed and cannot be chosen.

    Args:
        options: label by value.
        blocked: values that cannot be chosen; one that is chosen already stays.
        more: as of ui.select.
    """

    def __init__(self, options: dict[str, str], blocked: Collection[str], **more: Any) -> None:
        self._blocked = frozenset(blocked)
        super().__init__(options, **more)

    def _update_options(self) -> None:
        super()._update_options()
        for option, value in zip(self._props["options"], self._values, strict=True):
            option["disable"] = value in self._blocked


def show_error(error: Exception) -> None:
    """Show an error until it is read."""
    ui.notify(
        say(str(error)), type="negative", position="top", timeout=12_000, close_button=t("Close"), multi_line=True
    )


async def closed(dialog: ui.dialog) -> Any:
    """Wait until a dialog is closed, take it off the page, and return its answer."""
    answer = await dialog
    if not dialog.is_deleted:  # with its page, when that was closed
        dialog.delete()
    return answer


async def ask(title: str, text: str, yes: str, no: str) -> bool:
    """Ask a question and return whether the answer was yes."""
    return await ask_option(title, text, "", yes, no) is not None


async def ask_option(title: str, text: str, option: str, yes: str, no: str) -> bool | None:
    """Ask a question and return whether the option was ticked; None where the answer was no.

    Args:
        title: of the dialog.
        text: below it.
        option: label of a checkbox, which is off at first; empty for none.
        yes: label of the button that agrees.
        no: of the other one.
    """
    with ui.dialog() as dialog, ui.card().classes("sm-dialog"):
        ui.label(title).classes("sm-title")
        ui.label(text)
        ticked = ui.checkbox(option).props("dense") if option else None
        with ui.row().classes("sm-buttons"):
            ui.button(no, on_click=lambda: dialog.submit(False)).props("flat no-caps")
            ui.button(yes, on_click=lambda: dialog.submit(True)).props("unelevated no-caps color=negative autofocus")
    answer = await closed(dialog)
    return bool(ticked and ticked.value) if answer else None


async def ask_text(title: str, value: str, yes: str, no: str) -> str | None:
    """Ask for a line of text and return it; None where the user does not want to."""
    with ui.dialog() as dialog, ui.card().classes("sm-dialog"):
        ui.label(title).classes("sm-title")
        field = ui.input(value=value).props("outlined dense autofocus maxlength=200").classes("w-full")
        field.props["aria-label"] = title
        field.on("keydown.enter", lambda: dialog.submit(field.value))
        with ui.row().classes("sm-buttons"):
            ui.button(no, on_click=lambda: dialog.submit(None)).props("flat no-caps")
            ui.button(yes, on_click=lambda: dialog.submit(field.value)).props("unelevated no-caps color=primary")
    answer = await closed(dialog)
    return str(answer) if answer is not None else None
