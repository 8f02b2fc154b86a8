"""The deliverables of matting sessions under the original file's name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from errors import ParameterError, SessionError
from pipeline.formats import FORMATS, format_spec
from results.entries import Result
from runner_base.terms import check_result
from session_store import MattingSession


def result(session: MattingSession, name: str) -> Result:
    """Return a deliverable of a session.

    Raises:
        ParameterError: there is no such format.
        SessionError: it is not delivered, or being made anew.
    """
    spec = format_spec(name)
    made = session.state.delivered.get(spec.name)
    path = session.folder / spec.file_name
    if made is None or not path.exists():
        raise SessionError(f"{name} is not delivered yet; deliver it first")
    check_result(session.state, path, name)
    stem = Path(session.state.original_name).stem or session.state.name
    return Result(path, f"{stem}_{spec.file_name}", stem)


def results(session: MattingSession, names: Iterable[str]) -> list[Result]:
    """Return several deliverables; see `result`.

    Raises:
        ParameterError: none is asked for.
    """
    found = [result(session, name) for name in dict.fromkeys(names)]
    if not found:
        raise ParameterError(f"say which formats: {', '.join(FORMATS)}")
    return found
