"""A session of whichever kind, and what it has delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from errors import SessionError, SessionNotFoundError
from results import matting, tracking
from results.entries import Result
from session_store import MattingSession, SessionStore
from tracking_session_store import TrackingSession, TrackingSessionStore

AnySession = MattingSession | TrackingSession


def open_session(workspace: Path, session_id: str) -> AnySession:
    """Return a session of any kind.

    Raises:
        SessionNotFoundError: there is none of that id.
        StoreError: its state cannot be read.
    """
    with suppress(SessionNotFoundError):
        return SessionStore(workspace / "sessions").open(session_id)
    return TrackingSessionStore(workspace / "tracking_sessions").open(session_id)


def kind_of(session: AnySession) -> str:
    """Return the kind of a session, as its jobs have it."""
    return "matting" if isinstance(session, MattingSession) else "tracking"


def results_of(session: AnySession, names: Sequence[str]) -> list[Result]:
    """Return deliverables of a session by their formats' names.

    Raises:
        ParameterError: none is asked for, or there is no such format.
        SessionError: one is not delivered, or being made anew.
    """
    if isinstance(session, MattingSession):
        return matting.results(session, names)
    return tracking.results(session, names)


def chosen(session: AnySession, formats: Iterable[str] = ()) -> dict[str, Result]:
    """Return deliverables of a session by format: those asked for, or all that there are.

    Raises:
        ParameterError: there is no such format.
        SessionError: nothing is delivered, or not one that is asked for.
    """
    names = list(dict.fromkeys(formats)) or list(session.state.delivered)
    if not names:
        raise SessionError(f"session {session.state.id} has nothing delivered yet; deliver it first")
    return {name: results_of(session, [name])[0] for name in names}
