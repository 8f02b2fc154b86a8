"""Tracking sessions on disk: what the user decided, and what was computed from what.

<workspace>/tracking_sessions/<session id>/
    source.*                the video, copied in
    meta.json               facts of the source (written by the runner)
    state.json              TrackingState
    frames/NNNNNN.jpg       for looking
    raw_tracks.npy          float32 [T, N, 2], (x, y) in pixels of the source; columns as the state names them
    raw_visibility.npy      bool [T, N]
    raw_confidence.npy      float32 [T, N], 0..1
"""

from __future__ import annotations

from tracking_session_store.cleanup import clean, is_finished, removable
from tracking_session_store.session import RAW, TrackingSession
from tracking_session_store.state import Carry, MotionChoice, Refinement, TrackingState, TrackPoint
from tracking_session_store.store import TrackingSessionStore
from tracking_session_store.usage import Usage, folder_usage, progress

__all__ = [
    "RAW",
    "Carry",
    "MotionChoice",
    "Refinement",
    "TrackPoint",
    "TrackingSession",
    "TrackingSessionStore",
    "TrackingState",
    "Usage",
    "clean",
    "folder_usage",
    "is_finished",
    "progress",
    "removable",
]
