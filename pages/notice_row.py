"""Of a job in the queue's list: whether people were told of it, and telling them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from pages.desk import Desk
from pages.texts import say, t
from pages.widgets import icon_button

if TYPE_CHECKING:
    from queue_logic import Job


class NoticeRows:
    """What the rows of one tab's list have about notices."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._notices = desk.services.watch.notices

    def state(self) -> dict[str, tuple[str, bool]]:
        """Return what is other than before when something is to be drawn anew."""
        entries = self._notices.kept.all() if self._notices.enabled else []
        return {entry.job_id: (entry.reason, entry.sent) for entry in entries}

    def button(self, job_id: str) -> None:
        """Draw the button that tells people again, where that is possible."""
        job = self._job(job_id)
        if job is not None and self._notices.can_tell(job):
            icon_button("campaign", t("Send the notice again"), lambda: self._again(job_id))

    def label(self, job_id: str) -> None:
        """Draw why people were not told."""
        job = self._job(job_id)
        entry = self._notices.kept.of(job) if job is not None and self._notices.enabled else None
        if entry is not None and not entry.sent:
            ui.label(t("Notice not sent: {reason}", reason=say(entry.reason))).classes("sm-warning")

    def _job(self, job_id: str) -> Job | None:
        return next((job for job in self._desk.services.queue.jobs() if job.id == job_id), None)

    async def _again(self, job_id: str) -> None:
        def tell() -> bool:
            self._notices.resend(self._desk.services.queue.get(job_id))
            return True

        if await self._desk.do(tell):
            self._desk.tell(t("The notice is being sent."))
