"""What was sent of which job, and what was not and why: the last ones, in workspace/notices.json."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel

from errors import SplazMatteError
from json_store import JsonStore
from log import LOG, without_secrets
from queue_logic import Job

KEPT = 100
_PATIENCE = 2.0
"""Seconds to wait while another process writes the file."""


class Sent(BaseModel):
    """One notice."""

    job_id: str
    created: datetime
    """Of the job: ids may come again."""
    event: str
    time: datetime
    sent: bool
    reason: str = ""
    """Why it was not sent; or what it lacks."""

    def is_of(self, job: Job) -> bool:
        """Tell whether it is about that job."""
        return (self.job_id, self.created) == (job.id, job.created)


class SentList(BaseModel):
    """What notices.json holds, the newest last."""

    notices: list[Sent] = []


class KeptNotices:
    """The file; whatever goes wrong with it, nothing else does."""

    def __init__(self, workspace: Path) -> None:
        self._store = JsonStore(workspace / "notices.json", SentList)
        self._lock = FileLock(workspace / ".notices.lock", timeout=_PATIENCE, thread_local=False)
        self._seen: tuple[int, int] | None = None
        self._known: list[Sent] = []

    def add(self, *entries: Sent) -> None:
        """Keep some more."""
        clean = [entry.model_copy(update={"reason": without_secrets(entry.reason)}) for entry in entries]
        try:
            with self._lock:
                kept = [*self._load(), *clean][-KEPT:]
                self._store.save(SentList(notices=kept))
        except (OSError, SplazMatteError, Timeout) as error:
            LOG.warning("a notice's fate could not be kept", reason=str(error))

    def all(self) -> list[Sent]:
        """Return them, the newest last."""
        seen = self._sign()
        if seen != self._seen:
            with suppress(OSError, SplazMatteError, Timeout), self._lock:
                self._known, self._seen = self._load(), seen
        return self._known

    def of(self, job: Job) -> Sent | None:
        """Return the newest one about a job; None where there is none."""
        return next((entry for entry in reversed(self.all()) if entry.is_of(job)), None)

    def _load(self) -> list[Sent]:
        with suppress(FileNotFoundError):
            return self._store.load().notices
        return []

    def _sign(self) -> tuple[int, int] | None:
        with suppress(OSError):
            stat = self._store.path.stat()
            return stat.st_mtime_ns, stat.st_size
        return None
