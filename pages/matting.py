"""The matting page: sessions on the left, the picture in the middle, the steps of the work on the right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from nicegui import app, background_tasks, ui
from starlette.requests import Request

from pages.deliver_panel import DeliverPanel
from pages.desk import Desk
from pages.frame import prepare
from pages.header import Header
from pages.help_dialog import show_help
from pages.job_bar import JobBar
from pages.objects_panel import ObjectsPanel
from pages.queue_panel import QueuePanel
from pages.run_panels import MattePanel, PropagatePanel
from pages.sessions_panel import SessionsPanel
from pages.stage import MAKER_TEXTS, STAGE_TEXTS, Stage
from pages.texts import t
from pages.tools import ToolBar

if TYPE_CHECKING:
    from app_logic.services import Services

STEPS = {
    "objects": ("category", "Objects"),
    "propagate": ("double_arrow", "Propagate"),
    "matte": ("auto_awesome", "Matte"),
    "deliver": ("movie", "Deliver"),
    "queue": ("list", "Queue"),
}
STEP_TEXTS = [text for _, text in STEPS.values()]


def register(services: Services) -> None:
    """Add the page at `/` to the app."""

    @ui.page("/", title="SplazMatte", dark=None)
    async def matting(request: Request) -> None:
        prepare(request)
        page = MattingPage(services)
        await page.begin(request.query_params.get("session", ""))


class MattingPage:
    """One tab."""

    def __init__(self, services: Services) -> None:
        with ui.element("div").classes("sm-page") as page:
            head = ui.element("header")
            with ui.element("main").classes("sm-main"):
                self._sessions = ui.element("nav").classes("sm-left").props(f'aria-label="{t("Sessions")}"')
                with ui.element("section").classes("sm-middle"):
                    tools = ui.element("div").classes("sm-toolplace")
                    self.stage = Stage(self._event, {text: t(text) for text in (*STAGE_TEXTS, *MAKER_TEXTS)})
                right = ui.element("aside").classes("sm-right")
        with page:
            self.desk = Desk(services, self.stage)
        with head:
            Header(self.desk, self._toggle_sessions)
        with self._sessions:
            self._panel = SessionsPanel(self.desk)
        with tools:
            self.tools = ToolBar(self.desk)
        with right:
            self._steps()

    def _steps(self) -> None:
        with ui.tabs().props("dense no-caps inline-label mobile-arrows outside-arrows").classes("sm-tabs") as tabs:
            for name, (_, text) in STEPS.items():
                ui.tab(name, label=t(text))
        with ui.tab_panels(tabs, value="objects", animated=False, keep_alive=True).classes("sm-panels"):
            with ui.tab_panel("objects"):
                ObjectsPanel(self.desk)
            with ui.tab_panel("propagate"):
                self._propagate = PropagatePanel(self.desk)
            with ui.tab_panel("matte"):
                self._matte = MattePanel(self.desk)
            with ui.tab_panel("deliver"):
                DeliverPanel(self.desk)
            with ui.tab_panel("queue"):
                QueuePanel(self.desk)
        JobBar(self.desk)

    async def begin(self, asked: str) -> None:
        """Draw the list, and open the session that is asked for, or the last one."""
        await self._panel.refresh()
        session_id = asked or app.storage.user.get("session", "")
        if session_id:
            await self.desk.open(session_id)

    def _event(self, name: str, data: dict[str, Any]) -> None:
        """Take what the picture or the keyboard says."""
        if name in ("click", "box", "stroke"):
            background_tasks.create(self.tools.event(name, data))
        elif name == "frame":
            self.desk.at_frame(int(data["frame"]))
        elif name == "range":
            limits = (int(data["start"]), int(data["stop"])) if data.get("start") is not None else (None,)
            background_tasks.create(self.desk.edit("set_range", *limits))
        elif name == "options" and "tool" in data:
            self.tools.show(str(data["tool"]))
        elif name == "action":
            background_tasks.create(self._act(str(data["name"])))

    async def _act(self, name: str) -> None:
        actions: dict[str, Callable[[], Awaitable[Any]]] = {
            "undo": self.tools.undo,
            "redo": self.tools.redo,
            "delete_keyframe": self.tools.clear,
            "keep_mask": self.tools.keep,
            "new_object": self._new_object,
            "propagate": lambda: self.desk.do(self.desk.services.work.propagate, self.desk.session_id),
            "matte_frame": self._matte.matte_frame,
            "help": lambda: show_help(self.desk),
        }
        if name in actions and (self.desk.editor or name == "help"):
            await actions[name]()

    async def _new_object(self) -> None:
        made = await self.desk.edit("add_object")
        if made is not None:
            self.desk.choose_object(made)

    def _toggle_sessions(self) -> None:
        self._sessions.classes(toggle="sm-open")
