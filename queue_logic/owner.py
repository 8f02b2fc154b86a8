"""Who runs the queue of a workspace: one process at a time, the web app or the command line."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from atomic import write_bytes
from errors import QueueBusyError, storage_errors
from queue_logic.job import now
from queue_logic.process import ProcessRecord

_PATIENCE = 0.2
"""Seconds to wait for a lock that its owner is just giving back."""


class Owner(BaseModel):
    """The process that runs the queue, as its record beside the lock says."""

    process: ProcessRecord
    since: datetime
    what: str
    """'web app' or 'run-queue'."""

    def __str__(self) -> str:
        """Return it as messages name it."""
        since = f"{self.since.astimezone():%Y-%m-%d %H:%M}"
        return f"{self.what}, process {self.process.pid} on {self.process.host}, since {since}"


class QueueLock:
    """The right to run a workspace's queue, held as a lock of the operating system: it ends with its process.

    So nothing has to be guessed from ages or process ids, and a clock that is set back changes nothing. The record
    beside the lock only names the owner; one that is left without a lock belongs to a process that died.

    Args:
        workspace: the folder of queue.json.
        what: how messages name this process.
    """

    def __init__(self, workspace: Path, what: str) -> None:
        self._workspace = workspace
        self._what = what
        self._lock = FileLock(workspace / "queue.lock")
        self._record = workspace / "queue.owner.json"
        self.left_by: Owner | None = None
        """The owner before, where it died without giving the queue back."""

    def acquire(self) -> None:
        """Become the owner.

        Raises:
            QueueBusyError: another process is; the message says which.
            StorageError: the workspace is not writable.
        """
        with storage_errors(self._workspace):
            self._workspace.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=_PATIENCE, poll_interval=0.02)
            except Timeout:
                raise QueueBusyError(_busy(read_owner(self._workspace))) from None
            self.left_by = read_owner(self._workspace)
            mine = Owner(process=ProcessRecord.of(os.getpid()), since=now(), what=self._what)
            try:
                write_bytes(self._record, mine.model_dump_json().encode())
            except BaseException:
                self._lock.release()
                raise

    def release(self) -> None:
        """Give the queue back."""
        self._record.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> QueueLock:
        """Become the owner and return itself."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the queue back."""
        self.release()


def read_owner(workspace: Path) -> Owner | None:
    """Return what the record says; None where there is none that can be read."""
    try:
        return Owner.model_validate_json((workspace / "queue.owner.json").read_bytes())
    except (OSError, ValidationError):
        return None


def current_owner(workspace: Path) -> Owner | None:
    """Return who runs the queue; None where nobody does, or where the one who did has died on this machine."""
    owner = read_owner(workspace)
    if owner and owner.process.host == socket.gethostname() and not owner.process.is_here():
        return None
    return owner


def _busy(owner: Owner | None) -> str:
    who = str(owner) if owner else "another process"
    return f"the queue is being run by {who}; it takes new jobs too: run.py queue add ID"
