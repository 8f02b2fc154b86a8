"""What jobs of all kinds do with their session while a worker process runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from atomic import discard
from config import get_settings
from errors import SessionNotFoundError, SplazMatteError
from log import LOG
from queue_logic import Channel, JobProgress, JobQueue
from runner_base.progress import Progress
from session_base import StoredSession


def reporting(channel: Channel) -> Callable[[Progress], None]:
    """Return what tells the queue of a run's progress."""

    def report(progress: Progress) -> None:
        channel.progress(JobProgress.model_validate(progress, from_attributes=True))

    return report


@contextmanager
def may_be_deleted(session: StoredSession[Any]) -> Iterator[None]:
    """Say so when the session is deleted while the block works on it, and leave nothing of it.

    Raises:
        SessionNotFoundError: it was deleted.
    """
    try:
        yield
    except (OSError, SplazMatteError):
        if session.source.exists() or (session.folder / "state.json").exists():
            raise
        discard(session.folder)  # only what was being written while the rest was deleted
        raise SessionNotFoundError(f"session '{session.folder.name}' was deleted while it was being run") from None


def upload_after(workspace: Path, session: StoredSession[Any], *, delivered: bool) -> None:
    """Put an upload of what a job has delivered into the queue, where the settings want that of every job.

    Of nothing else: a format of an earlier run may be stale, gone, or not for commercial use.
    """
    settings = get_settings()
    made = [name for name in session.state.formats if name in session.state.delivered]
    if delivered and made and settings.storage_auto and settings.storage_backend:
        try:
            JobQueue(workspace).add("upload", session.state.id, {"formats": [*made]})
        except SplazMatteError as error:  # the results are there: the job is done all the same
            LOG.warning("the upload could not be queued", reason=str(error))
