"""The workspace as the settings name it: its sessions and its queue, opened where a command first needs them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from cli.output import note

if TYPE_CHECKING:
    from queue_logic import Job, JobQueue
    from session_store import MattingSession, SessionStore
    from tracking_session_store import TrackingSessionStore


def stores() -> dict[str, SessionStore]:
    """Return the stores of sessions by kind."""
    from config import get_settings
    from session_store import SessionStore

    return {"matting": SessionStore(get_settings().sessions_dir)}


def tracking_store() -> TrackingSessionStore:
    """Return the store of tracking sessions."""
    from config import get_settings
    from tracking_session_store import TrackingSessionStore

    return TrackingSessionStore(get_settings().workspace_dir / "tracking_sessions")


def open_session(session_id: str) -> MattingSession:
    """Return the matting session of that id."""
    return stores()["matting"].open(session_id)


def open_jobs() -> dict[str, Job]:
    """Return the jobs that wait or run by session; where one has several, the one that runs or is next."""
    from config import get_settings
    from queue_logic import read_jobs

    found: dict[str, Job] = {}
    for job in read_jobs(get_settings().workspace_dir):
        if not job.state.is_finished and (job.session_id not in found or job.state == "running"):
            found[job.session_id] = job
    return found


def open_queue() -> JobQueue:
    """Return the workspace's queue, and say what is odd about its file."""
    from config import get_settings
    from queue_logic import JobQueue

    queue = JobQueue(get_settings().workspace_dir)
    if queue.notice:
        note(f"warning: {queue.notice}")
    return queue


def enqueue(session: MattingSession, *, until: str = "deliver", force: bool = False) -> Job:
    """Put a session at the end of the queue, with what it will need.

    Raises:
        ResourceError: it clearly does not fit this machine, and it is not forced.
    """
    from matting_runner import Stage, foresee

    needs = foresee(session, until=Stage(until), refuse=not force)
    parameters: dict[str, Any] = ({} if until == "deliver" else {"until": until}) | ({"force": True} if force else {})
    return open_queue().add("matting", session.state.id, parameters, needs)


def video_names() -> Callable[[Job], str]:
    """Return a function that tells a job's video; '' where its session cannot be opened."""
    from errors import SessionError

    store = stores()["matting"]

    @cache
    def name(session_id: str) -> str:
        try:
            return store.open(session_id).state.original_name
        except SessionError:
            return ""

    return lambda job: name(job.session_id)
