"""What sessions of all kinds have delivered, and the choice of some of it for a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from errors import ParameterError, SessionError
from pipeline.formats import FORMATS
from results.archive import bundled
from results.entries import Result
from results.sessions import AnySession, results_of
from tracking_export import TRACK_FORMATS
from zip_stream import ZipStream

MOST_SESSIONS = 500
"""Sessions of a bundle."""


def delivered(session: AnySession) -> dict[str, Result]:
    """Return what a session has delivered by format, as far as the files are there."""
    found = {}
    for name in session.state.delivered:
        try:
            found[name] = results_of(session, [name])[0]
        except (SessionError, ParameterError):  # being made anew, gone, of another version, not for commercial use
            continue
    return found


def left_out(session: AnySession, formats: Sequence[str] = ()) -> list[str]:
    """Return why formats that a session has delivered, those asked for or all, cannot be handed out."""
    reasons = []
    for name in session.state.delivered:
        try:
            if not formats or name in formats:
                results_of(session, [name])
        except (SessionError, ParameterError) as error:
            reasons.append(str(error))
    return reasons


def bundle(chosen: Sequence[tuple[AnySession, Sequence[str]]]) -> ZipStream:
    """Return a zip of the chosen results of several sessions.

    Args:
        chosen: (session, formats) of each, a session once.

    Raises:
        ParameterError: no session or too many, none of its formats, or there is no such format.
        SessionError: a format is not delivered, or being made anew.
    """
    if not 1 <= len(chosen) <= MOST_SESSIONS:
        raise ParameterError(f"a bundle has results of 1 to {MOST_SESSIONS} sessions, not {len(chosen)}")
    return bundled((session.state.name, results_of(session, names)) for session, names in chosen)


def choose(sessions: Sequence[AnySession], formats: Sequence[str] = ()) -> Mapping[str, list[str]]:
    """Return {session id: formats to take}: of each all that it has delivered, or those of `formats` that it has.

    Raises:
        ParameterError: there is no such format, of any kind of session.
        SessionError: a session has delivered nothing, or none of them, or may hand nothing of that out.
    """
    check_formats(formats)
    found = {session.state.id: [*delivered(session)] for session in sessions}
    taken = {key: [name for name in names if not formats or name in formats] for key, names in found.items()}
    for session in sessions:
        if not taken[session.state.id]:
            _refuse_empty(session, formats)
    return taken


def check_formats(names: Sequence[str]) -> None:
    """Refuse names that no format of any kind of session has.

    Raises:
        ParameterError: one of them is such a name.
    """
    known = {*FORMATS, *TRACK_FORMATS, "video"}
    for name in names:
        if name not in known:
            raise ParameterError(f"no such format: {name}; there are {', '.join(sorted(known))}")


def _refuse_empty(session: AnySession, formats: Sequence[str]) -> None:
    session_id, there = session.state.id, session.state.delivered
    if not there:
        raise SessionError(f"session {session_id} has delivered nothing yet; deliver first: run.py run {session_id}")
    if names := [name for name in there if not formats or name in formats]:
        results_of(session, names)  # says what keeps them from being handed out
    raise SessionError(f"session {session_id} has delivered none of these formats")
