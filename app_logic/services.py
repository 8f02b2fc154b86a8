"""What lives as long as the app: the store, the queue and what runs it, warm processes for clicks, open sessions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from app_logic.models import ModelsDesk
from config import get_settings
from errors import QueueBusyError, SplazMatteError
from queue_logic import Interactive, JobQueue, Limits, LocalExecutor, QueueLock, QueueRunner, current_owner
from session_store import SessionStore
from tracking_session_store import TrackingSessionStore

if TYPE_CHECKING:
    from app_logic.editor import SessionEditor
    from app_logic.pictures import Pictures
    from app_logic.work import Work

HANDLERS = {"matting": "matting_runner.job:run_job", "tracking": "tracking_runner.job:run_job"}
"""What does each kind of job; imported in worker processes only."""
_OPEN = 8
"""Sessions whose editors, with their undo, are kept."""
_TAKEOVER = 3.0
"""Seconds between two tries to become the one that runs the queue."""


def make_runner(queue: JobQueue) -> QueueRunner:
    """Return what runs the workspace's jobs on this machine, as the settings say."""
    from engines.devices import job_devices

    settings = get_settings()
    limits = Limits(hang_seconds=settings.job_hang_seconds, attempts=settings.job_attempts)
    executor = LocalExecutor(Path(queue.workspace), HANDLERS)
    return QueueRunner(queue, executor, job_devices(), limits)


class Services:
    """Everything that the pages share.

    Args:
        workspace: the folder of sessions/ and queue.json.
    """

    def __init__(self, workspace: Path) -> None:
        from engines.devices import job_devices

        self.workspace = workspace
        self.devices = job_devices()
        self.store = SessionStore(workspace / "sessions")
        self.tracking_store = TrackingSessionStore(workspace / "tracking_sessions")
        self.queue = JobQueue(workspace)
        self.needs_password = bool(get_settings().password.get_secret_value())
        self._runner = make_runner(self.queue)
        self._interactive = Interactive(workspace, self.devices[0], self._runner.first)
        self._editors: OrderedDict[str, SessionEditor] = OrderedDict()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._runs = False
        self._thread = threading.Thread(target=self._run_queue, name="queue", daemon=True)
        self._work: Work | None = None
        self._pictures: Pictures | None = None
        self.models = ModelsDesk()

    @property
    def work(self) -> Work:
        """Return what starts and stops long work."""
        if self._work is None:
            from app_logic.work import Work

            self._work = Work(self.queue, self.store, self._ended.wait, self.tracking_store)
        return self._work

    @property
    def pictures(self) -> Pictures:
        """Return what makes the pictures that browsers ask for."""
        with self._lock:
            if self._pictures is None:
                from app_logic.pictures import Pictures

                self._pictures = Pictures(self.store, self.editor)
            return self._pictures

    @property
    def owner(self) -> str:
        """Return who else runs the queue; empty where it is this app, or nobody."""
        other = None if self._runs else current_owner(self.workspace)
        return str(other) if other else ""

    def editor(self, session_id: str) -> SessionEditor:
        """Return the editor of a session: the same one for every tab.

        Raises:
            SessionNotFoundError: there is no such session.
            StoreError: its state cannot be read.
        """
        from app_logic.editor import SessionEditor

        folder = self.store.folder(session_id)
        with self._lock:
            known = self._editors.get(session_id)
            if known is None or known.session.folder != folder:
                known = SessionEditor(self.workspace, self.store.open(session_id), self._interactive.call)
                self._editors[session_id] = known
            self._editors.move_to_end(session_id)
            while len(self._editors) > _OPEN:
                self._editors.popitem(last=False)
            return known

    def start(self) -> None:
        """Begin to run the queue, as soon as no other process does."""
        self._thread.start()

    def close(self) -> None:
        """Interrupt what runs, end the processes, give the queue back."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._interactive.close()
        self.models.close()

    def _run_queue(self) -> None:
        while not self._ended.is_set():
            try:
                with QueueLock(self.workspace, "web app"):
                    self._runs = True
                    self._runner.run(self._ended.is_set, forever=True)
            except QueueBusyError:
                pass
            except SplazMatteError as error:
                print(f"error: the queue stopped: {error}", flush=True)
            finally:
                self._runs = False
            self._ended.wait(_TAKEOVER)
