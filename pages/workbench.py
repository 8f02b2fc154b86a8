"""A page at work, whatever kind of session: sessions on the left, the picture in the middle, steps on the right."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from nicegui import background_tasks, ui

from pages.desk import Desk
from pages.header import Header
from pages.help_dialog import show_help
from pages.job_bar import JobBar
from pages.sessions_panel import SessionsPanel
from pages.stage import Stage
from pages.stage_kinds import StageKind
from pages.texts import t
from pages.tool_bar import ToolBar

Action = Callable[[], Awaitable[Any]]


class Workbench(ABC):
    """One tab. Pages say what their steps are, and what the picture's events do."""

    kind: ClassVar[StageKind]
    steps: ClassVar[Mapping[str, str]]
    """{name: English text} of the panels on the right."""
    help_steps: ClassVar[list[str]]
    """The way from a video to results, in English."""

    def __init__(self) -> None:
        with ui.element("div").classes("sm-page") as page:
            head = ui.element("header")
            with ui.element("main").classes("sm-main"):
                self._sessions = ui.element("nav").classes("sm-left").props(f'aria-label="{t("Sessions")}" tabindex=-1')
                ui.element("div").classes("sm-scrim").on("click", self._close_sessions)
                with ui.element("section").classes("sm-middle"):
                    tools = ui.element("div").classes("sm-toolplace")
                    self.stage = Stage(self._event, {text: t(text) for text in self.kind.texts}, self.kind)
                right = ui.element("aside").classes("sm-right")
        with page:
            self.desk: Desk = self.make_desk(self.stage)
        with head:
            Header(self.desk, self._toggle_sessions, self._help)
        with self._sessions:
            self._panel = SessionsPanel(self.desk, self._close_sessions)
        with tools:
            self.bar = self.make_tools()
        with right:
            self._steps()
        page.on("keydown.escape", self._close_sessions)

    @abstractmethod
    def make_desk(self, stage: Stage) -> Any:
        """Return what the panels share."""

    @abstractmethod
    def make_tools(self) -> ToolBar:
        """Draw the tools beside the picture."""

    @abstractmethod
    def draw_step(self, name: str) -> None:
        """Draw the panel of a step."""

    @abstractmethod
    def actions(self) -> Mapping[str, Action]:
        """Return what keys do that the stage hands on; undo, redo and help are there already."""

    @abstractmethod
    def heard(self, name: str, data: dict[str, Any]) -> Awaitable[Any] | None:
        """Do what the user did on the picture."""

    async def begin(self, asked: str) -> None:
        """Draw the list, and open the session that is asked for, or the last one."""
        await self._panel.refresh()
        session_id = asked or self.desk.last
        if session_id:
            await self.desk.open(session_id)

    def _steps(self) -> None:
        with ui.tabs().props("dense no-caps inline-label mobile-arrows outside-arrows").classes("sm-tabs") as tabs:
            for name, text in self.steps.items():
                ui.tab(name, label=t(text))
        first = next(iter(self.steps))
        with ui.tab_panels(tabs, value=first, animated=False, keep_alive=True).classes("sm-panels"):
            for name in self.steps:
                with ui.tab_panel(name):
                    self.draw_step(name)
        JobBar(self.desk)

    def _event(self, name: str, data: dict[str, Any]) -> None:
        """Take what the picture or the keyboard says."""
        if name == "frame":
            self.desk.at_frame(int(data["frame"]))
        elif name == "range":
            limits = (int(data["start"]), int(data["stop"])) if data.get("start") is not None else (None,)
            background_tasks.create(self.desk.edit("set_range", *limits))
        elif name == "action":
            background_tasks.create(self._act(str(data["name"])))
        else:
            if name == "options" and "tool" in data:
                self.bar.show(str(data["tool"]))
            doing = self.heard(name, data)
            if doing is not None:
                background_tasks.create(doing)

    async def _act(self, name: str) -> None:
        actions = {"undo": self.bar.undo, "redo": self.bar.redo, "help": self._help, **self.actions()}
        if name in actions and (self.desk.editor or name == "help"):
            await actions[name]()

    async def _help(self) -> None:
        await show_help(self.desk, self.help_steps, self.kind.keys)

    def _toggle_sessions(self, narrow: bool) -> None:
        """Fold the list of sessions away or out; in a narrow window it lies over the page."""
        self._sessions.classes(toggle="sm-open" if narrow else "sm-folded")

    def _close_sessions(self) -> None:
        """Take the list away where it lies over the page."""
        self._sessions.classes(remove="sm-open")
