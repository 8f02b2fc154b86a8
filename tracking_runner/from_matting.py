"""A tracking session that begins where a matting session is."""

from __future__ import annotations

from runner_base.facts import load_info, save_info
from session_store import MattingSession
from tracking_runner import create_session
from tracking_session_store import Carry, TrackingSession, TrackingSessionStore


def session_of(store: TrackingSessionStore, matting: MattingSession, count: int) -> TrackingSession:
    """Return a new tracking session of a matting session's video, whose first run takes its points from there.

    Args:
        store: of the tracking sessions, in the same workspace.
        matting: the matting session; its range becomes the new one's.
        count: points on each object's mask.

    Raises:
        StorageError: the disk is full, read-only or not writable.
    """
    session = create_session(store, matting.source, original_name=matting.state.original_name)
    session.state.range = matting.state.range
    session.state.commercial = matting.state.commercial
    session.state.carry = Carry(session_id=matting.state.id, count=count)
    session.save()
    save_info(session, load_info(matting))
    return session
