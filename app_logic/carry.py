"""From a matting session to a tracking session: its clicks and masks become points, now or when its job has run."""

from __future__ import annotations

from app_logic.services import Services
from errors import PromptError
from session_base import StoredSession
from tracking_runner.carry import carry_over
from tracking_runner.from_matting import session_of
from tracking_session_store import TrackingState

_MOST = 5000


def track_through(services: Services, matting_id: str, amount: int, *, start: bool) -> StoredSession[TrackingState]:
    """Return a new tracking session of a matting session's video, with points on its objects.

    Where a job of the matting session waits or runs, the points come from what that will have made: the tracking job
    is queued behind it.

    Args:
        services: the app's.
        matting_id: the matting session.
        amount: points on each object's mask.
        start: track at once.

    Raises:
        SessionNotFoundError: there is no such session.
        PromptError: it has no clicks and no masks, and no job that makes any; or an amount that is none.
        StorageError: the disk is full, read-only or not writable.
    """
    if not 1 <= amount <= _MOST:
        raise PromptError(f"a mask is filled with 1 to {_MOST} points, not {amount}")
    matting = services.matting.store.open(matting_id)
    waits = services.matting.work.active(matting_id) is not None
    if not waits and not any(item.prompts or item.keyframes for item in matting.state.objects):
        raise PromptError("there is nothing to track yet: click on an object first")
    session = session_of(services.tracking.store, matting, amount)
    if not waits:
        try:
            carry_over(session)
        except PromptError:
            services.tracking.store.delete(session.state.id)
            raise
    services.tracking.work.extract(session.state.id)
    if start or waits:
        services.tracking.work.track(session.state.id)
    return session
