"""What a run will take, told before it is started, for every kind of session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import run, ui

from app_logic.words import bytes_text, time_text
from errors import SplazMatteError
from pages.desk import Desk
from pages.texts import say, t


class Estimate:
    """What a run up to a stage will take, told before it is started.

    Args:
        desk: the tab's.
        until: the stage.
        ready: tells of a view whether there is anything to run.
    """

    def __init__(self, desk: Desk, until: str, ready: Callable[[dict[str, Any]], bool]) -> None:
        self._desk = desk
        self._until = until
        self._ready = ready
        self._asked: object = None
        self._text = ui.label().classes("sm-note")
        self._refusal = ui.label().classes("sm-warning")
        ui.timer(1.0, self._refresh)

    async def _refresh(self) -> None:
        desk = self._desk
        asked = (desk.session_id, desk.view["revision"] if desk.view else 0, self._until)
        at_work = desk.job is not None and desk.job.kind == desk.side.kind  # an upload changes nothing
        if at_work or asked == self._asked:
            return
        self._asked = asked
        self._text.text = self._refusal.text = ""
        if desk.view and self._ready(desk.view):
            await self._show(desk.session_id)

    async def _show(self, session_id: str) -> None:
        work = self._desk.side.work
        try:
            needs = await run.io_bound(work.estimate, session_id, self._until)
            refusal = await run.io_bound(work.refusal, session_id, self._until)
        except SplazMatteError as error:
            self._refusal.text = say(str(error))
            return
        if needs is None:  # the app is ending
            return
        if not needs.seconds:
            self._text.text = t("All is up to date.")
            return
        self._text.text = t(
            "About {time}, {memory} of memory, {disk} of disk.",
            time=time_text(needs.seconds),
            memory=bytes_text(needs.memory_bytes),
            disk=bytes_text(needs.disk_bytes),
        )
        self._refusal.text = say(refusal) if refusal else ""
