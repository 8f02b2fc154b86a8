"""A session of whichever kind, and what it has delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from errors import ParameterError, SessionError, SessionNotFoundError
from results import matting, tracking
from results.entries import Result
from runner_base.facts import known_info
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


def outdated(session: AnySession) -> list[str]:
    """Return the formats whose files were made before the last changes: a run would make them anew.

    None where nobody can tell: the facts of its video are gone, or this version has not its engines.
    """
    info = known_info(session)
    with suppress(ParameterError):
        if info and session.state.delivered:
            return _outdated(session, info.frames)
    return []


def _outdated(session: AnySession, frames: int) -> list[str]:
    if isinstance(session, MattingSession):
        from matting_runner.marks import alpha_marks
        from matting_runner.marks import outdated as of_matting

        return of_matting(session.state, alpha_marks(session.state, frames))
    from tracking_runner.marks import outdated as of_tracking

    return of_tracking(session.state, frames)


def word_of_outdated(session: AnySession, names: Iterable[str]) -> str:
    """Return a line about those of `names` that are out of date; empty where none is."""
    old = [name for name in outdated(session) if name in set(names)]
    if not old:
        return ""
    again = f"run.py run {session.state.id} --formats {','.join(old)}"
    return f"{', '.join(old)} of {session.state.id}: made before the last changes; to make anew: {again}"


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
