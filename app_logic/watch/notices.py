"""Cards about jobs: sent in the background, one after the other; no job waits for one or fails by one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from app_logic.watch.facts import Facts
from app_logic.watch.kept import KeptNotices, Sent
from errors import JobStateError, NoticeError, ParameterError
from integrations.feishu import Notice
from integrations.feishu.client import Wait
from log import LOG
from queue_logic import Job, JobState
from queue_logic.job import now

MOST_WAITING = 100
DRAIN = 5.0
"""Seconds that what waits has at the end."""
_LAST = 1.0
"""Seconds after that for what is being sent just then."""
Told = Literal["started", "done", "failed"]
TOLD: dict[str, Told] = {"started": "started", "done": "done", "failed": "failed"}
STATES: dict[JobState, Told] = {
    JobState.RUNNING: "started",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
}
"""What can be said again of a job in that state."""


class Sender(Protocol):
    """What sends cards: integrations.feishu.Feishu, or what a test brings."""

    @property
    def takes_pictures(self) -> bool:
        """Tell whether a card may have a thumbnail."""

    def send(self, notice: Notice, jpeg: bytes | None = None) -> str:
        """Send it and return a remark; raises NoticeError."""

    def close(self) -> None:
        """Close the connections."""


class Notices:
    """An observer of QueueRunner that tells a group of people.

    Args:
        workspace: the folder of notices.json.
        facts: what cards say.
        make: makes what sends, from what waits; None where nobody is to be told.
    """

    def __init__(self, workspace: Path, facts: Facts, make: Callable[[Wait], Sender] | None) -> None:
        self.kept = KeptNotices(workspace)
        self.facts = facts
        self._make = make
        self._waiting: deque[tuple[Job, Told]] = deque()
        self._change = threading.Condition()
        self._current: tuple[Job, Told] | None = None
        self._closing = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def enabled(self) -> bool:
        """Tell whether anybody is told."""
        return self._make is not None

    def can_tell(self, job: Job) -> bool:
        """Tell whether there is anything to say again of a job, and anybody to tell it to."""
        return self.enabled and job.state in STATES

    def __call__(self, job: Job, what: str) -> None:
        """Tell of it, where that is wanted; returns at once."""
        quiet = job.parameters.get("until") == "frames" and what != "failed"  # every upload makes one, of seconds
        if self.enabled and what in TOLD and not quiet:
            self._put(job, TOLD[what])

    def resend(self, job: Job) -> None:
        """Tell of a job again, in the background.

        Raises:
            ParameterError: nobody is to be told.
            JobStateError: there is nothing to say of it.
        """
        self._put(job, self._checked(job))

    def send_now(self, job: Job) -> str:
        """Tell of a job again, and return a remark once that is done; see `resend`.

        Raises:
            NoticeError: it was not sent; the message says why.
        """
        event = self._checked(job)
        assert self._make is not None
        sender = self._make(self._ended.wait)
        try:
            entry = self._send(sender, job, event)
        finally:
            sender.close()
        if not entry.sent:
            raise NoticeError(entry.reason)
        return entry.reason

    def close(self, seconds: float = DRAIN) -> None:
        """Send what waits, for so many seconds; of what is left then it is kept that it was not sent."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread is not None:
            self._thread.join(seconds)
            self._ended.set()
            self._thread.join(_LAST)
            if self._thread.is_alive() and self._current is not None:
                self._keep(*self._current, "SplazMatte ended while it was being sent")
        if self._waiting:
            LOG.warning("notices were not sent: SplazMatte ended before", count=len(self._waiting))
            self.kept.add(*(_fate(*waits, "SplazMatte ended before it was sent") for waits in self._waiting))
            self._waiting.clear()

    def _checked(self, job: Job) -> Told:
        if not self.enabled:
            raise ParameterError("nobody is told of jobs: set SPLAZMATTE_FEISHU_WEBHOOK_URL")
        if job.state not in STATES:
            raise JobStateError(f"job {job.id} is {job.state}; notices are sent of jobs that run, are done or failed")
        return STATES[job.state]

    def _put(self, job: Job, event: Told) -> None:
        with self._change:
            if self._closing:
                return
            if len(self._waiting) >= MOST_WAITING:  # the oldest goes: what is newer matters more
                LOG.warning("a notice was dropped: too many wait", job_id=self._waiting[0][0].id)
                self._waiting.popleft()
            self._waiting.append((job, event))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
                self._thread.start()
            self._change.notify()

    def _run(self) -> None:
        assert self._make is not None
        sender = self._make(self._ended.wait)
        try:
            while True:
                with self._change:
                    while not self._waiting and not self._closing:
                        self._change.wait()
                    if not self._waiting or self._ended.is_set():
                        return
                    job, event = self._waiting.popleft()
                self._current = job, event
                self._send(sender, job, event)
                self._current = None
        finally:
            sender.close()

    def _send(self, sender: Sender, job: Job, event: Told) -> Sent:
        """Send a card, and keep whether it was."""
        try:
            jpeg = self.facts.thumbnail(job) if sender.takes_pictures else None
            remark = sender.send(self.facts.notice(job, event), jpeg)
            return self._keep(job, event, remark, sent=True)
        except NoticeError as error:
            return self._keep(job, event, str(error))
        except Exception as error:
            LOG.exception("a notice failed", job_id=job.id)
            return self._keep(job, event, f"unexpected {type(error).__name__}")

    def _keep(self, job: Job, event: Told, reason: str, *, sent: bool = False) -> Sent:
        entry = _fate(job, event, reason, sent=sent)
        told = LOG.info if sent else LOG.warning
        told("notice sent" if sent else "notice not sent", job_id=job.id, about=event, reason=reason)
        self.kept.add(entry)
        return entry


def _fate(job: Job, event: Told, reason: str, *, sent: bool = False) -> Sent:
    return Sent(job_id=job.id, created=job.created, event=event, time=now(), sent=sent, reason=reason)
