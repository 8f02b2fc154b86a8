"""What the panels of one tab share: the open session and the frame; and how errors are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from nicegui import app, background_tasks, run, ui
from nicegui.element import Element

from app_logic.engine_menu import Menus, engine_menus
from app_logic.jobs import notices
from errors import SessionError, SessionNotFoundError, SplazMatteError
from pages.texts import say, t
from pages.widgets import show_error

if TYPE_CHECKING:
    from app_logic.services import Services
    from app_logic.side import Side
    from pages.stage import Stage
    from queue_logic import Job

POLL = 0.25
"""Seconds between two looks at what other tabs and the running job have changed."""
MENU_POLL = 2.0
"""Seconds between two looks at which engines can run."""


class Desk:
    """One tab at work. Panels register with `on_view`, `on_jobs` and `on_frame`, and change things through `do`."""

    slow: ClassVar[frozenset[str]] = frozenset()
    """Edits that wait for an engine; the editor sees to their order itself."""

    def __init__(self, services: Services, side: Side[Any], stage: Stage) -> None:
        self.services = services
        self.side = side
        self.stage = stage
        self.editor: Any = None
        self.view: dict[str, Any] | None = None
        self.jobs: list[Job] = []
        self.frame = 0
        self._home = ui.context.slot.parent
        self._on_view: list[Callable[[], None]] = []
        self._on_jobs: list[Callable[[], None]] = []
        self._on_frame: list[Callable[[], None]] = []
        self._on_menus: list[Callable[[], None]] = []
        self.menus: Menus = engine_menus()
        self._seen: tuple[str, int] = ("", -1)
        self._jobs_seen: object = None
        self._told: set[str] | None = None
        self._polling = self._wanted = False
        self._in_turn = asyncio.Lock()
        ui.timer(POLL, self.poll)
        ui.timer(MENU_POLL, self._poll_menus)

    @property
    def _remembered(self) -> str:
        """Return under what the browser remembers the open session."""
        return "session" if self.side.kind == "matting" else f"{self.side.kind} session"

    @property
    def last(self) -> str:
        """Return the id of the session that this browser had open last; empty if none."""
        return str(app.storage.user.get(self._remembered, ""))

    @property
    def home(self) -> Element:
        """Return the page's outermost element: dialogs opened from a list that is redrawn live there."""
        return self._home

    @property
    def session_id(self) -> str:
        """Return the open session's id; empty where none is open."""
        return str(self.editor.session.state.id) if self.editor else ""

    @property
    def job(self) -> Job | None:
        """Return the open session's job that waits or runs."""
        mine = [job for job in self.jobs if job.session_id == self.session_id and not job.state.is_finished]
        return next(iter(sorted(mine, key=lambda job: job.state.is_waiting)), None)

    def on_view(self, callback: Callable[[], None]) -> None:
        """Call `callback` when what the session shows has changed, and when another one is opened."""
        self._on_view.append(callback)

    def on_jobs(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the queue has changed."""
        self._on_jobs.append(callback)

    def on_menus(self, callback: Callable[[], None]) -> None:
        """Call `callback` when other engines can run than before: weights have come or gone."""
        self._on_menus.append(callback)

    def on_frame(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the frame, or what is worked on, has changed."""
        self._on_frame.append(callback)

    async def open(self, session_id: str) -> None:
        """Open a session; the browser remembers it for its next visit."""
        editor = await self.do(self.side.editor, session_id)
        if editor is None:
            self.forget()
            return
        self.editor = editor
        app.storage.user[self._remembered] = session_id
        self.opened()
        self._seen = ("", -1)
        await self.poll()
        self.stage.goto(0)

    def close(self) -> None:
        """Show no session."""
        self.editor = self.view = None
        self._seen = ("", -1)
        self.stage.set_view(None)
        self._tell(self._on_view)

    def forget(self) -> None:
        """Show no session, and open none at the next visit."""
        app.storage.user.pop(self._remembered, None)
        self.close()

    def opened(self) -> None:
        """Choose what is worked on in a session that was just opened."""

    @property
    def busy(self) -> bool:
        """Tell whether an engine works on a click."""
        return False

    def chosen(self) -> dict[str, Any]:
        """Return the stage's options that say what is worked on, as far as the view has it."""
        return {}

    def at_frame(self, frame: int) -> None:
        """Take note of the frame that the tab looks at."""
        if frame != self.frame:
            self.frame = frame
            self.tell_frame()

    def tell_frame(self) -> None:
        """Tell panels that the frame, or what is worked on, has changed."""
        self._tell(self._on_frame)

    async def do(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Run `function` in a thread; show the error it raises, if that is meant for users, and return None then."""
        try:
            return await run.io_bound(function, *arguments, **named)
        except SplazMatteError as error:
            self.complain(error)
        finally:
            self.soon()
        return None

    async def edit(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the session's editor: one after the other, as the user asked, but for what takes long."""
        if self.editor is None:
            return None
        method = getattr(self.editor, name)
        if name in self.slow:
            return await self.do(method, *arguments, **named)
        async with self._in_turn:
            return await self.do(method, *arguments, **named)

    def complain(self, error: Exception) -> None:
        """Show an error until it is read."""
        with self._home:
            show_error(error)

    def tell(self, text: str) -> None:
        """Show a line for a moment."""
        with self._home:
            ui.notify(text, type="info", position="bottom", timeout=2500)

    def soon(self) -> None:
        """Look for changes without waiting for the timer."""
        background_tasks.create(self.poll())

    async def poll(self) -> None:
        """Take up what has changed since the last look."""
        self._wanted = True
        if self._polling:  # it looks once more when it is through
            return
        self._polling = True
        try:
            while self._wanted:
                self._wanted = False
                await self._poll_session()
                await self._poll_jobs()
        except SessionNotFoundError:
            self.tell(t("The session was deleted, here or in another tab."))
            self.forget()
        except SessionError as error:
            self.complain(error)
            self.forget()
        except SplazMatteError as error:
            self.complain(error)
        finally:
            self._polling = False

    async def _poll_session(self) -> None:
        editor = self.editor
        if editor is None:
            return
        await run.io_bound(editor.refresh)
        if (self.session_id, editor.revision) == self._seen:
            return
        view = await run.io_bound(editor.view)
        if view is None or editor is not self.editor:  # None: the app is ending
            return
        self._seen = self.session_id, view["revision"]
        self.view = view
        with self._home:
            self.stage.set_view(view)
            self.stage.set_options(**self.chosen())
            self._tell(self._on_view)

    async def _poll_jobs(self) -> None:
        jobs = await run.io_bound(self.services.queue.jobs)
        if jobs is None:
            return
        seen = (self.services.queue.revision, self.session_id)
        if seen != self._jobs_seen:
            self._jobs_seen, self.jobs = seen, jobs
            self._tell(self._on_jobs)
            self._notify_notices()

    async def _poll_menus(self) -> None:
        menus = await run.io_bound(engine_menus)
        if menus is not None and menus != self.menus:
            self.menus = menus
            self._tell(self._on_menus)

    def _notify_notices(self) -> None:
        """Tell what engines did other than they were asked to, once, of the jobs that end while the tab looks."""
        done = [job for job in self.jobs if job.state.is_finished]
        news = [job for job in done if self._told is not None and job.id not in self._told]
        self._told = {job.id for job in done}
        for job in news:
            for line in notices(job) if job.session_id == self.session_id else ():
                with self._home:
                    ui.notify(say(line), type="warning", position="bottom", timeout=12_000, close_button=t("Close"))

    def _tell(self, listeners: list[Callable[[], None]]) -> None:
        with self._home:
            for listener in listeners:
                listener()
