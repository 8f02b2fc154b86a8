"""The workspace as the settings name it: its sessions and its queue, opened where a command first needs them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from cli.output import note

if TYPE_CHECKING:
    from queue_logic import Job, JobQueue, Needs
    from session_base import SessionFolders, StoredSession
    from session_store import MattingSession, SessionStore
    from tracking_session_store import TrackingSession, TrackingSessionStore


def stores() -> dict[str, SessionFolders[Any]]:
    """Return the stores of sessions by kind, which is also the kind of their jobs."""
    return {"matting": matting_store(), "tracking": tracking_store()}


def matting_store() -> SessionStore:
    """Return the store of matting sessions."""
    from config import usable_workspace
    from session_store import SessionStore

    return SessionStore(usable_workspace() / "sessions")


def tracking_store() -> TrackingSessionStore:
    """Return the store of tracking sessions."""
    from config import usable_workspace
    from tracking_session_store import TrackingSessionStore

    return TrackingSessionStore(usable_workspace() / "tracking_sessions")


def room_of(kind: str) -> Any:
    """Return the package that keeps the sessions of that kind: the same words in each for size, progress, clean-up."""
    import session_store
    import tracking_session_store

    return {"matting": session_store, "tracking": tracking_session_store}[kind]


def kind_of(session_id: str) -> str:
    """Return the kind of the session of that id.

    Raises:
        SessionNotFoundError: there is none of any kind, or it is not an id.
    """
    from errors import SessionNotFoundError

    for kind, store in stores().items():
        with suppress(SessionNotFoundError):
            store.folder(session_id)
            return kind
    matting_store().folder(session_id)
    raise AssertionError("a session has come into being in between")


def open_session(session_id: str) -> MattingSession:
    """Return the matting session of that id.

    Raises:
        SessionNotFoundError: there is none of that id.
        ParameterError: it is one of another kind.
    """
    _refuse_other(session_id, "matting")
    return matting_store().open(session_id)


def open_tracking_session(session_id: str) -> TrackingSession:
    """Return the tracking session of that id.

    Raises:
        SessionNotFoundError: there is none of that id.
        ParameterError: it is one of another kind.
    """
    _refuse_other(session_id, "tracking")
    return tracking_store().open(session_id)


def _refuse_other(session_id: str, wanted: str) -> None:
    from errors import ParameterError

    if (kind := kind_of(session_id)) != wanted:
        raise ParameterError(f"session {session_id} is a {kind} session; this is for {wanted} sessions")


def open_jobs(*, uploads: bool = True) -> dict[str, Job]:
    """Return the jobs that wait or run by session; where one has several, the one that runs or is next.

    Args:
        uploads: those too, which say nothing of how far a session's own work is.
    """
    from config import usable_workspace
    from queue_logic import read_jobs

    found: dict[str, Job] = {}
    for job in read_jobs(usable_workspace()):
        wanted = not job.state.is_finished and (uploads or job.kind in stores())
        if wanted and (job.session_id not in found or job.state == "running"):
            found[job.session_id] = job
    return found


def open_queue() -> JobQueue:
    """Return the workspace's queue, and say what is odd about its file."""
    from config import usable_workspace
    from queue_logic import JobQueue

    queue = JobQueue(usable_workspace())
    if queue.notice:
        note(f"warning: {queue.notice}")
    return queue


def enqueue(session: StoredSession[Any], *, until: str = "deliver", force: bool = False, then_track: int = 0) -> Job:
    """Put a session of any kind at the end of the queue, with what it will need.

    Args:
        session: the session.
        until: the last stage of its job.
        force: whether it is run even if it does not seem to fit.
        then_track: matting only: points on each object's mask that a job of its own tracks afterwards; 0 for none.

    Raises:
        ParameterError: a stage that its kind of session has not, or tracking after tracking.
        ResourceError: it clearly does not fit this machine, and it is not forced.
    """
    kind = kind_of(session.state.id)
    needs = _foreseen(kind, session, until, refuse=not force)
    parameters: dict[str, Any] = ({} if until == "deliver" else {"until": until}) | ({"force": True} if force else {})
    if then_track:
        parameters["then_track"] = _tracking_after(kind, session, then_track).state.id
    return open_queue().add(kind, session.state.id, parameters, needs)


def _tracking_after(kind: str, session: Any, count: int) -> TrackingSession:
    """Return a new tracking session that takes its points from a matting session when it is run."""
    from errors import ParameterError
    from tracking_runner.from_matting import session_of

    if kind != "matting":
        raise ParameterError("--then-track is for matting sessions: their objects are what is tracked then")
    return session_of(tracking_store(), session, count)


def _foreseen(kind: str, session: Any, until: str, *, refuse: bool) -> Needs:
    if kind == "tracking":
        from tracking_runner import check_stage
        from tracking_runner import foresee as foresee_tracking

        return foresee_tracking(session, until=check_stage(until), refuse=refuse)
    from matting_runner import Stage, foresee

    return foresee(session, until=Stage(until), refuse=refuse)


def video_names() -> Callable[[Job], str]:
    """Return a function that tells a job's video; '' where its session cannot be opened."""
    from errors import SessionError

    known = stores()

    @cache
    def name(session_id: str) -> str:
        for store in known.values():
            with suppress(SessionError):
                return str(store.open(session_id).state.original_name)
        return ""

    return lambda job: name(job.session_id)
