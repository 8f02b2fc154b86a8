"""queue.json: read by anybody, written whole by one process at a time, and never in the way of a running job."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from errors import QueueBusyError, StorageError, StoreError, storage_errors
from json_store import JsonStore
from queue_logic.job import Job, QueueState

_PATIENCE = 10.0
"""Seconds to wait while another process writes the file; it holds it for milliseconds."""
_SAVE_EVERY = 1.0
"""Seconds between two saves of mere progress."""


class QueueFile:
    """The newest state of the queue, whichever process wrote it.

    Args:
        workspace: the folder of queue.json.
        clock: seconds, monotonic.
    """

    def __init__(self, workspace: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.notice = ""
        """What a user should know about how the file was read."""
        self.revision = 0
        """Grows with every change that this object has seen or made."""
        self._workspace = workspace
        self._store = JsonStore(workspace / "queue.json", QueueState, backup=True)
        self._paths = (workspace / "queue.json", workspace / "queue.json.backup")
        self._file_lock = FileLock(workspace / "queue.json.lock")
        self._thread_lock = threading.RLock()
        self._clock = clock
        self._state = QueueState()
        self._signature: tuple[int, ...] | None = None
        self._unsaved: dict[str, dict[str, Any]] = {}
        self._saved_at = -_SAVE_EVERY

    def read(self) -> QueueState:
        """Return the newest state, which is only to be looked at: `edit` changes it.

        Raises:
            StoreError: the file was written by a newer version.
        """
        with self._thread_lock:
            if self._sign() != self._signature:
                with self._locked_file():  # an unreadable file is set aside once, and never a new one in its place
                    self._load_if_changed()
            return self._state

    @contextmanager
    def edit(self) -> Iterator[QueueState]:
        """Give the newest state and save what the block makes of it; an error in it changes nothing.

        Raises:
            StorageError: the disk is full, read-only or not writable.
            StoreError: the file was written by a newer version.
            QueueBusyError: another process has kept the file for long.
        """
        with self._thread_lock, self._locked_file():
            self._load_if_changed()
            state = self._state.model_copy(update={"jobs": list(self._state.jobs)})
            yield state
            self._store.save(state)
            self._unsaved.clear()
            self._state, self._signature = state, self._sign()
            self._saved_at = self._clock()
            self.revision += 1

    def update(self, job_id: str, changes: dict[str, Any], *, save: bool) -> None:
        """Change fields of a job; where the disk is full they are kept in memory, and saved as soon as it allows.

        Args:
            job_id: the job; nothing happens when it is gone.
            changes: fields of Job.
            save: False for mere progress, which is saved about once a second.
        """
        with self._thread_lock:
            self._unsaved.setdefault(job_id, {}).update(changes)
            self._state = self._with_unsaved(self._state)
            self.revision += 1
            self.flush(at_once=save)

    def flush(self, *, at_once: bool = True) -> None:
        """Save what is not saved yet, if the disk allows it; unless `at_once`, about once a second."""
        with self._thread_lock:
            if not self._unsaved or not (at_once or self._clock() - self._saved_at >= _SAVE_EVERY):
                return
            try:
                with self.edit():
                    pass
            except (StorageError, QueueBusyError):
                self._saved_at = self._clock()  # so that a full disk is not tried at each frame

    @contextmanager
    def _locked_file(self) -> Iterator[None]:
        try:
            with storage_errors(self._workspace):
                self._workspace.mkdir(parents=True, exist_ok=True)
                self._file_lock.acquire(timeout=_PATIENCE, poll_interval=0.01)
        except Timeout:
            raise QueueBusyError(
                f"another process has kept {self._store.path} for {_PATIENCE:.0f} s; try again"
            ) from None
        try:
            yield
        finally:
            self._file_lock.release()

    def _load_if_changed(self) -> None:
        if self._sign() == self._signature:
            return
        try:
            self._state = self._store.load()
            self.notice = self._store.notice or self.notice
        except FileNotFoundError:
            self._state = QueueState()
        except StoreError as error:
            if self._store.exists():  # of a newer version: not ours to write
                raise
            self._state, self.notice = QueueState(), str(error)
        self._state = self._with_unsaved(self._state)
        self._signature = self._sign()
        self.revision += 1

    def _with_unsaved(self, state: QueueState) -> QueueState:
        """Return `state` with what is known and not saved yet over what the file says."""
        jobs = [job.model_copy(update=self._unsaved[job.id]) if job.id in self._unsaved else job for job in state.jobs]
        return state.model_copy(update={"jobs": jobs})

    def _sign(self) -> tuple[int, ...] | None:
        """Return what changes whenever the file, or its copy where it is gone, is replaced; None without both."""
        for path in self._paths:
            with suppress(FileNotFoundError):
                stat = path.stat()
                return stat.st_mtime_ns, stat.st_ino, stat.st_size
        return None


def read_jobs(workspace: Path) -> list[Job]:
    """Return the jobs as the file has them, for a look: nothing is locked, set aside or mended."""
    try:
        return QueueState.model_validate(json.loads((workspace / "queue.json").read_bytes())).jobs
    except (OSError, ValueError):
        return []
