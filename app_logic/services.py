"""What lives as long as the app: the sessions of each kind, the queue and what runs it, warm processes for clicks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app_logic.matting_side import MattingSide
from app_logic.models import ModelsDesk
from app_logic.side import Side, Surroundings
from app_logic.tracking_side import TrackingSide
from app_logic.watch import Watch
from app_logic.watch.health import OK, Health
from app_logic.watch.links import Address
from config import get_settings
from errors import QueueBusyError, SessionNotFoundError, SplazMatteError
from log import LOG
from queue_logic import Interactive, JobQueue, Limits, LocalExecutor, Observer, QueueLock, QueueRunner, current_owner
from session_base import SessionFolders
from session_store import SessionStore
from tracking_session_store import TrackingSessionStore

HANDLERS = {
    "matting": "matting_runner.job:run_job",
    "tracking": "tracking_runner.job:run_job",
    "upload": "results.upload_job:run_job",
}
"""What does each kind of job; imported in worker processes only."""
LANES = {"upload": "net"}
"""Kinds of job that run beside those that compute, one at a time in each lane."""
_TAKEOVER = 3.0
"""Seconds between two tries to become the one that runs the queue."""


def make_runner(queue: JobQueue, observers: Sequence[Observer] = ()) -> QueueRunner:
    """Return what runs the workspace's jobs on this machine, as the settings say, and tells the observers of them."""
    from engines.devices import job_devices

    settings = get_settings()
    limits = Limits(hang_seconds=settings.job_hang_seconds, attempts=settings.job_attempts)
    executor = LocalExecutor(Path(queue.workspace), HANDLERS)
    return QueueRunner(queue, executor, job_devices(), limits, lanes=LANES, observers=observers)


class Services:
    """Everything that the pages share.

    Args:
        workspace: the folder of sessions/, tracking_sessions/ and queue.json.
        address: where the app listens, for links to it; by default as the settings say.
    """

    def __init__(self, workspace: Path, address: Address | None = None) -> None:
        from engines.devices import job_devices

        self.workspace = workspace
        self.devices = job_devices()
        self.queue = JobQueue(workspace)
        self.needs_password = bool(get_settings().password.get_secret_value())
        self.watch = Watch(workspace, get_settings(), address)
        self._runner = make_runner(self.queue, self.watch.observers)
        self._interactive = Interactive(workspace, self.devices[0], self._runner.first)
        self._ended = threading.Event()
        self._runs = False
        self._trouble = ""
        self.health = Health(workspace, self._queue_health)
        if self.watch.metrics:
            self.watch.metrics.processes = self._processes
        self._thread = threading.Thread(target=self._run_queue, name="queue", daemon=True)
        self.models = ModelsDesk()
        around = Surroundings(workspace, self.queue, self._interactive.call, self._ended.wait)
        stores: dict[str, SessionFolders[Any]] = {
            "matting": SessionStore(workspace / "sessions"),
            "tracking": TrackingSessionStore(workspace / "tracking_sessions"),
        }
        self.matting = MattingSide(around, stores["matting"], stores)
        self.tracking = TrackingSide(around, stores["tracking"], stores)

    @property
    def sides(self) -> dict[str, Side[Any]]:
        """Return every kind of session by its kind of jobs."""
        return {side.kind: side for side in (self.matting, self.tracking)}

    def side_of(self, session_id: str) -> Side[Any]:
        """Return the kind of a session; ids are never the same in two kinds.

        Raises:
            SessionNotFoundError: there is no such session.
        """
        for side in (self.matting, self.tracking):
            with suppress(SessionNotFoundError):
                side.store.folder(session_id)
                return side
        self.matting.store.folder(session_id)
        raise AssertionError("the line above has raised")

    @property
    def owner(self) -> str:
        """Return who else runs the queue; empty where it is this app, or nobody."""
        other = None if self._runs else current_owner(self.workspace)
        return str(other) if other else ""

    def start(self) -> None:
        """Begin to run the queue, as soon as no other process does."""
        self._thread.start()

    def close(self) -> None:
        """Interrupt what runs, end the processes, give the queue back."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self.watch.close()
        self._interactive.close()
        self.models.close()

    def _queue_health(self) -> str:
        """Say how it stands about the queue; see Health."""
        other = None if self._runs else current_owner(self.workspace)
        if not self._thread.is_alive():
            return "!nothing here would run jobs"
        if self._trouble:
            return "!the queue cannot be run; see the log"
        return f"run by {other.what}" if other else OK

    def _processes(self) -> list[tuple[str, str, int]]:
        pid = self._interactive.pid
        return [("interactive", self.devices[0], pid)] if pid else []

    def _run_queue(self) -> None:
        while not self._ended.is_set():
            try:
                with QueueLock(self.workspace, "web app"):
                    self._runs, self._trouble = True, ""
                    LOG.info("this process runs the queue")
                    self._runner.run(self._ended.is_set, forever=True)
            except QueueBusyError:
                self._trouble = ""
            except SplazMatteError as error:
                if str(error) != self._trouble:  # it is tried again and again
                    LOG.error("the queue stopped", error=str(error))
                self._trouble = str(error)
            except Exception as error:
                LOG.exception("the queue stopped")
                self._trouble = f"unexpected {type(error).__name__}"
            finally:
                self._runs = False
            self._ended.wait(_TAKEOVER)
