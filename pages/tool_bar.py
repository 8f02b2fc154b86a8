"""The tool bar beside the picture, whatever kind of session it shows: tools, undo and redo."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from nicegui import ui

from pages.desk import Desk
from pages.texts import t
from pages.widgets import Action, icon_button

Tool = tuple[str, str]
"""(icon, English text)."""


class ToolBar:
    """The tools; the browser's keys change them too. Kinds of sessions draw more below.

    Args:
        desk: the tab's.
        tools: by name.
    """

    def __init__(self, desk: Desk, tools: Mapping[str, Tool]) -> None:
        self._common = desk
        self.buttons: dict[str, ui.button] = {}
        self.tips: dict[str, ui.tooltip] = {}
        with ui.column().classes("sm-tools").props(f'role=toolbar aria-label="{t("Tools")}"') as self._column:
            for name, (icon, text) in tools.items():
                self.buttons[name], self.tips[name] = tool_button(icon, t(text), partial(self._take, name))
            ui.separator()
            self._undo = icon_button("undo", t("Undo"), self.undo)
            self._redo = icon_button("redo", t("Redo"), self.redo)
            ui.separator()
            self.more()
        self.show("point")
        self._open = True
        self._common_refresh()
        desk.on_view(self._common_refresh)

    def more(self) -> None:
        """Draw what this kind of session has below undo and redo."""

    def show(self, tool: str) -> None:
        """Mark the tool that is in the hand."""
        for name, button in self.buttons.items():
            button.props(f"color={'primary' if name == tool else 'grey'}")
            button.props["aria-pressed"] = "true" if name == tool else "false"

    async def undo(self) -> None:
        """Take the last decision back."""
        what = await self._common.edit("undo")
        if what:
            self._common.tell(t("Undone: {what}", what=t(what)))

    async def redo(self) -> None:
        """Do again what was taken back."""
        what = await self._common.edit("redo")
        if what:
            self._common.tell(t("Redone: {what}", what=t(what)))

    def _take(self, tool: str) -> None:
        self.show(tool)
        self._common.stage.set_options(tool=tool)

    def _common_refresh(self) -> None:
        editor = self._common.editor
        if self._open != (editor is not None):
            self._open = editor is not None
            for button in self._column.descendants():
                if isinstance(button, ui.button):
                    button.set_enabled(self._open)  # kinds of sessions look closer after this
        if editor is not None:
            self._undo.set_enabled(bool(editor.can_undo))
            self._redo.set_enabled(bool(editor.can_redo))


def tool_button(icon: str, label: str, action: Action) -> tuple[ui.button, ui.tooltip]:
    """Return a button and its tooltip, which lies around it: a disabled button hears no pointer."""
    with ui.element("div"):
        button = ui.button(icon=icon, on_click=action).props("flat dense round size=sm")
        button.props["aria-label"] = label
        return button, ui.tooltip(label)
