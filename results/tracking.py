"""Deliverables of tracking sessions under the original file's name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from errors import ParameterError, SessionError
from results.entries import Result
from runner_base.terms import check_result
from tracking_export import TRACK_FORMATS
from tracking_runner import check_formats
from tracking_session_store import TrackingSession


def results(session: TrackingSession, names: Iterable[str]) -> list[Result]:
    """Return several deliverables of a session; folders are those of formats with a file for each track.

    Raises:
        ParameterError: none is asked for, or there is no such format.
        SessionError: one is not delivered, or being made anew.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        raise ParameterError(f"say which formats: video, {', '.join(TRACK_FORMATS)}")
    return [_result(session, name) for name in check_formats(wanted)]


def _result(session: TrackingSession, name: str) -> Result:
    made = session.state.delivered.get(name)
    path = session.results_dir / made.path if made else None
    if path is None or not path.exists():
        raise SessionError(f"{name} is not delivered yet; deliver it first")
    check_result(session.state, path, name)
    stem = Path(session.state.original_name).stem or session.state.name
    return Result(path, f"{stem}_{path.name.replace(f'_{session.state.id}', '')}", stem)
