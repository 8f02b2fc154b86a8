"""Whether a run has to look at the frames in frames/ at all."""

from __future__ import annotations

from engines.spec import Job
from matting_runner.history import SessionHistory
from matting_runner.marks import engine_mark
from matting_runner.mask_stages import stale_keyframes, stale_masks
from session_store import MattingSession


def frames_needed(session: MattingSession, span: tuple[int, int]) -> bool:
    """Tell whether anything looks at frames/: masks are made from it, alpha and deliverables from the source."""
    history = SessionHistory(session, engine_mark(Job.PROPAGATOR, session.state.propagator))
    return bool(stale_keyframes(session)) or any(stale_masks(session, history, span).values())
